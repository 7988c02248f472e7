/* A submission by a lookup table. */
#include "formats/submission.h"

#include <csv.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "formats/fields.h"
#include "formats/lines.h"
#include "formats/save_csv.h"

#define ROW_BYTES ((size_t)64 << 10) /* of a row of the table */

/* The columns that are used; others may hold anything. */
enum { ROW_ID, IMAGE_ID, FEATURE, USED, IGNORED = USED };

static const char *const used[USED] = { "RowId", "ImageId", "FeatureName" };

/* One row of the table. */
struct wanted {
	int64_t row_id, image;
	int column;    /* of p */
	float value;   /* NAN until it has come */
	uint32_t line; /* of the table */
};

struct kf_submission {
	const char *name;
	const struct kf_schema *schema;
	struct wanted *row; /* (n): by image while rows are added, else by line */
	size_t n, room;
};

/* -- reading the table ------------------------------------------------------------ */

struct table {
	struct kf_submission *s;
	struct kf_lines lines;
	uint64_t line; /* at hand: of the last row, where its end is missing */
	struct csv_parser parser;
	bool in_header;
	int *role; /* (columns), of the enum */
	int columns;
	int field;    /* of the row at hand, */
	size_t bytes; /* that libcsv has of it */
	struct wanted row;
	bool failed;
	struct kf_err *err;
};

/* A failure in the line at hand, which libcsv's callbacks leave behind. */
__attribute__((format(printf, 2, 3))) static int fail_at(struct table *t,
	const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	t->failed = true;
	return kf_fail(t->err, "'%s', line %llu: %s", t->s->name,
		(unsigned long long)t->line, text);
}

static void take_name(struct table *t, const char *text)
{
	int role = 0, *more = realloc(t->role, (size_t)(t->columns + 1) * sizeof *more);

	if (!more) {
		fail_at(t, "out of memory");
		return;
	}
	t->role = more;
	while (role < USED && strcmp(used[role], text))
		role++;
	for (int i = 0; i < t->columns && role != IGNORED; i++)
		if (t->role[i] == role)
			fail_at(t, "there are two columns '%s'", used[role]);
	t->role[t->columns++] = role;
}

static void take_feature(struct table *t, const char *text)
{
	const struct kf_names *names = &t->s->schema->p_columns;

	t->row.column = kf_names_find(names, text);
	if (t->row.column < 0)
		fail_at(t, "there are no predictions of '%.100s'", text);
	else if (kf_axis(text) < 0)
		fail_at(t, "'%.100s' is no keypoint: it ends neither in _x nor in _y",
			text);
}

/* libcsv's callback for a field; behind its text is a NUL. */
static void on_field(void *data, size_t len, void *user)
{
	struct table *t = user;
	const char *text = data;
	struct kf_err why;
	int64_t *id;

	if (t->failed)
		return;
	if (strlen(text) != len) {
		fail_at(t, "there is a NUL byte");
		return;
	}
	if (t->in_header) {
		take_name(t, text);
		return;
	}
	if (t->field < t->columns && t->role[t->field] == FEATURE) {
		take_feature(t, text);
	} else if (t->field < t->columns && t->role[t->field] != IGNORED) {
		id = t->role[t->field] == ROW_ID ? &t->row.row_id : &t->row.image;
		if (kf_field_id(text, len, id, &why) < 0)
			fail_at(t, "%s: %s", used[t->role[t->field]], why.msg);
	}
	t->field++;
}

static void end_header(struct table *t)
{
	for (int role = 0; role < USED && !t->failed; role++) {
		int i = 0;

		while (i < t->columns && t->role[i] != role)
			i++;
		if (i == t->columns)
			fail_at(t, "there is no column '%s'", used[role]);
	}
	t->in_header = false;
}

static void add_wanted(struct table *t)
{
	struct kf_submission *s = t->s;

	if (s->n == KF_SUBMISSION_MAX) {
		fail_at(t, "more than %zu rows", KF_SUBMISSION_MAX);
		return;
	}
	if (s->n == s->room) {
		size_t room = s->room ? 2 * s->room : 1024;
		struct wanted *more = realloc(s->row, room * sizeof *more);

		if (!more) {
			fail_at(t, "out of memory");
			return;
		}
		s->row = more;
		s->room = room;
	}
	t->row.value = NAN;
	t->row.line = (uint32_t)t->line;
	s->row[s->n++] = t->row;
}

/* libcsv's callback for the end of a row. */
static void on_row(int terminator, void *user)
{
	struct table *t = user;

	(void)terminator;
	if (t->failed)
		return;
	if (t->in_header)
		end_header(t);
	else if (t->field != t->columns)
		fail_at(t, "%d fields, but the header has %d", t->field, t->columns);
	else
		add_wanted(t);
	t->field = 0;
	t->bytes = 0;
}

/* Gives libcsv a line: 1, 0 at the end, -1. */
static int feed_line(struct table *t)
{
	struct kf_input *in = t->lines.in;
	ssize_t n = kf_lines_whole(&t->lines, ROW_BYTES - t->bytes, t->err);

	if (n < 0)
		return -1;
	if (n > 0)
		t->line = t->lines.next;
	if (n > (ssize_t)(ROW_BYTES - t->bytes))
		return fail_at(t, "a row of more than %zu bytes; is this CSV?",
			ROW_BYTES);
	t->bytes += (size_t)n;
	if (n == 0 && csv_fini(&t->parser, on_field, on_row, t) && !t->failed)
		fail_at(t, "a quote is not closed");
	if (n > 0 &&
		csv_parse(&t->parser, in->at, (size_t)n, on_field, on_row, t) !=
			(size_t)n &&
		!t->failed)
		fail_at(t, "a quote in the wrong place");
	if (n > 0 && !t->failed)
		kf_lines_use(&t->lines, (size_t)n);
	return t->failed ? -1 : n > 0;
}

