/* Choosing rows and columns. */
#include "rows/select.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "rows/filter.h"

/* -- rows ---------------------------------------------------------------------- */

int kf_select_begin(struct kf_select *s, const struct kf_schema *schema,
	struct kf_err *err)
{
	s->passed = 0;
	if (s->labels.n && !schema->has_label)
		return kf_fail(err, "there are no labels");
	if ((s->complete || s->missing) && !schema->columns.n)
		return kf_fail(err, "there are no targets, so none is missing");
	return kf_where_begin(&s->where, schema, err);
}

static bool among(const struct kf_ranges *r, int64_t number)
{
	return r->n == 0 || kf_ranges_hold(r, number);
}

/* Whether a row is chosen, before that is inverted: 1, 0 or -1.  What costs least comes
 * first. */
static int chosen(struct kf_select *s, const struct kf_schema *schema,
	const struct kf_chunk *c, size_t row, struct kf_err *err)
{
	if (!among(&s->places, (int64_t)(s->passed + row + 1)) ||
		!among(&s->ids, c->id[row]) ||
		(s->labels.n && !kf_ranges_hold(&s->labels, c->label[row])))
		return 0;
	if (s->complete && !kf_row_is_complete(schema, c, row))
		return 0;
	if (s->missing && kf_row_is_complete(schema, c, row))
		return 0;
	return kf_where_row(&s->where, schema, c, row, err);
}

int kf_select_rows(struct kf_select *s, const struct kf_schema *schema,
	struct kf_chunk *c, struct kf_err *err)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->n; i++) {
		int rc = chosen(s, schema, c, i, err);

		if (rc < 0)
			return -1;
		if ((rc == 1) == s->invert)
			continue;
		if (kept != i)
			kf_chunk_copy_row(c, kept, c, i, schema);
		kept++;
	}
	s->passed += c->n;
	c->n = kept;
	return 0;
}

void kf_select_free(struct kf_select *s)
{
	kf_ranges_free(&s->ids);
	kf_ranges_free(&s->labels);
	kf_ranges_free(&s->places);
	kf_where_free(&s->where);
}

/* -- columns ------------------------------------------------------------------- */

/* Adds the columns that match and are not among names yet: how many match, or -1 when
 * out of memory. */
static int match(const char *pattern, const struct kf_names *from,
	struct kf_names *names, int *which)
{
	int matches = 0;

	for (int i = 0; i < from->n; i++) {
		const char *name = from->name[i];

		if (strcmp(pattern, name) && fnmatch(pattern, name, 0))
			continue;
		matches++;
		if (kf_names_find(names, name) >= 0)
			continue;
		which[names->n] = i;
		if (kf_names_add(names, name) < 0)
			return -1;
	}
	return matches;
}

static int match_all(struct kf_columns *c, const struct kf_schema *from,
	const struct kf_names *patterns, struct kf_err *err)
{
	for (int i = 0; i < patterns->n; i++) {
		const char *pattern = patterns->name[i];
		int y = match(pattern, &from->columns, &c->schema.columns, c->y);
		int p = match(pattern, &from->p_columns, &c->schema.p_columns, c->p);

		if (y < 0 || p < 0)
			return kf_fail_memory(err);
		if (y + p == 0)
			return kf_fail(err, "there is no column '%.200s'", pattern);
	}
	return 0;
}

/* Without columns there is nothing that was scaled. */
static void drop_scales(struct kf_schema *s)
{
	static const struct kf_scale none[2];

	if (!s->columns.n)
		memcpy(s->y_scale, none, sizeof none);
	if (!s->p_columns.n)
		memcpy(s->p_scale, none, sizeof none);
}

int kf_columns_init(struct kf_columns *c, const struct kf_schema *from,
	const struct kf_names *patterns, struct kf_err *err)
{
	int most = from->columns.n > from->p_columns.n ? from->columns.n :
							 from->p_columns.n;

	*c = (struct kf_columns){ .y_from = from->columns.n,
		.p_from = from->p_columns.n };
	if (kf_schema_copy(&c->schema, from, err) < 0)
		return -1;
	kf_names_free(&c->schema.columns);
	kf_names_free(&c->schema.p_columns);
	c->y = calloc((size_t)c->y_from + 1, sizeof *c->y);
	c->p = calloc((size_t)c->p_from + 1, sizeof *c->p);
	c->row = calloc((size_t)most + 1, sizeof *c->row);
	if (!c->y || !c->p || !c->row)
		kf_fail_memory(err);
	else if (match_all(c, from, patterns, err) == 0) {
		drop_scales(&c->schema);
		return 0;
	}
	kf_columns_free(c);
	return -1;
}

/* Rows of m values become rows of k.  No row gets ahead of where it was read. */
static void keep(float *v, size_t n, size_t m, const int *which, size_t k, float *row)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < k; j++)
			row[j] = v[i * m + (size_t)which[j]];
		for (size_t j = 0; j < k; j++)
			v[i * k + j] = row[j];
	}
}

void kf_columns_keep(struct kf_columns *c, struct kf_chunk *rows)
{
	keep(rows->y, rows->n, (size_t)c->y_from, c->y, (size_t)c->schema.columns.n,
		c->row);
	keep(rows->p, rows->n, (size_t)c->p_from, c->p, (size_t)c->schema.p_columns.n,
		c->row);
}

void kf_columns_free(struct kf_columns *c)
{
	kf_schema_free(&c->schema);
	free(c->y);
	free(c->p);
	free(c->row);
	*c = (struct kf_columns){ 0 };
}
