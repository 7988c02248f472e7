/* Kaggle's CSV of faces, row by row. */
#define _GNU_SOURCE
#include "formats/faces_csv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/csv_rows.h"
#include "formats/fields.h"
#include "formats/parse_pixels.h"
#include "stream/texts.h"

/* What a column is: the number of its target, or one of these. */
enum { IMAGE = -1, IMAGE_ID = -2, IGNORED = -3, NAME = -4 };

struct csv {
	struct kf_loader l;
	struct kf_csv rows;
	bool ahead;     /* chunk has the first row already, read to find the size */
	bool in_header; /* that is the current row */
	struct kf_names header; /* as it is: names may be empty or there twice */
	int *role;              /* (header.n) */
	/* The current row. */
	uint64_t row; /* its number, from 1 */
	size_t usual; /* length of the last plain one */
	int64_t id;
	char name[KF_NAME_WIDTH];
	float *y; /* (schema.columns.n) */
};

static size_t pixels(const struct csv *c)
{
	return (size_t)c->l.schema.w * (size_t)c->l.schema.h;
}

/* Where the pixels of the current row go; NULL while their number is unknown. */
static uint8_t *image(struct csv *c)
{
	uint8_t *X = c->l.chunk.X;

	return X ? X + c->l.chunk.n * pixels(c) : NULL;
}

/* Puts the current row and, unless negative, a column of it before the
 * message of a failure. */
static int place(const struct csv *c, int column, struct kf_err *err)
{
	const char *name = c->l.in->name;
	unsigned long long line = c->rows.first_line, row = c->row;

	if (c->in_header)
		return kf_place(err, "'%s', line %llu", name, line);
	if (column < 0 || column >= c->header.n)
		return kf_place(err, "'%s', line %llu, row %llu", name, line, row);
	return kf_place(err, "'%s', line %llu, row %llu, column '%s'", name, line, row,
		c->header.name[column]);
}

/* -- one field ----------------------------------------------------------------- */

static bool is_blank(char ch)
{
	return ch == ' ' || ch == '\t';
}

/* Allocates a full chunk, now that the image size is known. */
static int reserve(struct csv *c, struct kf_err *err)
{
	return kf_chunk_reserve(&c->l.chunk, &c->l.schema, kf_chunk_rows(&c->l.schema),
		err);
}

/* Infers the image size from the number of pixels in the first one. */
static int guess_size(struct csv *c, size_t n, struct kf_err *err)
{
	int side = (int)lround(sqrt((double)n));

	if ((size_t)side * (size_t)side != n)
		return kf_fail(err,
			"%zu pixels do not make a square image; "
			"give its size with --size",
			n);
	c->l.schema.w = c->l.schema.h = side;
	return reserve(c, err);
}

static int take_image(struct csv *c, const char *text, size_t len, struct kf_err *err)
{
	int64_t n;

	if (c->l.schema.w == 0) {
		n = kf_field_pixels(text, len, NULL, 0, err);
		if (n < 0 || (n > 0 && guess_size(c, (size_t)n, err) < 0))
			return -1;
	}
	n = kf_field_pixels(text, len, image(c), pixels(c), err);
	if (n == 0)
		return kf_fail(err, "there are no pixels");
	if (n > 0 && (size_t)n != pixels(c))
		return kf_fail(err, "%lld pixels, not %d x %d = %zu", (long long)n,
			c->l.schema.w, c->l.schema.h, pixels(c));
	return n < 0 ? -1 : 0;
}

static int take_value(struct csv *c, int role, char *text, size_t len,
	struct kf_err *err)
{
	if (role == NAME) /* spaces inside quotes are its own */
		return kf_field_name(text, len, c->name, err);
	for (; len > 0 && is_blank(*text); len--)
		text++;
	for (; len > 0 && is_blank(text[len - 1]); len--)
		text[len - 1] = '\0';
	switch (role) {
	case IMAGE: return take_image(c, text, len, err);
	case IMAGE_ID: return kf_field_id(text, len, &c->id, err);
	case IGNORED: return 0;
	default: return kf_field_target(text, len, &c->y[role], err);
	}
}

static int take_column(struct csv *c, const char *text, struct kf_err *err)
{
	if (c->header.n == KF_COLUMNS_MAX)
		return kf_fail(err, "more than %d columns", KF_COLUMNS_MAX);
	if (kf_names_add(&c->header, text) < 0)
		return kf_fail_memory(err);
	return 0;
}

static int take_field(void *user, int field, char *text, size_t len, struct kf_err *err)
{
	struct csv *c = user;

	return c->in_header ? take_column(c, text, err) :
			      take_value(c, c->role[field], text, len, err);
}

