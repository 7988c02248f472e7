/* A submission according to a lookup table. */
#define _GNU_SOURCE
#include "formats/submission.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formats/csv_rows.h"
#include "formats/fields.h"
#include "formats/save.h"

#define ROW_BYTES ((size_t)64 << 10) /* of a row of the table */

/* The columns that are used; others may hold anything. */
enum { ROW_ID, IMAGE_ID, FEATURE, USED, IGNORED = USED };

static const char *const used[USED] = { "RowId", "ImageId", "FeatureName" };

/* One row of the table. */
struct wanted {
	int64_t row_id, image;
	int column;    /* of p */
	float value;   /* NAN until its image has come */
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
	struct kf_csv rows;
	int *role;   /* (columns), of the enum */
	char *first; /* the name of the first column */
	bool in_header;
	struct wanted row; /* the current one */
};

static int take_name(struct table *t, int field, const char *text, struct kf_err *err)
{
	int role = 0, *more = realloc(t->role, (size_t)(field + 1) * sizeof *more);

	if (!more)
		return kf_fail_memory(err);
	t->role = more;
	if (field == 0 && !(t->first = strdup(text)))
		return kf_fail_memory(err);
	while (role < USED && strcmp(used[role], text))
		role++;
	for (int i = 0; i < field && role != IGNORED; i++)
		if (t->role[i] == role)
			return kf_fail(err, "there are two columns '%s'", used[role]);
	t->role[field] = role;
	return 0;
}

static int take_feature(struct table *t, const char *text, struct kf_err *err)
{
	const struct kf_names *names = &t->s->schema->p_columns;

	t->row.column = kf_names_find(names, text);
	if (t->row.column < 0)
		return kf_fail(err, "there are no predictions of '%.100s'", text);
	if (kf_axis(text) < 0)
		return kf_fail(err,
			"'%.100s' is no keypoint: it ends neither in _x nor in _y",
			text);
	return 0;
}

static int take_field(void *user, int field, char *text, size_t len, struct kf_err *err)
{
	struct table *t = user;
	int role;
	int64_t *id;

	if (t->in_header)
		return take_name(t, field, text, err);
	role = t->role[field];
	if (role == IGNORED)
		return 0;
	if (role == FEATURE)
		return take_feature(t, text, err);
	id = role == ROW_ID ? &t->row.row_id : &t->row.image;
	if (kf_field_id(text, len, id, err) == 0)
		return 0;
	return kf_place(err, "'%s', line %llu: %s", t->s->name,
		(unsigned long long)t->rows.last_line, used[role]);
}

/*
 * All columns that are used must be there; what follows the last of them may be
 * missing in a row, as it is in Kaggle's table.
 */
static int check_header(struct table *t, struct kf_err *err)
{
	for (int role = 0; role < USED; role++) {
		int i = 0;

		while (i < t->rows.columns && t->role[i] != role)
			i++;
		if (i == t->rows.columns)
			return kf_fail(err, "there is no column '%s'%s", used[role],
				kf_csv_separator_hint(t->first));
		if (i >= t->rows.least)
			t->rows.least = i + 1;
	}
	return 0;
}

static int add_wanted(struct kf_submission *s, const struct table *t,
	struct kf_err *err)
{
	if (s->n == KF_SUBMISSION_MAX)
		return kf_fail(err, "more than %zu rows", KF_SUBMISSION_MAX);
	if (s->n == s->room) {
		size_t room = s->room ? 2 * s->room : 1024;
		struct wanted *more = realloc(s->row, room * sizeof *more);

		if (!more)
			return kf_fail_memory(err);
		s->row = more;
		s->room = room;
	}
	s->row[s->n] = t->row;
	s->row[s->n].value = NAN;
	s->row[s->n++].line = (uint32_t)t->rows.last_line;
	return 0;
}

/* The header, then all rows: 0 at the end, or -1. */
static int read_rows(void *user, struct kf_err *err)
{
	struct table *t = user;
	int rc = kf_csv_row(&t->rows, err);

	if (rc > 0 && check_header(t, err) < 0)
		return -1;
	t->in_header = false;
	while (rc > 0) {
		rc = kf_csv_row(&t->rows, err);
		if (rc > 0 && add_wanted(t->s, t, err) < 0)
			return -1;
	}
	return rc;
}

static int read_table(struct kf_submission *s, struct kf_input *in, struct kf_err *err)
{
	struct table t = { .s = s, .in_header = true };
	int rc = kf_csv_table(&t.rows, in, ROW_BYTES, take_field, read_rows, &t, err);

	free(t.role);
	free(t.first);
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
		kf_fail_memory(err);
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

/* A prediction in pixels, clamped to the image. */
static float location(const struct kf_schema *s, int column, float p)
{
	int axis = kf_axis(s->p_columns.name[column]);
	double most = axis == 0 ? s->w : s->h, v = kf_unscale(p, s->p_scale[axis]);

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
