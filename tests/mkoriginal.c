/*
 * Writes a stream of rows from photographs, for tests of what goes back to these:
 *
 *   mkoriginal COLUMNS P_COLUMNS < ROWS > STREAM
 *
 * COLUMNS and P_COLUMNS are names of targets and of predictions with commas between, or
 * empty.  Each line of ROWS is a row: the photograph's name, the number of the face there,
 * the six numbers of the transform, and then the values of the columns, in pixels of the
 * photograph, all with blanks between.  A dash is a missing value, or no photograph; where
 * no row has a photograph, or all faces are 0, the stream has no such tensor.
 *
 * Where a transform turns or shears, a coordinate whose partner is missing has no place in
 * the image, and is written as it stands, as are columns that end in neither _x nor _y.
 * Images are of 96 x 96 pixels, with a shade of grey that grows from left to right.
 */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream/texts.h"
#include "stream/writer.h"

#define ROWS_MAX 4096
#define SIDE 96

static _Noreturn void fail(const char *why)
{
	fprintf(stderr, "mkoriginal: %s\n", why);
	exit(1);
}

static double read_value(void)
{
	char word[64];

	if (scanf("%63s", word) != 1)
		fail("a row is too short");
	return !strcmp(word, "-") ? NAN : strtod(word, NULL);
}

/* What a photograph's coordinate is in the image; partner is that of the other axis. */
static double to_image(const float t[6], int axis, double v, double partner)
{
	const float *m = t + 3 * axis;

	if (m[!axis] == 0)
		return m[axis] * v + m[2];
	if (isnan(partner))
		return v;
	return m[axis] * v + m[!axis] * partner + m[2];
}

static int partner_of(const struct kf_names *names, int i)
{
	char *other = strdup(names->name[i]);
	int at;

	other[strlen(other) - 1] ^= 'x' ^ 'y';
	at = kf_names_find(names, other);
	free(other);
	return at;
}

static void read_values(const struct kf_names *names, const float t[6], float *to)
{
	double v[KF_COLUMNS_MAX];

	for (int i = 0; i < names->n; i++)
		v[i] = read_value();
	for (int i = 0; i < names->n; i++) {
		int axis = kf_axis(names->name[i]);
		int partner = axis < 0 ? -1 : partner_of(names, i);

		to[i] = (float)(axis < 0 ? v[i] :
					   to_image(t, axis, v[i],
						   partner < 0 ? NAN : v[partner]));
	}
}

static void draw(uint8_t *pixel)
{
	for (int i = 0; i < SIDE * SIDE; i++)
		pixel[i] = (uint8_t)(2 * (i % SIDE));
}

/* Reads all rows; the schema learns what they have. */
static void read_rows(struct kf_schema *s, struct kf_chunk *c)
{
	char file[KF_TEXT_MAX];
	size_t longest = 0;

	for (; scanf("%4095s", file) == 1; c->n++) {
		if (c->n == ROWS_MAX)
			fail("too many rows");
		if (strcmp(file, "-")) {
			kf_texts_set(c->file, s->file_width, c->n, file);
			longest = strlen(file) > longest ? strlen(file) : longest;
		}
		c->id[c->n] = (int64_t)c->n + 1;
		c->face[c->n] = (int64_t)read_value();
		s->has_face = s->has_face || c->face[c->n];
		for (int i = 0; i < 6; i++)
			c->transform[6 * c->n + (size_t)i] = (float)read_value();
		read_values(&s->columns, c->transform + 6 * c->n,
			c->y + c->n * (size_t)s->columns.n);
		read_values(&s->p_columns, c->transform + 6 * c->n,
			c->p + c->n * (size_t)s->p_columns.n);
		draw((uint8_t *)c->X + c->n * SIDE * SIDE);
	}
	if (!longest)
		s->file_width = 0;
}

int main(int argc, char **argv)
{
	struct kf_schema s = { .c = 1,
		.h = SIDE,
		.w = SIDE,
		.file_width = kf_texts_width(200),
		.has_face = true,
		.has_transform = true };
	struct kf_chunk c = { 0 };
	struct kf_writer *out;
	struct kf_err err;

	if (argc != 3)
		return 2;
	if (kf_names_split(&s.columns, argv[1], &err) < 0 ||
		kf_names_split(&s.p_columns, argv[2], &err) < 0 ||
		kf_chunk_reserve(&c, &s, ROWS_MAX, &err) < 0)
		fail(err.msg);
	memset(c.file, 0, ROWS_MAX * (size_t)s.file_width);
	s.has_face = false;
	read_rows(&s, &c);
	out = kf_writer_open(STDOUT_FILENO, "standard output", &s, &err);
	if (!out || kf_writer_write(out, &c, &err) < 0 || kf_writer_end(out, &err) < 0)
		fail(err.msg);
	kf_writer_close(out);
	kf_chunk_free(&c);
	kf_schema_free(&s);
	return 0;
}