/* -- rows ----------------------------------------------------------------------- */

/*
 * Reads a row in place, where each field is in its usual form, without quotes or extra
 * spaces.  Returns where the row ends, with its line or the text, or NULL for anything
 * unusual or wrong, which is left to libcsv and the functions above.
 */
static const char *plain_row(struct csv *c, const char *p)
{
	for (int i = 0; i < c->header.n; i++) {
		int role = c->role[i];

		if (i > 0 && *p++ != ',')
			return NULL;
		if (role == IMAGE)
			p = kf_parse_pixels(p, image(c), pixels(c));
		else if (role == IMAGE_ID)
			p = kf_plain_id(p, &c->id);
		else if (role == IGNORED)
			p = kf_plain_text(p);
		else if (role == NAME)
			p = kf_plain_name(p, c->name);
		else
			p = kf_plain_target(p, &c->y[role]);
		if (!p)
			return NULL;
	}
	return *p == '\n' || *p == '\r' || *p == '\0' ? p : NULL;
}

/*
 * A row that seems to be in memory, being as long as the last, is read without looking
 * for the end of its line first.  Its length with that end, or 0.
 */
static size_t row_at_hand(struct csv *c)
{
	const struct kf_input *in = c->l.in;
	const char *end = in->n < c->usual ? NULL : plain_row(c, in->at);
	size_t n = end ? (size_t)(end - in->at) + 1 : in->n;

	if (n >= in->n || *end == '\0')
		return 0; /* more may belong to it */
	return *end == '\r' && end[1] == '\n' ? n + 1 : n;
}

/* The same of a line of n bytes that is in memory. */
static size_t row_of_line(struct csv *c, size_t n)
{
	const char *line = c->l.in->at, *end = plain_row(c, line);

	return end && (*end != '\0' || end == line + n) ? n : 0;
}

/* One row after the header: 1, 0 at the end of the input, -1. */
static int next_row(struct csv *c, struct kf_err *err)
{
	bool known = c->l.chunk.room > 0; /* the size of an image */
	bool in_place = known && !c->l.options->libcsv_only;
	size_t plain = 0;
	ssize_t n = 0;
	int rc = -1;

	c->id = (int64_t)++c->row;
	if (in_place)
		plain = row_at_hand(c);
	if (!plain)
		n = kf_csv_peek(&c->rows, err);
	if (in_place && n > 0)
		plain = row_of_line(c, (size_t)n);
	if (plain) {
		kf_lines_use(&c->rows.lines, plain);
		c->usual = plain;
		return 1;
	}
	if (n >= 0)
		rc = kf_csv_row(&c->rows, err);
	return rc < 0 ? place(c, c->rows.field, err) : rc;
}

/* One row into the chunk. */
static int add_row(struct csv *c, struct kf_err *err)
{
	size_t m = (size_t)c->l.schema.columns.n, i = c->l.chunk.n;
	int rc = next_row(c, err);

	if (rc <= 0)
		return rc;
	c->l.chunk.id[i] = c->id;
	if (c->l.schema.name_width)
		kf_texts_set(c->l.chunk.name, KF_NAME_WIDTH, i, c->name);
	if (m)
		memcpy(c->l.chunk.y + i * m, c->y, m * sizeof *c->y);
	c->l.chunk.n++;
	return 1;
}

/* -- opening -------------------------------------------------------------------- */

/* 0 for what may be a target.  A column without a name is none: pandas and R write
 * the numbers of the rows into it. */
static int special_role(const char *name)
{
	if (!strcmp(name, "Image"))
		return IMAGE;
	if (!strcmp(name, "ImageId"))
		return IMAGE_ID;
	if (!strcmp(name, "name"))
		return NAME;
	return *name ? 0 : IGNORED;
}

/* Lists the targets that there are. */
static int no_such_target(const struct csv *c, const char *name, struct kf_err *err)
{
	char list[200] = "";
	size_t n = 0;

	for (int i = 0; i < c->header.n && n < sizeof list - 1; i++)
		if (!special_role(c->header.name[i]))
			n += (size_t)snprintf(list + n, sizeof list - n, "%s%s",
				n ? "," : "", c->header.name[i]);
	if (n >= sizeof list)
		strcpy(list + sizeof list - 4, "...");
	return kf_fail(err,
		n ? "there is no target '%.60s', but %s" :
		    "there is no target '%.60s', nor any other%s",
		name, list);
}

