/* The photographs that a stream's rows are from, each with all of its faces. */
#define _GNU_SOURCE
#include "plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw/face.h"
#include "photo/photo.h"
#include "rows/original.h"
#include "stream/texts.h"

/* A row, without its image. */
struct mark {
	char *file;
	size_t order; /* its place in the stream, */
	size_t first; /* and that of the first of its photograph */
	int64_t face;
	double side;  /* of its image, in pixels of the photograph */
	float *y, *p; /* in the photograph; NULL where there are none */
};

struct marks {
	struct kf_schema schema; /* of y and p */
	struct mark *mark;
	size_t n, room;
};

/* -- reading ---------------------------------------------------------------------- */

static float *copy_of(const float *v, int n)
{
	float *copy;

	if (n == 0)
		return NULL;
	copy = calloc((size_t)n, sizeof *copy);
	must_alloc(copy);
	return memcpy(copy, v, (size_t)n * sizeof *copy);
}

static char *file_of(const struct kf_schema *s, const struct kf_chunk *c, size_t row)
{
	char text[KF_TEXT_MAX + 1], *copy;

	kf_texts_get(c->file, s->file_width, row, text);
	if (!*text)
		die("the row with id %lld has no file", (long long)c->id[row]);
	copy = strdup(text);
	must_alloc(copy);
	return copy;
}

static void add_mark(struct marks *m, const struct kf_schema *s,
	const struct kf_chunk *c, size_t row)
{
	const float *t = c->transform + 6 * row;
	double area = fabs((double)t[0] * (double)t[4] - (double)t[1] * (double)t[3]);

	if (m->n == m->room) {
		m->room = m->room ? 2 * m->room : 256;
		m->mark = realloc(m->mark, m->room * sizeof *m->mark);
		must_alloc(m->mark);
	}
	m->mark[m->n] = (struct mark){ .file = file_of(s, c, row),
		.order = m->n,
		.face = s->has_face ? c->face[row] : 0,
		.side = fmin(s->w, s->h) / sqrt(area),
		.y = copy_of(c->y + row * (size_t)s->columns.n, s->columns.n),
		.p = copy_of(c->p + row * (size_t)s->p_columns.n, s->p_columns.n) };
	m->n++;
}

static void read_marks(struct marks *m, struct kf_reader *in)
{
	const struct kf_schema *schema = kf_reader_schema(in);
	struct kf_original original;
	struct kf_chunk *chunk;
	struct kf_err err;

	if (!schema->file_width)
		die("the stream does not name the photographs that it is from");
	check(kf_original_open(&original, schema, &m->schema, &err), &err);
	while ((chunk = cli_next(in))) {
		check(kf_original_rows(&original, chunk, &err), &err);
		for (size_t i = 0; i < chunk->n; i++)
			add_mark(m, schema, chunk, i);
	}
	kf_original_free(&original);
}

/* -- names ------------------------------------------------------------------------ */

/* How many bytes of all paths are the same directories. */
static size_t common_directory(const struct marks *m)
{
	const char *first = m->mark[0].file, *slash = strrchr(first, '/');
	size_t n = slash ? (size_t)(slash - first) + 1 : 0;

	for (size_t i = 1; i < m->n; i++)
		while (n > 0 && strncmp(first, m->mark[i].file, n)) {
			n--;
			while (n > 0 && first[n - 1] != '/')
				n--;
		}
	return n;
}

/* "PREFIXdirectory-photo.pgm" for a photograph in a directory below the common one. */
static void save_path(const struct request *q, const char *file, size_t common,
	char *path, size_t size)
{
	const char *name = file + common, *slash = strrchr(name, '/');
	const char *dot = strrchr(slash ? slash : name, '.');
	int n = (int)(dot ? (size_t)(dot - name) : strlen(name));
	char *at;

	if ((size_t)snprintf(path, size, "%s%.*s.%s", q->prefix, n, name,
		    kf_picture_ending(q->png, q->colour)) >= size)
		die("--each: the prefix is too long");
	for (at = path + strlen(q->prefix); *at; at++)
		if (*at == '/')
			*at = '-';
}

/* -- drawing ---------------------------------------------------------------------- */

/* Where the first of a face's points is, from above: its number stands there. */
static bool upper_left(const struct kf_points *points, const float *v, double *x,
	double *y)
{
	*x = *y = INFINITY;
	for (int i = 0; v && i < points->n; i++) {
		*x = fmin(*x, v[points->x[i]]);
		*y = fmin(*y, v[points->y[i]]);
	}
	return isfinite(*x) && isfinite(*y);
}

