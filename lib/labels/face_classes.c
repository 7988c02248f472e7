/* Numbers for classes. */
#include "labels/face_classes.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES 200 /* as kf_name_check allows */

/* A whole number from 0, or -1. */
static int number(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	return *text < '0' || *text > '9' || *end || n >= INT_MAX ? -1 : (int)n;
}

static int place(const struct kf_photo_face *face, struct kf_err *err)
{
	return kf_place(err, "'%s', face %d", face->file, face->number);
}

/* Whether all labels are numbers; the largest is noted. */
static bool are_numbers(const struct kf_faces *faces, int *largest)
{
	*largest = -1;
	for (size_t i = 0; i < faces->n; i++) {
		int n = number(faces->face[i].label);

		if (n < 0)
			return false;
		if (n > *largest)
			*largest = n;
	}
	return true;
}

/* What lists of names cannot hold; texts of faces are UTF-8 without control characters. */
static int check_name(const char *label, struct kf_err *err)
{
	if (strlen(label) > NAME_BYTES)
		return kf_fail(err, "its label '%.40s...' has more than %d bytes",
			label, NAME_BYTES);
	if (strchr(label, ','))
		return kf_fail(err, "its label '%s' has a comma", label);
	return 0;
}

/* Adds the names that labels have. */
static int add_names(struct kf_names *names, const struct kf_faces *faces,
	struct kf_err *err)
{
	for (size_t i = 0; i < faces->n; i++) {
		const char *label = faces->face[i].label;

		if (kf_names_find(names, label) >= 0)
			continue;
		if (check_name(label, err) < 0)
			return place(&faces->face[i], err);
		if (names->n == KF_COLUMNS_MAX)
			return kf_fail(err, "more than %d classes", KF_COLUMNS_MAX);
		if (kf_names_add(names, label) < 0)
			return kf_fail_memory(err);
	}
	return 0;
}

static int by_alphabet(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int check_given(const struct kf_face_classes *c, const struct kf_faces *faces,
	struct kf_err *err)
{
	for (size_t i = 0; i < faces->n; i++) {
		const struct kf_photo_face *face = &faces->face[i];
		int n = kf_face_classes_number(c, face->label);

		if (n >= 0 && n < c->n)
			continue;
		kf_fail(err, "its label '%.100s' is none of the %d classes",
			face->label, c->n);
		return place(face, err);
	}
	return 0;
}

/* 1 where all faces have labels, 0 where none has, or -1. */
static int have_labels(const struct kf_faces *faces, struct kf_err *err)
{
	size_t n = 0;

	for (size_t i = 0; i < faces->n; i++)
		n += faces->face[i].label != NULL;
	if (n == 0 || n == faces->n)
		return n > 0;
	for (size_t i = 0; i < faces->n; i++)
		if (!faces->face[i].label) {
			kf_fail(err, "it has no label, but others have");
			return place(&faces->face[i], err);
		}
	return -1;
}

int kf_face_classes_find(struct kf_face_classes *c, const struct kf_faces *faces,
	const struct kf_names *given, struct kf_err *err)
{
	int rc = have_labels(faces, err), largest;

	*c = (struct kf_face_classes){ 0 };
	if (rc == 0 && given)
		return kf_fail(err, "there are names of classes, but no labels");
	if (rc <= 0)
		return rc;
	if (given) {
		if (kf_names_copy(&c->names, given) < 0)
			return kf_fail_memory(err);
		c->n = given->n;
		return check_given(c, faces, err);
	}
	if (are_numbers(faces, &largest)) {
		c->n = largest + 1;
		return 0;
	}
	if (add_names(&c->names, faces, err) < 0)
		return -1;
	qsort(c->names.name, (size_t)c->names.n, sizeof *c->names.name, by_alphabet);
	c->n = c->names.n;
	return 0;
}

int kf_face_classes_number(const struct kf_face_classes *c, const char *label)
{
	int n = kf_names_find(&c->names, label);

	return n >= 0 ? n : number(label);
}

void kf_face_classes_free(struct kf_face_classes *c)
{
	kf_names_free(&c->names);
}
