/* A tensor stream as CSV. */
#define _GNU_SOURCE
#include "formats/save_csv.h"

#include <csv.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stream/texts.h"

/* What is before the name of a column of p where y is beside it. */
#define PREDICTED "predicted_"

/* The characters of names that have no quotes. */
#define USUAL "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."

/* A column of y or of p that becomes one of the table. */
struct kf_save_column {
	const char *name; /* the schema's */
	bool predicted;   /* of p */
	int at;           /* its number there */
};

static bool has_images(const struct kf_save *s)
{
	return !s->no_images && !s->schema->no_images;
}

static bool has_labels(const struct kf_save *s)
{
	return s->truth && s->schema->has_label;
}

/* The photograph, and the face there.  Kaggle's layout, which has images, does without. */
static bool has_file(const struct kf_save *s)
{
	return !has_images(s) && s->schema->file_width;
}

static bool has_face(const struct kf_save *s)
{
	return !has_images(s) && s->schema->has_face;
}

/* -- columns ------------------------------------------------------------------- */

/* Those of y, each with that of p of the same name behind it, then the others of p. */
static int find_columns(struct kf_save *s, struct kf_err *err)
{
	static const struct kf_names none;
	bool targets = s->truth || !s->predictions;
	const struct kf_names *y = targets ? &s->schema->columns : &none;
	const struct kf_names *p = s->predictions ? &s->schema->p_columns : &none;
	struct kf_save_column *c;

	c = s->column = calloc((size_t)(y->n + p->n) + 1, sizeof *c);
	if (!c)
		return kf_fail_memory(err);
	for (int i = 0; i < y->n; i++) {
		int beside = kf_names_find(p, y->name[i]);

		*c++ = (struct kf_save_column){ y->name[i], false, i };
		if (beside >= 0)
			*c++ = (struct kf_save_column){ y->name[i], true, beside };
	}
	for (int i = 0; i < p->n; i++)
		if (kf_names_find(y, p->name[i]) < 0)
			*c++ = (struct kf_save_column){ p->name[i], true, i };
	s->n = (int)(c - s->column);
	return 0;
}

void kf_save_free(struct kf_save *s)
{
	free(s->column);
	s->column = NULL;
	s->n = 0;
}

/* -- header -------------------------------------------------------------------- */

static int check_images(const struct kf_save *s, struct kf_err *err)
{
	const struct kf_schema *schema = s->schema;

	if (!has_images(s))
		return 0;
	if (schema->dtype != KF_U8)
		return kf_fail(err,
			"the pixels are F32; CSV holds whole numbers from "
			"0 to 255");
	if (schema->c != 1)
		return kf_fail(err, "the images have %d channels; CSV holds one",
			schema->c);
	return 0;
}

/* A line without any field is none. */
static int check_left(const struct kf_save *s, struct kf_err *err)
{
	if (has_images(s) || s->ids == KF_IDS_ALWAYS || s->n || has_file(s) ||
		has_face(s))
		return 0;
	if (s->schema->no_images)
		return kf_fail(err,
			"the stream has neither images nor targets, and without ids "
			"nothing is left");
	return kf_fail(err,
		"the stream has no targets, and without images and ids nothing is left");
}

/* Whether the table has, or may have, another column of this one's name. */
static bool is_taken(const struct kf_save *s, const struct kf_save_column *c)
{
	static const size_t prefix = sizeof PREDICTED - 1;

	if (!strcmp(c->name, "Image") || !strcmp(c->name, "ImageId"))
		return true;
	if (!(s->truth && c->predicted) &&
		((has_file(s) && !strcmp(c->name, "file")) ||
			(has_face(s) && !strcmp(c->name, "face"))))
		return true;
	if (!s->truth || c->predicted)
		return false;
	return (has_labels(s) && !strcmp(c->name, "label")) ||
		(!strncmp(c->name, PREDICTED, prefix) &&
			kf_names_find(&s->schema->p_columns, c->name + prefix) >= 0);
}

static int check_schema(const struct kf_save *s, struct kf_err *err)
{
	if (kf_save_check(s, err) < 0)
		return -1;
	if (s->schema->has_label && !s->predictions)
		return kf_fail(err, "the stream has labels; CSV holds targets only");
	if (check_left(s, err) < 0 || check_images(s, err) < 0)
		return -1;
	for (int i = 0; i < s->n; i++)
		if (is_taken(s, &s->column[i]))
			return kf_fail(err,
				"column '%s' has a name that CSV keeps for "
				"other uses",
				s->column[i].name);
	return 0;
}

/* A text, in quotes if there is anything unusual in it. */
static void write_text(const struct kf_save *s, const char *text, const char *usual)
{
	if (text[strspn(text, usual)])
		csv_fwrite(s->file, text, strlen(text));
	else
		fputs(text, s->file);
}

static void write_name(const struct kf_save *s, const struct kf_save_column *c)
{
	const char *name = c->name;
	char text[300]; /* a name has 200 bytes at most */

	if (s->truth && c->predicted) {
		snprintf(text, sizeof text, PREDICTED "%s", c->name);
		name = text;
	}
	write_text(s, name, USUAL);
}

/* After a field that others may follow. */
static void end_field(const struct kf_save *s, bool last)
{
	fputc(last && !has_images(s) ? '\n' : ',', s->file);
}

