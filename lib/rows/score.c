/* Squared errors per keypoint. */
#define _GNU_SOURCE
#include "rows/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A column that is in y and in p. */
struct kf_score_pair {
	int y, p; /* column numbers */
	struct kf_scale y_scale, p_scale;
	int point;
};

/* The keypoint that a column belongs to, which is added if it is new; -1 when out of
 * memory. */
static int find_point(struct kf_score *s, const char *column)
{
	size_t length = strlen(column);
	int i;

	if (kf_axis(column) >= 0)
		length -= 2;
	for (i = 0; i < s->n; i++)
		if (strlen(s->point[i].name) == length &&
			!strncmp(s->point[i].name, column, length))
			return i;
	s->point[i] = (struct kf_point_score){ .name = strndup(column, length) };
	return s->point[i].name ? s->n++ : -1;
}

int kf_score_init(struct kf_score *s, const struct kf_schema *schema,
	struct kf_err *err)
{
	int n = schema->columns.n;

	*s = (struct kf_score){ 0 };
	if (!schema->p_columns.n)
		return kf_fail(err,
			"there are no predictions; pipe through "
			"kfkd-predict");
	if (!n)
		return kf_fail(err, "there are no targets to compare with");
	s->point = calloc((size_t)n, sizeof *s->point);
	s->pair = calloc((size_t)n, sizeof *s->pair);
	if (!s->point || !s->pair) {
		kf_score_free(s);
		return kf_fail_memory(err);
	}
	for (int i = 0; i < n; i++) {
		const char *name = schema->columns.name[i];
		int p = kf_names_find(&schema->p_columns, name);
		int axis = kf_axis(name) == 1, point;

		if (p < 0)
			continue;
		point = find_point(s, name);
		if (point < 0) {
			kf_score_free(s);
			return kf_fail_memory(err);
		}
		s->pair[s->pairs++] = (struct kf_score_pair){ i, p,
			schema->y_scale[axis], schema->p_scale[axis], point };
	}
	if (s->pairs == 0) {
		kf_score_free(s);
		return kf_fail(err, "targets and predictions have no column in common");
	}
	return 0;
}

int kf_score_row(struct kf_score *s, const struct kf_schema *schema,
	const struct kf_chunk *c, size_t row, struct kf_point_score *alone,
	struct kf_err *err)
{
	const float *y = c->y + row * (size_t)schema->columns.n;
	const float *p = c->p + row * (size_t)schema->p_columns.n;

	*alone = (struct kf_point_score){ 0 };
	for (int i = 0; i < s->pairs; i++) {
		const struct kf_score_pair *pair = &s->pair[i];
		struct kf_point_score *point = &s->point[pair->point];
		double truth = kf_unscale(y[pair->y], pair->y_scale);
		double found = kf_unscale(p[pair->p], pair->p_scale), square;

		if (!isfinite(found))
			return kf_fail(err,
				"the row with id %lld: the prediction of "
				"'%s' is not a finite number",
				(long long)c->id[row], schema->columns.name[pair->y]);
		if (isnan(truth))
			continue;
		square = (truth - found) * (truth - found);
		point->squares += square;
		point->n++;
		alone->squares += square;
		alone->n++;
	}
	return 0;
}

int kf_score_add(struct kf_score *s, const struct kf_schema *schema,
	const struct kf_chunk *c, struct kf_err *err)
{
	struct kf_point_score alone;

	for (size_t row = 0; row < c->n; row++)
		if (kf_score_row(s, schema, c, row, &alone, err) < 0)
			return -1;
	return 0;
}

double kf_score_rmse(const struct kf_point_score *p)
{
	return sqrt(p->squares / (double)p->n);
}

struct kf_point_score kf_score_sum(const struct kf_score *s)
{
	struct kf_point_score all = { 0 };

	for (int i = 0; i < s->n; i++) {
		all.squares += s->point[i].squares;
		all.n += s->point[i].n;
	}
	return all;
}

double kf_score_overall(const struct kf_score *s)
{
	struct kf_point_score all = kf_score_sum(s);

	return kf_score_rmse(&all);
}

void kf_score_free(struct kf_score *s)
{
	for (int i = 0; i < s->n; i++)
		free(s->point[i].name);
	free(s->point);
	free(s->pair);
	*s = (struct kf_score){ 0 };
}
