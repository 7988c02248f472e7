/* Targets and labels from a CSV. */
#define _GNU_SOURCE
#include "formats/join.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formats/csv_rows.h"
#include "formats/fields.h"
#include "formats/keys.h"

#define ROW_BYTES ((size_t)17 << 20) /* with an image that is left alone */

/* What a column is; from TARGETS on, the target of that number. */
enum { IGNORED = -1, KEY = -2, LABEL = -3 };

struct kf_join_row {
	struct kf_key key;
	int64_t label;
	size_t at; /* of its values */
};

/* -- reading the table --------------------------------------------------------- */

struct table {
	struct kf_join *j;
	struct kf_csv rows;
	const struct kf_names *only;
	int *role;             /* (columns), of the enum */
	struct kf_names names; /* of all columns */
	int key[KF_BY_ID + 1]; /* the columns of ids, names and files, or -1 */
	bool in_header;
	struct kf_join_row row; /* the current one */
};

/* What rows may be found by: the kind, or -1. */
static int key_kind(const char *name)
{
	if (!strcmp(name, "ImageId"))
		return KF_BY_ID;
	for (int kind = 0; kind <= KF_BY_ID; kind++)
		if (!strcmp(name, kf_key_column((enum kf_key_kind)kind)))
			return kind;
	return -1;
}

static int find_role(struct table *t, int field, const char *name, struct kf_err *err)
{
	int *role = &t->role[field], kind = key_kind(name);
	struct kf_join *j = t->j;

	*role = IGNORED;
	if (kind >= 0) {
		if (t->key[kind] >= 0)
			return kf_fail(err, "both 'id' and 'ImageId' are columns");
		t->key[kind] = field;
	} else if (!strcmp(name, "label")) {
		j->has_label = true;
		*role = LABEL;
	} else if (strcmp(name, "Image") &&
		(!t->only->n || kf_names_find(t->only, name) >= 0)) {
		if (kf_name_check(name, err) < 0)
			return -1;
		if (j->columns.n == KF_COLUMNS_MAX)
			return kf_fail(err, "more than %d columns", KF_COLUMNS_MAX);
		*role = j->columns.n;
		if (kf_names_add(&j->columns, name) < 0)
			return kf_fail_memory(err);
	}
	return 0;
}

static int take_name(struct table *t, int field, const char *name, struct kf_err *err)
{
	int *more = realloc(t->role, (size_t)(field + 1) * sizeof *more);

	if (!more)
		return kf_fail_memory(err);
	t->role = more;
	if (kf_names_find(&t->names, name) >= 0)
		return kf_fail(err, "there are two columns '%.200s'", name);
	if (kf_names_add(&t->names, name) < 0)
		return kf_fail_memory(err);
	return find_role(t, field, name, err);
}

/* A class by its name or its number. */
static int take_label(struct table *t, const char *text, size_t len, struct kf_err *err)
{
	const struct kf_names *names = t->j->class_names;

	t->row.label = names ? kf_names_find(names, text) : -1;
	if (t->row.label >= 0)
		return 0;
	if (kf_field_id(text, len, &t->row.label, err) < 0)
		return -1;
	if (t->row.label >= INT_MAX)
		return kf_fail(err, "%lld is too large", (long long)t->row.label);
	return 0;
}

static int take_value(struct table *t, int role, const char *text, size_t len,
	struct kf_err *err)
{
	struct kf_join *j = t->j;

	switch (role) {
	case IGNORED: return 0;
	case KEY: return kf_key_take(&t->row.key, j->by, text, len, err);
	case LABEL: return take_label(t, text, len, err);
	default:
		return kf_field_target(text, len,
			j->value + j->n * (size_t)j->columns.n + role, err);
	}
}

static int take_field(void *user, int field, char *text, size_t len, struct kf_err *err)
{
	struct table *t = user;

	if (t->in_header)
		return take_name(t, field, text, err);
	if (take_value(t, t->role[field], text, len, err) == 0)
		return 0;
	return kf_place(err, "'%s', line %llu: %s", t->j->name,
		(unsigned long long)t->rows.last_line, t->names.name[field]);
}