static int read_table(struct kf_submission *s, struct kf_input *in, struct kf_err *err)
{
	struct table t = { .s = s, .in_header = true, .err = err };
	int rc = kf_input_check(in, err);

	if (rc < 0 || kf_lines_open(&t.lines, in, err) < 0)
		return -1;
	if (csv_init(&t.parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL))
		return kf_fail(err, "out of memory");
	do
		rc = feed_line(&t);
	while (rc > 0);
	csv_free(&t.parser);
	free(t.role);
	if (rc == 0 && s->n == 0)
		return kf_fail(err, "'%s' asks for nothing: it has no rows", s->name);
	return rc;
}

/* -- orders ---------------------------------------------------------------------- */

static int compare(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int by_row_id(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;
	int order = compare(x->row_id, y->row_id);

	return order ? order : compare(x->line, y->line);
}

static int by_image(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;

	return compare(x->image, y->image);
}

static int by_line(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;

	return compare(x->line, y->line);
}

static int check_row_ids(struct kf_submission *s, struct kf_err *err)
{
	qsort(s->row, s->n, sizeof *s->row, by_row_id);
	for (size_t i = 1; i < s->n; i++)
		if (s->row[i].row_id == s->row[i - 1].row_id)
			return kf_fail(err,
				"'%s', line %lu: RowId %lld is that of "
				"line %lu, too",
				s->name, (unsigned long)s->row[i].line,
				(long long)s->row[i].row_id,
				(unsigned long)s->row[i - 1].line);
	return 0;
}

/* -- predictions ------------------------------------------------------------------- */

struct kf_submission *kf_submission_open(int fd, const char *name,
	const struct kf_schema *schema, struct kf_err *err)
{
	struct kf_submission *s;
	struct kf_input in;
	int rc;

	if (schema->p_columns.n == 0) {
		kf_fail(err,
			"there are no predictions; pipe the stream through "
			"kfkd-predict");
		return NULL;
	}
	s = calloc(1, sizeof *s);
	if (!s || kf_input_open(&in, fd, name, err) < 0) {
		free(s);
		kf_fail(err, "out of memory");
		return NULL;
	}
	s->name = name;
	s->schema = schema;
	rc = read_table(s, &in, err);
	kf_input_close(&in);
	if (rc < 0 || check_row_ids(s, err) < 0) {
		kf_submission_free(s);
		return NULL;
	}
	qsort(s->row, s->n, sizeof *s->row, by_image);
	return s;
}

/* From p to pixels, within the image. */
static float location(const struct kf_schema *s, int column, float p)
{
	int axis = kf_axis(s->p_columns.name[column]);
	const struct kf_scale *scale = &s->p_scale[axis];
	double most = axis == 0 ? s->w : s->h, v = p;

	if (scale->factor != 0)
		v = v * scale->factor + scale->offset;
	return (float)(!(v > 0) ? 0 : v > most ? most : v);
}

/* The first row of the table that asks for the image, or n. */
static size_t find_image(const struct kf_submission *s, int64_t image)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->row[middle].image < image)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int kf_submission_add(struct kf_submission *s, const struct kf_chunk *chunk,
	struct kf_err *err)
{
	size_t k = (size_t)s->schema->p_columns.n;

	for (size_t i = 0; i < chunk->n; i++)
		for (size_t j = find_image(s, chunk->id[i]);
			j < s->n && s->row[j].image == chunk->id[i]; j++) {
			struct wanted *w = &s->row[j];
			float p = chunk->p[i * k + (size_t)w->column];

			if (!isnan(w->value))
				return kf_fail(err, "image %lld is in the stream twice",
					(long long)w->image);
			if (!isfinite(p))
				return kf_fail(err,
					"image %lld, column '%s': the "
					"prediction is not a number",
					(long long)w->image,
					s->schema->p_columns.name[w->column]);
			w->value = location(s->schema, w->column, p);
		}
	return 0;
}

int kf_submission_write(struct kf_submission *s, FILE *file, const char *to,
	struct kf_err *err)
{
	qsort(s->row, s->n, sizeof *s->row, by_line);
	for (size_t i = 0; i < s->n; i++)
		if (isnan(s->row[i].value))
			return kf_fail(err,
				"'%s', line %lu: image %lld is not in the "
				"stream",
				s->name, (unsigned long)s->row[i].line,
				(long long)s->row[i].image);
	fputs("RowId,Location\n", file);
	for (size_t i = 0; i < s->n; i++) {
		fprintf(file, "%lld,", (long long)s->row[i].row_id);
		kf_save_number(file, s->row[i].value);
		fputc('\n', file);
	}
	if (fflush(file) || ferror(file))
		return kf_fail_errno(err, "cannot write '%s'", to);
	return 0;
}

void kf_submission_free(struct kf_submission *s)
{
	if (!s)
		return;
	free(s->row);
	free(s);
}
