/* Kaggle's CSV of faces, row by row. */
#define _GNU_SOURCE
#include "formats/faces_csv.h"

#include <csv.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/fields.h"
#include "formats/lines.h"
#include "formats/parse.h"

/* What a column is: the number of its target, or one of these. */
enum { IMAGE = -1, IMAGE_ID = -2, IGNORED = -3 };

struct csv {
	struct kf_loader l;
	bool ahead; /* chunk has the first row, read to know its size */
	struct kf_names header;
	int *role; /* (header.n) */
	bool in_header;
	struct csv_parser parser;
	struct kf_err *err; /* of the call under way; what goes wrong in */
	bool failed;        /* libcsv's callbacks shows here */
	/* Where the reader is: for messages. */
	struct kf_lines lines;
	uint64_t line; /* in which the row at hand began */
	uint64_t row;  /* counted from 1, without the header */
	/* The row at hand. */
	size_t bytes; /* that libcsv has of it */
	int field;    /* fields that libcsv has found */
	bool whole;
	int64_t id;
	float *y; /* (schema.columns.n) */
};

static size_t pixels(const struct csv *c)
{
	return (size_t)c->l.schema.w * (size_t)c->l.schema.h;
}

/* Where the pixels of the row at hand go. */
static uint8_t *image(struct csv *c)
{
	return (uint8_t *)c->l.chunk.X + c->l.chunk.n * pixels(c);
}

/* -- messages ------------------------------------------------------------------ */

/* A failure in the row at hand and, unless negative, in a column of it. */
__attribute__((format(printf, 3, 4))) static int fail_at(struct csv *c, int column,
	const char *fmt, ...)
{
	char place[300], text[400];
	int n = snprintf(place, sizeof place, "line %llu", (unsigned long long)c->line);
	va_list ap;

	if (!c->in_header)
		n += snprintf(place + n, sizeof place - (size_t)n, ", row %llu",
			(unsigned long long)c->row);
	if (!c->in_header && column >= 0 && column < c->header.n)
		snprintf(place + n, sizeof place - (size_t)n, ", column '%s'",
			c->header.name[column]);
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	c->failed = true;
	return kf_fail(c->err, "'%s', %s: %s", c->l.in->name, place, text);
}

/* -- one field ----------------------------------------------------------------- */

static bool is_blank(char ch)
{
	return ch == ' ' || ch == '\t';
}

/* Now that the image size is known: memory for a full chunk. */
static int reserve(struct csv *c, struct kf_err *err)
{
	return kf_chunk_reserve(&c->l.chunk, &c->l.schema, kf_chunk_rows(&c->l.schema),
		err);
}

/* The first image tells the size. */
static int guess_size(struct csv *c, size_t n, struct kf_err *why)
{
	int side = (int)lround(sqrt((double)n));

	if ((size_t)side * (size_t)side != n)
		return kf_fail(why,
			"%zu pixels do not make a square image; "
			"give its size with --size",
			n);
	c->l.schema.w = c->l.schema.h = side;
	return reserve(c, why);
}

static int take_image(struct csv *c, const char *text, size_t len, struct kf_err *why)
{
	int64_t n;

	if (c->l.schema.w == 0) {
		n = kf_field_pixels(text, len, NULL, 0, why);
		if (n < 0 || (n > 0 && guess_size(c, (size_t)n, why) < 0))
			return -1;
	}
	n = kf_field_pixels(text, len, image(c), pixels(c), why);
	if (n == 0)
		return kf_fail(why, "there are no pixels");
	if (n > 0 && (size_t)n != pixels(c))
		return kf_fail(why, "%lld pixels, not %d x %d = %zu", (long long)n,
			c->l.schema.w, c->l.schema.h, pixels(c));
	return n < 0 ? -1 : 0;
}

/* text has a NUL behind it. */
static int take_field(struct csv *c, char *text, size_t len, struct kf_err *why)
{
	int role = c->role[c->field];

	for (; len > 0 && is_blank(*text); len--)
		text++;
	for (; len > 0 && is_blank(text[len - 1]); len--)
		text[len - 1] = '\0';
	return role == IMAGE     ? take_image(c, text, len, why) :
		role == IMAGE_ID ? kf_field_id(text, len, &c->id, why) :
		role == IGNORED  ? 0 :
				   kf_field_target(text, len, &c->y[role], why);
}