/* Decides what rows are found by. */
static int choose_key(struct table *t, struct kf_err *err)
{
	const char *hint = t->names.n ? kf_csv_separator_hint(t->names.name[0]) : "";
	int by;

	if (*hint && t->key[KF_BY_ID] < 0)
		return kf_fail(err, "there is no column 'id' or 'ImageId'%s", hint);
	by = kf_key_choose(t->key, err);
	if (by < 0)
		return -1;
	t->j->by = (enum kf_key_kind)by;
	t->role[t->key[by]] = KEY;
	return 0;
}

static int check_header(struct table *t, struct kf_err *err)
{
	if (choose_key(t, err) < 0)
		return -1;
	for (int i = 0; i < t->only->n; i++)
		if (kf_names_find(&t->names, t->only->name[i]) < 0)
			return kf_fail(err, "there is no column '%.200s'",
				t->only->name[i]);
	if (!t->j->has_label && !t->j->columns.n)
		return kf_fail(err, "there is neither a label nor a target");
	return 0;
}

/* Makes room for one more row. */
static int grow(struct kf_join *j, struct kf_err *err)
{
	size_t room = j->room ? 2 * j->room : 1024;
	struct kf_join_row *row;
	float *value;

	if (j->n < j->room)
		return 0;
	row = realloc(j->row, room * sizeof *row);
	if (row)
		j->row = row;
	value = realloc(j->value, (room * (size_t)j->columns.n + 1) * sizeof *value);
	if (value)
		j->value = value;
	if (!row || !value)
		return kf_fail_memory(err);
	j->room = room;
	return 0;
}

/* The header, then all rows: 0 at the end, or -1. */
static int read_rows(void *user, struct kf_err *err)
{
	struct table *t = user;
	struct kf_join *j = t->j;
	int rc = kf_csv_row(&t->rows, err);

	if (rc < 0 || check_header(t, err) < 0)
		return -1;
	t->in_header = false;
	while ((rc = grow(j, err)) == 0 && (rc = kf_csv_row(&t->rows, err)) > 0) {
		if (j->has_label && t->row.label >= j->classes)
			j->classes = (int)t->row.label + 1;
		t->row.at = j->n;
		j->row[j->n++] = t->row;
		t->row.key.text = NULL;
	}
	return rc;
}

static int by_key(const void *a, const void *b)
{
	const struct kf_join_row *x = a, *y = b;

	return kf_key_order(&x->key, &y->key);
}

static int sort(struct kf_join *j, struct kf_err *err)
{
	char key[KF_KEY_TEXT];

	if (j->n > 0)
		qsort(j->row, j->n, sizeof *j->row, by_key);
	for (size_t i = 1; i < j->n; i++)
		if (!by_key(&j->row[i], &j->row[i - 1])) {
			kf_key_print(&j->row[i].key, j->by, key);
			return kf_fail(err, "'%s' has the %s twice", j->name, key);
		}
	return 0;
}

int kf_join_read(struct kf_join *j, int fd, const char *name,
	const struct kf_names *only, struct kf_err *err)
{
	struct table t = { .j = j,
		.only = only,
		.key = { -1, -1, -1 },
		.in_header = true };
	struct kf_input in;
	int rc;

	j->name = name;
	if (kf_input_open(&in, fd, name, err) < 0)
		return -1;
	rc = kf_csv_table(&t.rows, &in, ROW_BYTES, take_field, read_rows, &t, err);
	kf_input_close(&in);
	kf_names_free(&t.names);
	free(t.role);
	free(t.row.key.text);
	return rc < 0 ? -1 : sort(j, err);
}

/* -- joining ------------------------------------------------------------------- */

