/* Lists of faces. */
#define _GNU_SOURCE
#include "labels/faces.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/visible.h"
#include "labels/text.h"

bool kf_face_has_box(const struct kf_photo_face *face)
{
	return !isnan(face->w);
}

/* -- columns -------------------------------------------------------------------- */

static int add_column(struct kf_names *columns, const char *point, const char *axis,
	struct kf_err *err)
{
	char name[256];

	snprintf(name, sizeof name, "%.240s%s", point, axis);
	if (kf_name_check(name, err) < 0)
		return -1;
	if (kf_names_find(columns, name) >= 0)
		return kf_fail(err, "there are two points '%s'", point);
	if (columns->n == KF_COLUMNS_MAX)
		return kf_fail(err, "more than %d points", KF_COLUMNS_MAX / 2);
	return kf_names_add(columns, name) < 0 ? kf_fail_memory(err) : 0;
}

int kf_faces_name_points(struct kf_faces *f, const struct kf_names *points,
	struct kf_err *err)
{
	for (int i = 0; i < points->n; i++)
		if (add_column(&f->columns, points->name[i], "_x", err) < 0 ||
			add_column(&f->columns, points->name[i], "_y", err) < 0)
			return -1;
	return 0;
}

int kf_faces_number_points(struct kf_faces *f, size_t n, struct kf_err *err)
{
	char number[24];

	for (size_t i = 0; i < n; i++) {
		snprintf(number, sizeof number, "%zu", i);
		if (add_column(&f->columns, number, "_x", err) < 0 ||
			add_column(&f->columns, number, "_y", err) < 0)
			return -1;
	}
	return 0;
}

/* -- one face ------------------------------------------------------------------- */

static void free_face(struct kf_photo_face *face)
{
	free(face->file);
	free(face->point);
	free(face->name);
	free(face->label);
}

/* Refuses a text that could not be shown, or opened. */
static int check_text(const char *what, const char *text, struct kf_err *err)
{
	if (strlen(text) >= PATH_MAX)
		return kf_fail(err, "the %s '%.40s...' is too long", what, text);
	for (const char *s = text; *s;) {
		int control, n = kf_utf8_length(s, &control);

		if (!n)
			return kf_fail(err, "the %s '%.200s' is not UTF-8", what, text);
		if (control)
			return kf_fail(err, "the %s '%.200s' has a control character",
				what, text);
		s += n;
	}
	return 0;
}

static int check_face(const struct kf_photo_face *face, struct kf_err *err)
{
	if (!*face->file)
		return kf_fail(err, "the file name is empty");
	if ((face->name && check_text("name", face->name, err) < 0) ||
		(face->label && check_text("label", face->label, err) < 0))
		return -1;
	if (!kf_face_has_box(face) || (face->w == 0 && face->h == 0))
		return 0;
	if (!(face->w > 0 && face->h > 0))
		return kf_fail(err, "the box is %g x %g pixels", face->w, face->h);
	return kf_label_check(face->x, err) < 0 || kf_label_check(face->y, err) < 0 ||
			kf_label_check(face->w, err) < 0 ||
			kf_label_check(face->h, err) < 0 ?
		-1 :
		0;
}

char *kf_face_path(const char *directory, const char *file)
{
	char *path;
	size_t n = strlen(directory);

	if (*file == '/' || !n || !strcmp(directory, "."))
		return strdup(file);
	if (asprintf(&path, "%s%s%s", directory, directory[n - 1] == '/' ? "" : "/",
		    file) < 0)
		return NULL;
	return path;
}

/* Copies what the face points to; false when out of memory. */
static bool copy_face(struct kf_photo_face *to, const char *directory,
	const struct kf_photo_face *from, size_t points)
{
	size_t bytes = 2 * points * sizeof *to->point;

	*to = *from;
	to->number = 0;
	if (to->w == 0 && to->h == 0)
		to->x = to->y = to->w = to->h = NAN;
	to->file = kf_face_path(directory, from->file);
	to->point = points ? malloc(bytes) : NULL;
	to->name = from->name ? strdup(from->name) : NULL;
	to->label = from->label ? strdup(from->label) : NULL;
	if (to->point)
		memcpy(to->point, from->point, bytes);
	return to->file && !to->point == !points && !to->name == !from->name &&
		!to->label == !from->label;
}

