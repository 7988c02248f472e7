/* A tensor stream as CSV. */
#define _GNU_SOURCE
#include "formats/save_csv.h"

#include <csv.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rows/classes.h"
#include "stream/texts.h"

/* What is before the name of a column of p where y is beside it. */
#define PREDICTED "predicted_"

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

/* What may stand before the values of a row, in this order. */
static const char *const front_name[KF_SAVE_FRONT] = { "ImageId", "name", "file",
	"face", "label" };

static bool has_front(const struct kf_save *s, int which)
{
	const struct kf_schema *schema = s->schema;

	switch (which) {
	case KF_SAVE_ID: return s->ids == KF_IDS_ALWAYS;
	case KF_SAVE_NAME: return schema->name_width > 0;
	/* Kaggle's layout, which has images, does without these. */
	case KF_SAVE_FILE: return !has_images(s) && schema->file_width;
	case KF_SAVE_FACE: return !has_images(s) && schema->has_face;
	case KF_SAVE_LABEL:
		return schema->has_label &&
			(s->truth || (!s->predictions && !has_images(s)));
	}
	return false;
}

/* -- columns ------------------------------------------------------------------- */

/* What comes before them; those of y, each with that of p of the same name behind it, then the others of p. */
static int find_columns(struct kf_save *s, struct kf_err *err)
{
	static const struct kf_names none;
	bool targets = s->truth || !s->predictions;
	const struct kf_names *y = targets ? &s->schema->columns : &none;
	const struct kf_names *p = s->predictions ? &s->schema->p_columns : &none;
	struct kf_save_column *c;

	s->n_front = 0;
	for (int i = 0; i < KF_SAVE_FRONT; i++)
		if (has_front(s, i))
			s->front[s->n_front++] = i;
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
	if (has_images(s) || s->n_front || s->n)
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
	if (s->truth && c->predicted)
		return false;         /* it has a prefix */
	if (!strcmp(c->name, "name")) /* kfkd-load would take it for one */
		return true;
	for (int i = 0; i < s->n_front; i++)
		if (!strcmp(c->name, front_name[s->front[i]]))
			return true;
	return s->truth && !strncmp(c->name, PREDICTED, prefix) &&
		kf_names_find(&s->schema->p_columns, c->name + prefix) >= 0;
}

static int check_schema(const struct kf_save *s, struct kf_err *err)
{
	if (kf_save_check(s, err) < 0)
		return -1;
	if (s->schema->has_label && !s->predictions && has_images(s))
		return kf_fail(err,
			"the stream has labels; CSV with images holds targets only");
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

/* The name of a column, in quotes if there is anything unusual in it. */
static void write_name(const struct kf_save *s, const struct kf_save_column *c)
{
	static const char usual[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
	const char *name = c->name;
	char text[300]; /* a name has 200 bytes at most */

	if (s->truth && c->predicted) {
		snprintf(text, sizeof text, PREDICTED "%s", c->name);
		name = text;
	}
	if (name[strspn(name, usual)])
		csv_fwrite(s->file, name, strlen(name));
	else
		fputs(name, s->file);
}

/* After field i of a line, of those in front and those of values. */
static void end_field(const struct kf_save *s, int i)
{
	bool last = i == s->n_front + s->n - 1 && !has_images(s);

	fputc(last ? '\n' : ',', s->file);
}

int kf_save_header(struct kf_save *s, struct kf_err *err)
{
	if (find_columns(s, err) < 0 || check_schema(s, err) < 0)
		return -1;
	for (int i = 0; i < s->n_front; i++) {
		fputs(front_name[s->front[i]], s->file);
		end_field(s, i);
	}
	for (int i = 0; i < s->n; i++) {
		write_name(s, &s->column[i]);
		end_field(s, s->n_front + i);
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
	if (!has_images(s) && s->n_front + s->n == 1)
		fputs("\"\"", s->file);
}

/* A text, in quotes if it needs them. */
static void write_text(const struct kf_save *s, const char *text)
{
	size_t n = strlen(text);

	if (n == 0)
		write_nothing(s);
	else if (strpbrk(text, ",\"") || *text == ' ' || text[n - 1] == ' ')
		csv_fwrite(s->file, text, n);
	else
		fwrite(text, 1, n, s->file);
}

/* The text of a row of a tensor. */
static void write_row_text(const struct kf_save *s, const char *tensor, int width,
	size_t row)
{
	char text[KF_TEXT_MAX + 1];

	kf_texts_get(tensor, width, row, text);
	write_text(s, text);
}

static void write_label(const struct kf_save *s, int64_t label)
{
	char number[KF_CLASS_NUMBER];

	write_text(s, kf_class_text(&s->schema->class_names, label, number));
}

/* What stands before the values of row i. */
static void write_front(const struct kf_save *s, const struct kf_chunk *c, size_t i,
	int which)
{
	switch (which) {
	case KF_SAVE_ID: fprintf(s->file, "%lld", (long long)c->id[i]); break;
	case KF_SAVE_NAME: write_row_text(s, c->name, s->schema->name_width, i); break;
	case KF_SAVE_FILE: write_row_text(s, c->file, s->schema->file_width, i); break;
	case KF_SAVE_FACE: fprintf(s->file, "%lld", (long long)c->face[i]); break;
	case KF_SAVE_LABEL: write_label(s, c->label[i]); break;
	}
}

static int write_values(struct kf_save *s, const struct kf_chunk *c, size_t i,
	struct kf_err *err)
{
	const float *y = c->y + i * (size_t)s->schema->columns.n;
	const float *p = c->p + i * (size_t)s->schema->p_columns.n;

	if (s->ids == KF_IDS_COUNTED && c->id[i] != (int64_t)s->rows + 1)
		return kf_fail(err,
			"row %llu has the id %lld: give --ids for a "
			"column of ids, or --no-ids to drop them",
			(unsigned long long)s->rows + 1, (long long)c->id[i]);
	for (int j = 0; j < s->n_front; j++) {
		write_front(s, c, i, s->front[j]);
		end_field(s, j);
	}
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
		end_field(s, s->n_front + j);
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