/* The role of column i: columns that are not wanted may be called anything. */
static int role_of(struct csv *c, int i, struct kf_err *err)
{
	const struct kf_names *wanted = c->l.options->columns;
	const char *name = c->header.name[i];
	int role = special_role(name), target = c->l.schema.columns.n;

	if (wanted)
		target = kf_names_find(wanted, name);
	if (role == 0)
		role = target < 0 ? IGNORED : target;
	c->role[i] = role;
	if (role == IGNORED)
		return 0;
	if (kf_name_check(name, err) < 0)
		return -1;
	if (kf_names_find(&c->header, name) < i)
		return kf_fail(err, "there are two columns '%s'", name);
	if (role == NAME)
		c->l.schema.name_width = KF_NAME_WIDTH;
	if (role >= 0 && !wanted && kf_names_add(&c->l.schema.columns, name) < 0)
		return kf_fail_memory(err);
	return 0;
}

/* Decides what each column is. */
static int assign_roles(struct csv *c, struct kf_err *err)
{
	const struct kf_names *wanted = c->l.options->columns;

	if (kf_names_find(&c->header, "Image") < 0)
		return kf_fail(err, "there is no column 'Image'%s",
			kf_csv_separator_hint(c->header.name[0]));
	c->role = calloc((size_t)c->header.n, sizeof *c->role);
	if (!c->role)
		return kf_fail_memory(err);
	for (int i = 0; wanted && i < wanted->n; i++)
		if (special_role(wanted->name[i]) ||
			kf_names_find(&c->header, wanted->name[i]) < 0)
			return no_such_target(c, wanted->name[i], err);
	for (int i = 0; i < c->header.n; i++)
		if (role_of(c, i, err) < 0)
			return -1;
	if (wanted && kf_names_copy(&c->l.schema.columns, wanted) < 0)
		return kf_fail_memory(err);
	c->y = calloc((size_t)c->l.schema.columns.n + 1, sizeof *c->y);
	return c->y ? 0 : kf_fail_memory(err);
}

static int read_header(struct csv *c, struct kf_err *err)
{
	int rc;

	c->in_header = true;
	c->rows.most = KF_CSV_HEADER_MAX;
	c->rows.hint = "; is this CSV?";
	rc = kf_csv_row(&c->rows, err);
	if (rc == 0)
		return kf_fail(err, "'%s' has no header", c->l.in->name);
	if (rc < 0 || assign_roles(c, err) < 0)
		return place(c, -1, err);
	c->in_header = false;
	c->rows.most = KF_CSV_ROW_MAX;
	c->rows.hint = "";
	return 0;
}

static int read_first_row(struct csv *c, struct kf_err *err)
{
	int rc;

	if (c->l.schema.w > 0 && reserve(c, err) < 0)
		return -1;
	rc = add_row(c, err);
	if (rc == 0 && c->l.schema.w == 0)
		return kf_fail(err,
			"'%s' has a header but no rows, so the image size "
			"is unknown; give it with --size",
			c->l.in->name);
	c->ahead = true;
	return rc < 0 ? -1 : 0;
}

/* -- format --------------------------------------------------------------------- */

/* Anything may be a CSV. */
static bool claims(const unsigned char first[KF_FIRST_BYTES])
{
	(void)first;
	return true;
}

static int open_csv(struct kf_loader *l, struct kf_err *err)
{
	struct csv *c = (struct csv *)l;

	if (kf_csv_open(&c->rows, l->in, take_field, c, err) < 0)
		return -1;
	l->schema = (struct kf_schema){ .dtype = KF_U8,
		.c = 1,
		.w = l->options->w,
		.h = l->options->h };
	return read_header(c, err) < 0 || read_first_row(c, err) < 0 ? -1 : 0;
}

static int next_rows(struct kf_loader *l, struct kf_err *err)
{
	size_t full = kf_chunk_rows(&l->schema);
	struct csv *c = (struct csv *)l;
	int rc = 1;

	if (!c->ahead)
		l->chunk.n = 0;
	c->ahead = false;
	while (rc > 0 && l->chunk.n < full)
		rc = add_row(c, err);
	return rc < 0 ? -1 : l->chunk.n > 0;
}

static void close_csv(struct kf_loader *l)
{
	struct csv *c = (struct csv *)l;

	kf_csv_close(&c->rows);
	kf_names_free(&c->header);
	free(c->role);
	free(c->y);
}

const struct kf_format kf_faces_csv = { .name = "CSV",
	.takes_targets = true,
	.size = sizeof(struct csv),
	.claims = claims,
	.open = open_csv,
	.next = next_rows,
	.close = close_csv };
