/* The normalised mean error. */
#include "rows/nme.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The columns of a point: [0] of its x, [1] of its y. */
struct kf_nme_pair {
	int y[2], p[2]; /* p is of scored points only */
	int point;      /* its number in the score; of scored points only */
};

/* -- starting -------------------------------------------------------------------- */

/* Whether a point has both of its columns. */
static bool find_columns(const struct kf_names *names, const char *point, int column[2])
{
	char name[300]; /* a column's has 200 bytes at most */

	for (int axis = 0; axis < 2; axis++) {
		snprintf(name, sizeof name, "%s%s", point, axis ? "_y" : "_x");
		column[axis] = kf_names_find(names, name);
	}
	return column[0] >= 0 && column[1] >= 0;
}

static void find_scored(struct kf_nme *m, const struct kf_score *score)
{
	for (int i = 0; i < score->n; i++) {
		struct kf_nme_pair *pair = &m->scored[m->points];
		const char *name = score->point[i].name;

		pair->point = i;
		if (find_columns(&m->schema->columns, name, pair->y) &&
			find_columns(&m->schema->p_columns, name, pair->p))
			m->points++;
	}
}

static void find_truth(struct kf_nme *m)
{
	const struct kf_names *names = &m->schema->columns;

	for (int i = 0; i < names->n; i++) {
		char point[300];
		const char *name = names->name[i];

		if (kf_axis(name) != 0)
			continue;
		snprintf(point, sizeof point, "%.*s", (int)strlen(name) - 2, name);
		if (find_columns(names, point, m->truth[m->truths].y))
			m->truths++;
	}
}

/* Sets the number of a true point. */
static int find_end(const struct kf_nme *m, const char *name, int *end,
	struct kf_err *err)
{
	int y[2];

	if (!find_columns(&m->schema->columns, name, y))
		return kf_fail(err,
			"there is no point '%.200s' among the targets, with "
			"columns ending in _x and in _y",
			name);
	for (*end = 0; m->truth[*end].y[0] != y[0];)
		++*end;
	return 0;
}

static int find_points(struct kf_nme *m, const struct kf_score *score, const char *from,
	const char *to, struct kf_err *err)
{
	find_scored(m, score);
	find_truth(m);
	if (m->points == 0)
		return kf_fail(err,
			"targets and predictions have no point in common, with "
			"columns ending in _x and in _y");
	m->from = m->to = -1;
	if (!from)
		return 0;
	return find_end(m, from, &m->from, err) < 0 ? -1 : find_end(m, to, &m->to, err);
}

int kf_nme_init(struct kf_nme *m, const struct kf_score *score,
	const struct kf_schema *schema, const char *from, const char *to,
	struct kf_err *err)
{
	int rc;

	*m = (struct kf_nme){ .schema = schema };
	m->point = calloc((size_t)score->n, sizeof *m->point);
	m->scored = calloc((size_t)score->n, sizeof *m->scored);
	m->truth = calloc((size_t)schema->columns.n, sizeof *m->truth);
	rc = m->point && m->scored && m->truth ? find_points(m, score, from, to, err) :
						 kf_fail_memory(err);
	if (rc < 0)
		kf_nme_free(m);
	return rc;
}

void kf_nme_free(struct kf_nme *m)
{
	free(m->point);
	free(m->scored);
	free(m->truth);
	*m = (struct kf_nme){ 0 };
}

/* -- rows ------------------------------------------------------------------------ */

struct place {
	double x, y;
};

static struct place place_of(const float *v, const int column[2],
	const struct kf_scale scale[2])
{
	return (struct place){ kf_unscale(v[column[0]], scale[0]),
		kf_unscale(v[column[1]], scale[1]) };
}

/* NaN where one of them is missing. */
static double distance(struct place a, struct place b)
{
	return hypot(a.x - b.x, a.y - b.y);
}

/* sqrt(w h) of the smallest box around the true points of a row; NaN without any. */
static double box(const struct kf_nme *m, const float *y)
{
	struct place low = { INFINITY, INFINITY }, high = { -INFINITY, -INFINITY };

	for (int i = 0; i < m->truths; i++) {
		struct place p = place_of(y, m->truth[i].y, m->schema->y_scale);

		if (isnan(p.x) || isnan(p.y))
			continue;
		low = (struct place){ fmin(low.x, p.x), fmin(low.y, p.y) };
		high = (struct place){ fmax(high.x, p.x), fmax(high.y, p.y) };
	}
	return low.x <= high.x ? sqrt((high.x - low.x) * (high.y - low.y)) : NAN;
}

static double norm(const struct kf_nme *m, const float *y)
{
	const struct kf_scale *scale = m->schema->y_scale;

	return m->from < 0 ? box(m, y) :
			     distance(place_of(y, m->truth[m->from].y, scale),
				     place_of(y, m->truth[m->to].y, scale));
}

static void add(struct kf_nme_sum *s, double error)
{
	s->errors += error;
	s->n++;
}

double kf_nme_row(struct kf_nme *m, const struct kf_chunk *c, size_t row)
{
	const struct kf_schema *s = m->schema;
	const float *y = c->y + row * (size_t)s->columns.n;
	const float *p = c->p + row * (size_t)s->p_columns.n;
	double d = norm(m, y);
	struct kf_nme_sum own = { 0 };

	if (!(d > 0 && isfinite(d)))
		return NAN;
	for (int i = 0; i < m->points; i++) {
		const struct kf_nme_pair *pair = &m->scored[i];
		double error = distance(place_of(y, pair->y, s->y_scale),
				       place_of(p, pair->p, s->p_scale)) /
			d;

		if (isnan(error))
			continue;
		add(&m->point[pair->point], error);
		add(&own, error);
	}
	if (own.n > 0)
		add(&m->all, kf_nme_mean(&own));
	return kf_nme_mean(&own);
}

double kf_nme_mean(const struct kf_nme_sum *s)
{
	return s->n > 0 ? s->errors / (double)s->n : NAN;
}