/* Where the table's targets are in a joined row, and names for those that are new. */
static int add_columns(struct kf_join *j, struct kf_names *names, struct kf_err *err)
{
	j->to = calloc((size_t)j->columns.n + 1, sizeof *j->to);
	if (!j->to)
		return kf_fail_memory(err);
	for (int i = 0; i < j->columns.n; i++) {
		const char *name = j->columns.name[i];

		j->to[i] = kf_names_find(names, name);
		if (j->to[i] >= 0)
			continue;
		if (names->n == KF_COLUMNS_MAX)
			return kf_fail(err, "more than %d columns", KF_COLUMNS_MAX);
		j->to[i] = names->n;
		if (kf_names_add(names, name) < 0)
			return kf_fail_memory(err);
	}
	return 0;
}

int kf_join_schema(struct kf_join *j, const struct kf_schema *in, struct kf_schema *out,
	struct kf_err *err)
{
	if (kf_key_check(j->by, in, err) < 0)
		return -1;
	if (j->columns.n && kf_schema_is_scaled(in))
		return kf_fail(err,
			"the stream is scaled, and the table is in pixels: "
			"join before kfkd-scale");
	if (kf_schema_copy(out, in, err) < 0)
		return -1;
	if (add_columns(j, &out->columns, err) < 0) {
		kf_schema_free(out);
		return -1;
	}
	if (in->class_names.n && j->classes > in->class_names.n) {
		kf_schema_free(out);
		return kf_fail(err, "'%s' has the label %d, and %d classes have names",
			j->name, j->classes - 1, in->class_names.n);
	}
	out->has_label |= j->has_label;
	if (j->classes > out->classes)
		out->classes = j->classes;
	return 0;
}

static int reserve(struct kf_join *j, size_t rows, size_t columns, struct kf_err *err)
{
	if (rows <= j->rows)
		return 0;
	free(j->y);
	free(j->label);
	j->y = malloc((rows * columns + 1) * sizeof *j->y);
	j->label = malloc(rows * sizeof *j->label);
	j->rows = j->y && j->label ? rows : 0;
	return j->rows ? 0 : kf_fail_memory(err);
}

/* The row of the table for row i of a chunk: 1, 0 where it keeps what it has, or -1. */
static int find_row(const struct kf_join *j, const struct kf_schema *schema,
	const struct kf_chunk *c, size_t i, const struct kf_join_row **row,
	struct kf_err *err)
{
	char text[KF_TEXT_MAX + 1], what[KF_KEY_TEXT];
	struct kf_join_row like = { .key = kf_key_of_row(j->by, schema, c, i, text) };

	*row = j->n ? bsearch(&like, j->row, j->n, sizeof like, by_key) : NULL;
	if (*row)
		return 1;
	kf_key_print(&like.key, j->by, what);
	if (!j->keep)
		return kf_fail(err, "'%s' has no row for the %s", j->name, what);
	if (j->has_label && !schema->has_label)
		return kf_fail(err, "'%s' has no label for the %s", j->name, what);
	return 0;
}

int kf_join_rows(struct kf_join *j, const struct kf_schema *schema,
	const struct kf_chunk *in, const struct kf_schema *joined, struct kf_chunk *out,
	struct kf_err *err)
{
	size_t m = (size_t)schema->columns.n, to = (size_t)joined->columns.n;
	size_t k = (size_t)j->columns.n;

	if (reserve(j, in->n, to, err) < 0)
		return -1;
	for (size_t i = 0; i < in->n; i++) {
		const struct kf_join_row *row;
		float *y = j->y + i * to;

		if (find_row(j, schema, in, i, &row, err) < 0)
			return -1;
		for (size_t c = 0; c < to; c++)
			y[c] = c < m ? in->y[i * m + c] : NAN;
		for (size_t c = 0; row && c < k; c++)
			y[j->to[c]] = j->value[row->at * k + c];
		if (row && j->has_label)
			j->label[i] = row->label;
		else if (schema->has_label)
			j->label[i] = in->label[i];
	}
	*out = *in;
	out->y = j->y;
	out->label = j->label;
	return 0;
}

void kf_join_free(struct kf_join *j)
{
	for (size_t i = 0; i < j->n; i++)
		free(j->row[i].key.text);
	kf_names_free(&j->columns);
	free(j->row);
	free(j->value);
	free(j->to);
	free(j->y);
	free(j->label);
	*j = (struct kf_join){ 0 };
}