static int take_name(struct csv *c, const char *text, struct kf_err *why)
{
	if (kf_name_check(text, why) < 0)
		return -1;
	if (kf_names_find(&c->header, text) >= 0)
		return kf_fail(why, "there are two columns '%s'", text);
	if (c->header.n == KF_COLUMNS_MAX)
		return kf_fail(why, "more than %d columns", KF_COLUMNS_MAX);
	kf_names_add(&c->header, text);
	return 0;
}

/* libcsv's callback for a field; behind its text is a NUL. */
static void on_field(void *text, size_t len, void *data)
{
	struct csv *c = data;
	struct kf_err why;
	int rc = 0;

	if (!c->failed && memchr(text, '\0', len))
		rc = kf_fail(&why, "there is a NUL byte");
	else if (!c->failed && c->in_header)
		rc = take_name(c, text, &why);
	else if (!c->failed && c->field < c->header.n)
		rc = take_field(c, text, len, &why);
	if (rc < 0)
		fail_at(c, c->field, "%s", why.msg);
	c->field++;
}

/* libcsv's callback for the end of a row. */
static void on_row(int terminator, void *data)
{
	struct csv *c = data;

	(void)terminator;
	if (!c->failed && !c->in_header && c->field != c->header.n)
		fail_at(c, -1, "%d fields, but the header has %d", c->field,
			c->header.n);
	c->whole = true;
}

/* -- rows ----------------------------------------------------------------------- */

/*
 * Reads a row in place, up to end: true where each field is just what it
 * should be, without quotes or further spaces.  False for anything else, be it
 * unusual or wrong: then libcsv and the functions above decide.
 */
static bool plain_row(struct csv *c, const char *p, const char *end)
{
	for (int i = 0; i < c->header.n; i++) {
		int role = c->role[i];

		if (i > 0 && *p++ != ',')
			return false;
		if (role == IMAGE)
			p = kf_parse_pixels(p, image(c), pixels(c));
		else if (role == IMAGE_ID)
			p = kf_plain_id(p, &c->id);
		else if (role == IGNORED)
			p = kf_plain_text(p);
		else
			p = kf_plain_target(p, &c->y[role]);
		if (!p)
			return false;
	}
	return p == end;
}

/* The number of bytes before a line's end, which may be of any kind. */
static size_t without_end(const char *line, size_t n)
{
	if (n > 0 && line[n - 1] == '\n')
		n--;
	if (n > 0 && line[n - 1] == '\r')
		n--;
	return n;
}

/* One line, whole in the buffer; its length, 0 at the end of the input, or -1. */
static ssize_t whole_line(struct csv *c)
{
	size_t most = c->in_header ? KF_CSV_HEADER_MAX : KF_CSV_ROW_MAX;
	ssize_t n = kf_lines_whole(&c->lines, most - c->bytes, c->err);

	if (n > (ssize_t)(most - c->bytes))
		return fail_at(c, -1, "a row of more than %zu bytes%s", most,
			c->in_header ? "; is this CSV?" : "");
	return n;
}

/* Gives libcsv a line; a quoted field may go on in the next. */
static int feed(struct csv *c, size_t n)
{
	if (csv_parse(&c->parser, c->l.in->at, n, on_field, on_row, c) != n &&
		!c->failed)
		fail_at(c, c->field,
			csv_error(&c->parser) == CSV_EPARSE ?
				"a quote in the wrong place" :
				"out of memory");
	c->bytes += n;
	kf_lines_use(&c->lines, n);
	return c->failed ? -1 : 0;
}

/* At the end of the input a row ends without a newline. */
static int feed_end(struct csv *c)
{
	if (csv_fini(&c->parser, on_field, on_row, c) != 0 && !c->failed)
		fail_at(c, c->field, "a quote is not closed");
	return c->failed ? -1 : c->whole;
}

static void start_row(struct csv *c)
{
	c->line = c->lines.next;
	c->bytes = 0;
	c->field = 0;
	c->whole = false;
}

/* One row: 1, 0 at the end of the input, -1. */
static int next_row(struct csv *c)
{
	start_row(c);
	if (!c->in_header)
		c->id = (int64_t)++c->row;
	while (!c->whole) {
		ssize_t n = whole_line(c);
		size_t text;

		if (n <= 0)
			return n < 0 ? -1 : feed_end(c);
		text = without_end(c->l.in->at, (size_t)n);
		if (c->bytes == 0 && strspn(c->l.in->at, " \t") == text) {
			kf_lines_use(&c->lines, (size_t)n);
			start_row(c);
		} else if (c->bytes == 0 && c->l.chunk.room > 0 &&
			!c->l.options->libcsv_only &&
			plain_row(c, c->l.in->at, c->l.in->at + text)) {
			kf_lines_use(&c->lines, (size_t)n);
			return 1;
		} else if (feed(c, (size_t)n) < 0) {
			return -1;
		}
	}
	return 1;
}