static void draw_number(struct kf_canvas *c, const struct kf_face *face,
	const struct mark *mark)
{
	char text[24];
	double x, y;

	if (!upper_left(&face->truth, mark->y, &x, &y) &&
		!upper_left(&face->predicted, mark->p, &x, &y))
		return;
	snprintf(text, sizeof text, "%lld", (long long)mark->face);
	kf_draw_note(c, x - 8, y - 8, KF_RIGHT, KF_WHITE, text);
}

/* Draws a photograph and the n faces in it. */
static void draw_photo(struct kf_canvas *c, const struct request *q,
	const struct kf_face *face, struct kf_photo *photo, const struct mark *mark,
	size_t n)
{
	struct kf_err err;

	check(kf_photo_read(photo, mark->file, &err), &err);
	check(kf_canvas_show(c, photo->grey, photo->w, photo->h, q->colour, &err),
		&err);
	for (size_t i = 0; i < n; i++) {
		kf_draw_points(c, face, mark[i].y, mark[i].p, mark[i].side);
		if (q->ids)
			draw_number(c, face, &mark[i]);
	}
}

static void put_photo(const struct request *q, const struct kf_canvas *c,
	const char *file, size_t common)
{
	struct kf_outlet to = plot_outlet(q);
	struct kf_err err;
	char path[4096];

	if (q->mode == PLOT_SEQUENCE) {
		check(kf_picture_write(&to, c, &err), &err);
		return;
	}
	save_path(q, file, common, path, sizeof path);
	check(kf_picture_save(path, q->png, c, &err), &err);
}

static int compare(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

static int by_file(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;
	int file = strcmp(x->file, y->file);

	return file ? file : compare(x->order, y->order);
}

static int by_first(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;

	return x->first == y->first ? compare(x->order, y->order) :
				      compare(x->first, y->first);
}

/* The photograph's path, and the picture's that is made of it. */
struct pair {
	const char *from;
	char *to;
};

static int by_picture(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return strcmp(x->to, y->to);
}

static bool starts_photo(const struct marks *m, size_t i)
{
	return i == 0 || strcmp(m->mark[i].file, m->mark[i - 1].file) != 0;
}

/* Refuses two photographs whose pictures would have the same name, before any is there.
 * Marks are sorted. */
static void check_paths(const struct request *q, const struct marks *m, size_t common)
{
	struct pair *pair = calloc(m->n, sizeof *pair);
	size_t n = 0;
	char path[4096];

	must_alloc(pair);
	for (size_t i = 0; i < m->n; i++) {
		if (!starts_photo(m, i))
			continue;
		save_path(q, m->mark[i].file, common, path, sizeof path);
		pair[n] = (struct pair){ m->mark[i].file, strdup(path) };
		must_alloc(pair[n++].to);
	}
	qsort(pair, n, sizeof *pair, by_picture);
	for (size_t i = 1; i < n; i++)
		if (!by_picture(&pair[i - 1], &pair[i]))
			die("'%s' and '%s' would both become '%s'; draw one of them "
			    "alone, by kfkd-select -w file=PATH",
				pair[i - 1].from, pair[i].from, pair[i].to);
	for (size_t i = 0; i < n; i++)
		free(pair[i].to);
	free(pair);
}

/* Those of a photograph together, and photographs in the order of the stream. */
static void sort(struct marks *m)
{
	qsort(m->mark, m->n, sizeof *m->mark, by_file);
	for (size_t i = 0; i < m->n; i++)
		m->mark[i].first =
			starts_photo(m, i) ? m->mark[i].order : m->mark[i - 1].first;
	qsort(m->mark, m->n, sizeof *m->mark, by_first);
}

static void draw_all(const struct request *q, struct marks *m)
{
	struct kf_face face;
	struct kf_photo photo = { 0 };
	size_t common = common_directory(m), n;
	struct kf_err err;

	check(kf_face_init(&face, &m->schema, 1, false, &err), &err);
	sort(m);
	if (q->mode != PLOT_SEQUENCE)
		check_paths(q, m, common);
	for (size_t i = 0; i < m->n; i += n) {
		struct kf_canvas c;

		for (n = 1; i + n < m->n && !starts_photo(m, i + n);)
			n++;
		draw_photo(&c, q, &face, &photo, &m->mark[i], n);
		put_photo(q, &c, m->mark[i].file, common);
		kf_canvas_free(&c);
	}
	kf_photo_free(&photo);
	kf_face_free(&face);
}

void plot_original(const struct request *q)
{
	struct kf_reader *in = cli_open_stream(q->operands[0]);
	struct marks m = { .n = 0 };

	read_marks(&m, in);
	kf_reader_close(in);
	if (m.n == 0)
		die("the stream has no rows: there is nothing to draw");
	draw_all(q, &m);
	for (size_t i = 0; i < m.n; i++) {
		free(m.mark[i].file);
		free(m.mark[i].y);
		free(m.mark[i].p);
	}
	free(m.mark);
	kf_schema_free(&m.schema);
}