/* After a field in front of all values; more: another such field follows. */
static void end_front(const struct kf_save *s, bool more)
{
	end_field(s, !more && s->n == 0);
}

static void write_photograph_names(const struct kf_save *s)
{
	if (has_file(s)) {
		fputs("file", s->file);
		end_front(s, has_face(s));
	}
	if (has_face(s)) {
		fputs("face", s->file);
		end_front(s, false);
	}
}

int kf_save_header(struct kf_save *s, struct kf_err *err)
{
	if (find_columns(s, err) < 0 || check_schema(s, err) < 0)
		return -1;
	if (s->ids == KF_IDS_ALWAYS) {
		fputs("ImageId", s->file);
		end_front(s, has_file(s) || has_face(s));
	}
	write_photograph_names(s);
	if (has_labels(s))
		fputs("label,", s->file); /* predictions follow */
	for (int i = 0; i < s->n; i++) {
		write_name(s, &s->column[i]);
		end_field(s, i == s->n - 1);
	}
	if (has_images(s))
		fputs("Image\n", s->file);
	return kf_save_flush(s, err);
}

/* -- rows ---------------------------------------------------------------------- */

/* The text of each pixel value, followed by a space. */
struct pixel_text {
	char text[4];
	unsigned char n;
};

static void fill_table(struct pixel_text table[256])
{
	char text[8];

	for (int i = 0; i < 256; i++) {
		table[i].n = (unsigned char)snprintf(text, sizeof text, "%d ", i);
		memcpy(table[i].text, text, sizeof table[i].text);
	}
}

/* text has room for 4 bytes a pixel; returns its length without the last
 * space. */
static size_t print_image(const uint8_t *pixel, size_t n,
	const struct pixel_text table[256], char *text)
{
	char *p = text;

	for (size_t i = 0; i < n; i++) {
		const struct pixel_text *t = &table[pixel[i]];

		memcpy(p, t->text, sizeof t->text);
		p += t->n;
	}
	return (size_t)(p - text) - 1;
}

/* What the only field of a line holds where it is empty: programs skip blank lines. */
static void write_nothing(const struct kf_save *s)
{
	if (!has_images(s) && !has_labels(s) && s->ids != KF_IDS_ALWAYS &&
		s->n + has_file(s) + has_face(s) == 1)
		fputs("\"\"", s->file);
}

static void write_photograph(const struct kf_save *s, const struct kf_chunk *c,
	size_t i)
{
	char text[KF_TEXT_MAX + 1];

	if (has_file(s)) {
		if (kf_texts_get(c->file, s->schema->file_width, i, text) == 0)
			write_nothing(s);
		write_text(s, text, USUAL "/");
		end_front(s, has_face(s));
	}
	if (has_face(s)) {
		fprintf(s->file, "%lld", (long long)c->face[i]);
		end_front(s, false);
	}
}

static int write_values(struct kf_save *s, const struct kf_chunk *c, size_t i,
	struct kf_err *err)
{
	const float *y = c->y + i * (size_t)s->schema->columns.n;
	const float *p = c->p + i * (size_t)s->schema->p_columns.n;

	if (s->ids == KF_IDS_ALWAYS) {
		fprintf(s->file, "%lld", (long long)c->id[i]);
		end_front(s, has_file(s) || has_face(s));
	} else if (s->ids == KF_IDS_COUNTED && c->id[i] != (int64_t)s->rows + 1)
		return kf_fail(err,
			"row %llu has the id %lld: give --ids for a "
			"column of ids, or --no-ids to drop them",
			(unsigned long long)s->rows + 1, (long long)c->id[i]);
	write_photograph(s, c, i);
	if (has_labels(s))
		fprintf(s->file, "%lld,", (long long)c->label[i]);
	for (int j = 0; j < s->n; j++) {
		const struct kf_save_column *column = &s->column[j];
		float v = (column->predicted ? p : y)[column->at];

		if (isinf(v))
			return kf_fail(err,
				"row %llu, column '%s': an infinity; CSV "
				"holds numbers only",
				(unsigned long long)s->rows + 1, column->name);
		if (isnan(v))
			write_nothing(s);
		kf_save_number(s->file, v);
		end_field(s, j == s->n - 1);
	}
	return 0;
}

static void write_image(struct kf_save *s, const uint8_t *pixel, size_t pixels,
	const struct pixel_text table[256], char *text)
{
	fwrite(text, 1, print_image(pixel, pixels, table, text), s->file);
	fputc('\n', s->file);
}

int kf_save_rows(struct kf_save *s, const struct kf_chunk *chunk, struct kf_err *err)
{
	size_t pixels = kf_image_bytes(s->schema);
	const uint8_t *X = chunk->X; /* NULL without images */
	struct pixel_text table[256];
	char *text = malloc(4 * pixels);
	int rc = text ? 0 : kf_fail_memory(err);

	fill_table(table);
	for (size_t i = 0; i < chunk->n && rc == 0; i++) {
		rc = write_values(s, chunk, i, err);
		if (rc < 0)
			break;
		if (has_images(s))
			write_image(s, X + i * pixels, pixels, table, text);
		s->rows++;
	}
	free(text);
	return rc < 0 ? -1 : kf_save_flush(s, err);
}