/* -- lists ---------------------------------------------------------------------- */

/* Makes room for so many more. */
static int reserve(struct kf_faces *f, size_t more, struct kf_err *err)
{
	size_t room = f->room ? f->room : 16;
	struct kf_photo_face *face;

	while (room - f->n < more)
		room *= 2;
	if (room == f->room)
		return 0;
	face = realloc(f->face, room * sizeof *face);
	if (!face)
		return kf_fail_memory(err);
	f->face = face;
	f->room = room;
	return 0;
}

int kf_faces_add(struct kf_faces *f, const char *directory,
	const struct kf_photo_face *face, size_t points, struct kf_err *err)
{
	struct kf_photo_face copy;

	if (check_face(face, err) < 0 || reserve(f, 1, err) < 0)
		return -1;
	if (!copy_face(&copy, directory, face, points)) {
		free_face(&copy);
		return kf_fail_memory(err);
	}
	if (check_text("file name", copy.file, err) < 0) {
		free_face(&copy);
		return -1;
	}
	f->face[f->n++] = copy;
	return 0;
}

int kf_faces_add_photo(struct kf_faces *f, const char *path, struct kf_err *err)
{
	struct kf_photo_face photo = { KF_NO_BOX };
	char *file;
	int rc;

	if (f->columns.n)
		return kf_fail(err, "'%s' has no points, but the labels before it do",
			path);
	file = photo.file = strdup(path);
	if (!file)
		return kf_fail_memory(err);
	rc = kf_faces_add(f, "", &photo, 0, err);
	free(file);
	return rc;
}

int kf_faces_append(struct kf_faces *to, struct kf_faces *from, struct kf_err *err)
{
	char how[500];

	if (to->n && from->n && !kf_names_equal(&to->columns, &from->columns)) {
		kf_names_difference(&to->columns, &from->columns, how, sizeof how);
		return kf_fail(err, "other points than before: %s", how);
	}
	if (reserve(to, from->n, err) < 0)
		return -1;
	if (!to->n && from->n) {
		kf_names_free(&to->columns);
		to->columns = from->columns;
		from->columns = (struct kf_names){ 0 };
	}
	if (from->n)
		memcpy(to->face + to->n, from->face, from->n * sizeof *from->face);
	to->n += from->n;
	from->n = 0;
	kf_faces_free(from);
	return 0;
}

/* By file, and in a file by place in the list. */
static int by_file(const void *a, const void *b)
{
	const struct kf_photo_face *x = *(struct kf_photo_face *const *)a;
	const struct kf_photo_face *y = *(struct kf_photo_face *const *)b;
	int order = strcmp(x->file, y->file);

	return order ? order : (x > y) - (x < y);
}

int kf_faces_number(struct kf_faces *f, struct kf_err *err)
{
	struct kf_photo_face **index = malloc((f->n + 1) * sizeof *index);

	if (!index)
		return kf_fail_memory(err);
	for (size_t i = 0; i < f->n; i++)
		index[i] = &f->face[i];
	qsort(index, f->n, sizeof *index, by_file);
	for (size_t i = 0; i < f->n; i++) {
		bool first = i == 0 || strcmp(index[i]->file, index[i - 1]->file);

		index[i]->number = first ? 1 : index[i - 1]->number + 1;
	}
	free(index);
	return 0;
}

void kf_faces_free(struct kf_faces *f)
{
	for (size_t i = 0; i < f->n; i++)
		free_face(&f->face[i]);
	free(f->face);
	kf_names_free(&f->columns);
	*f = (struct kf_faces){ 0 };
}
