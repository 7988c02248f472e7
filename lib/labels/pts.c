/* .pts, one face a file. */
#define _GNU_SOURCE
#include "labels/pts.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "labels/text.h"

#define BYTES_MAX ((size_t)1 << 20)

/* A place in the text. */
struct pts {
	const char *at, *end;
	unsigned line;
	/* what was read */
	size_t points;
	double *point; /* (points, 2) */
};

/* -- words ---------------------------------------------------------------------- */

static void skip_blank(struct pts *p)
{
	for (; p->at < p->end && strchr(" \t\r\n", *p->at) && *p->at; p->at++)
		p->line += *p->at == '\n' || (*p->at == '\r' && p->at[1] != '\n');
}

/* The next word, which a colon or brace ends or is; "" at the end. */
struct word {
	char text[48];
};

static struct word next_word(struct pts *p)
{
	struct word w = { "" };
	size_t n = 0;

	skip_blank(p);
	if (p->at < p->end && strchr(":{}", *p->at))
		n = 1;
	else
		n = strcspn(p->at, ":{} \t\r\n");
	if (p->at + n > p->end)
		n = (size_t)(p->end - p->at);
	snprintf(w.text, sizeof w.text, "%.*s", (int)(n < 1000 ? n : 1000), p->at);
	if (n >= sizeof w.text) /* and so no number any more */
		strcpy(w.text + sizeof w.text - 4, "...");
	p->at += n;
	return w;
}

static int expect(struct pts *p, const char *what, struct kf_err *err)
{
	struct word w = next_word(p);

	if (!strcmp(w.text, what))
		return 0;
	if (!*w.text)
		return kf_fail(err, "'%s' is missing at the end", what);
	return kf_fail(err, "'%.30s' in place of '%s'", w.text, what);
}

/* -- the text --------------------------------------------------------------------- */

static int read_version(struct pts *p, struct kf_err *err)
{
	struct word w;

	if (expect(p, "version", err) < 0 || expect(p, ":", err) < 0)
		return -1;
	w = next_word(p);
	if (strcmp(w.text, "1"))
		return kf_fail(err, "version '%.30s', not 1", w.text);
	return 0;
}

static int read_count(struct pts *p, struct kf_err *err)
{
	struct word w;

	if (expect(p, "n_points", err) < 0 || expect(p, ":", err) < 0)
		return -1;
	w = next_word(p);
	if (!*w.text || strspn(w.text, "0123456789") != strlen(w.text))
		return kf_fail(err, "'%.30s' is no number of points", w.text);
	p->points = strlen(w.text) < 9 ? strtoul(w.text, NULL, 10) : 999999999;
	if (p->points > KF_COLUMNS_MAX / 2)
		return kf_fail(err, "more than %d points", KF_COLUMNS_MAX / 2);
	if (p->points == 0)
		return kf_fail(err, "there are no points");
	p->point = malloc(2 * p->points * sizeof *p->point);
	return p->point ? 0 : kf_fail_memory(err);
}

static int read_points(struct pts *p, struct kf_err *err)
{
	if (expect(p, "{", err) < 0)
		return -1;
	for (size_t i = 0; i < 2 * p->points; i++) {
		struct word w = next_word(p);

		if (!*w.text || !strcmp(w.text, "}"))
			return kf_fail(err, "%zu numbers, not the %zu of %zu points", i,
				2 * p->points, p->points);
		if (kf_label_number(w.text, strlen(w.text), &p->point[i], err) < 0)
			return -1;
		p->point[i]--; /* they count from 1 */
	}
	return 0;
}

static int read_end(struct pts *p, struct kf_err *err)
{
	struct word w = next_word(p);

	if (!*w.text)
		return kf_fail(err, "'}' is missing at the end");
	if (strcmp(w.text, "}"))
		return kf_fail(err, "more than %zu points, or no '}' after them",
			p->points);
	skip_blank(p);
	if (p->at < p->end)
		return kf_fail(err, "there is more after '}'");
	return 0;
}

static int read_text(struct pts *p, const char *name, struct kf_err *err)
{
	if (read_version(p, err) < 0 || read_count(p, err) < 0 ||
		read_points(p, err) < 0 || read_end(p, err) < 0)
		return kf_place(err, "'%s', line %u", name, p->line);
	return 0;
}

/* -- the picture -------------------------------------------------------------------- */

/* The first picture of this name, which is without its ending, in a directory: the caller's
 * to free; NULL with err filled. */
static char *find_ending(const char *directory, const char *name, int n,
	struct kf_err *err)
{
	static const char *const endings[] = { ".png", ".jpg", ".jpeg", ".JPG", ".PNG",
		".pgm", ".ppm" };
	char file[NAME_MAX + 8];

	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		char *path;

		snprintf(file, sizeof file, "%.*s%s", n, name, endings[i]);
		path = kf_face_path(directory, file);
		if (!path) {
			kf_fail_memory(err);
			return NULL;
		}
		if (access(path, F_OK) == 0)
			return path;
		free(path);
	}
	kf_fail(err,
		"there is no picture '%.*s' in '%.300s' that ends in .png, .jpg, "
		".jpeg, .JPG, .PNG, .pgm or .ppm",
		n, name, *directory ? directory : ".");
	return NULL;
}

/* The picture of a file of this path. */
static char *find_picture(const char *directory, const char *path, struct kf_err *err)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t n = strlen(name);

	if (n >= 4 && n <= NAME_MAX && !strcasecmp(name + n - 4, ".pts"))
		return find_ending(directory, name, (int)n - 4, err);
	kf_fail(err,
		"the picture of a .pts file has its name; so give it by its "
		"name, which ends in .pts");
	return NULL;
}

int kf_pts_read(struct kf_faces *f, struct kf_input *in, const char *directory,
	struct kf_err *err)
{
	struct kf_photo_face face = { KF_NO_BOX };
	struct pts p = { .line = 1 };
	int rc = -1;

	if (kf_input_need(in, BYTES_MAX + 1, err) < 0)
		return -1;
	if (in->n > BYTES_MAX)
		return kf_fail(err, "more than %zu bytes", BYTES_MAX);
	p.at = in->at;
	p.end = in->at + in->n;
	if (in->n >= 3 && !memcmp(p.at, "\xef\xbb\xbf", 3))
		p.at += 3;
	if (read_text(&p, in->name, err) == 0 &&
		kf_faces_number_points(f, p.points, err) == 0)
		face.file = find_picture(directory, in->name, err);
	face.point = p.point;
	if (face.file)
		rc = kf_faces_add(f, "", &face, p.points, err);
	free(face.file);
	free(p.point);
	return rc;
}