/* One row into the chunk. */
static int add_row(struct csv *c)
{
	size_t m = (size_t)c->l.schema.columns.n, i = c->l.chunk.n;
	int rc = next_row(c);

	if (rc <= 0)
		return rc;
	c->l.chunk.id[i] = c->id;
	if (m)
		memcpy(c->l.chunk.y + i * m, c->y, m * sizeof *c->y);
	c->l.chunk.n++;
	return 1;
}

/* -- opening -------------------------------------------------------------------- */

/* 0 for a target. */
static int special_role(const char *name)
{
	return !strcmp(name, "Image") ? IMAGE : !strcmp(name, "ImageId") ? IMAGE_ID : 0;
}

/* Says what could have been meant. */
static int no_such_target(struct csv *c, const char *name)
{
	char list[200] = "";
	size_t n = 0;

	for (int i = 0; i < c->header.n && n < sizeof list - 1; i++)
		if (!special_role(c->header.name[i]))
			n += (size_t)snprintf(list + n, sizeof list - n, "%s%s",
				n ? "," : "", c->header.name[i]);
	if (n >= sizeof list)
		strcpy(list + sizeof list - 4, "...");
	return fail_at(c, -1,
		n ? "there is no target '%.60s', but %s" :
		    "there is no target '%.60s', nor any other%s",
		name, list);
}

/* From the header to what each column is. */
static int assign_roles(struct csv *c)
{
	const struct kf_names *wanted = c->l.options->columns;

	if (kf_names_find(&c->header, "Image") < 0)
		return fail_at(c, -1, "there is no column 'Image'");
	c->role = calloc((size_t)c->header.n, sizeof *c->role);
	if (!c->role)
		return kf_fail(c->err, "out of memory");
	for (int i = 0; wanted && i < wanted->n; i++)
		if (special_role(wanted->name[i]) ||
			kf_names_find(&c->header, wanted->name[i]) < 0)
			return no_such_target(c, wanted->name[i]);
	for (int i = 0; i < c->header.n; i++) {
		const char *name = c->header.name[i];
		int target =
			wanted ? kf_names_find(wanted, name) : c->l.schema.columns.n;

		c->role[i] = special_role(name) ? special_role(name) :
			target < 0              ? IGNORED :
						  target;
		if (c->role[i] >= 0 && !wanted)
			kf_names_add(&c->l.schema.columns, name);
	}
	if (wanted)
		c->l.schema.columns = kf_names_copy(wanted);
	c->y = calloc((size_t)c->l.schema.columns.n + 1, sizeof *c->y);
	return c->y ? 0 : kf_fail(c->err, "out of memory");
}

static int read_header(struct csv *c)
{
	int rc;

	if (kf_lines_open(&c->lines, c->l.in, c->err) < 0)
		return -1;
	c->in_header = true;
	rc = next_row(c);
	if (rc == 0)
		return kf_fail(c->err, "'%s' has no header", c->l.in->name);
	if (rc < 0 || assign_roles(c) < 0)
		return -1;
	c->in_header = false;
	return 0;
}

static int read_first_row(struct csv *c)
{
	int rc;

	if (c->l.schema.w > 0 && reserve(c, c->err) < 0)
		return -1;
	rc = add_row(c);
	if (rc == 0 && c->l.schema.w == 0)
		return kf_fail(c->err,
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

	if (csv_init(&c->parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL))
		return kf_fail(err, "out of memory");
	csv_set_blk_size(&c->parser, 1 << 16);
	c->err = err;
	l->schema = (struct kf_schema){ .dtype = KF_U8,
		.c = 1,
		.w = l->options->w,
		.h = l->options->h };
	return read_header(c) < 0 || read_first_row(c) < 0 ? -1 : 0;
}

static int next_rows(struct kf_loader *l, struct kf_err *err)
{
	size_t full = kf_chunk_rows(&l->schema);
	struct csv *c = (struct csv *)l;
	int rc = 1;

	c->err = err;
	if (!c->ahead)
		l->chunk.n = 0;
	c->ahead = false;
	while (rc > 0 && l->chunk.n < full)
		rc = add_row(c);
	return rc < 0 ? -1 : l->chunk.n > 0;
}

static void close_csv(struct kf_loader *l)
{
	struct csv *c = (struct csv *)l;

	csv_free(&c->parser);
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
