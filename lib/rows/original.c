/* Back to the photograph. */
#include "rows/original.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A determinant that is smaller, compared with its terms, is what is left of zero once the
 * terms were rounded to float32. */
#define SINGULAR 1e-6

/* -- opening --------------------------------------------------------------------- */

/* The column "nose_y" of "nose_x", and the other way round; or -1. */
static int find_partner(const struct kf_names *names, const char *name)
{
	char other[300]; /* a name has 200 bytes at most */
	int axis = kf_axis(name);

	if (axis < 0)
		return -1;
	snprintf(other, sizeof other, "%.*s%s", (int)strlen(name) - 2, name,
		axis ? "_x" : "_y");
	return kf_names_find(names, other);
}

/* NULL when out of memory. */
static int *find_partners(const struct kf_names *names)
{
	int *partner = calloc((size_t)names->n + 1, sizeof *partner);

	for (int i = 0; partner && i < names->n; i++)
		partner[i] = find_partner(names, names->name[i]);
	return partner;
}

static int photograph_schema(const struct kf_schema *in, struct kf_schema *out,
	struct kf_err *err)
{
	static const struct kf_scale none[2];

	if (kf_schema_copy(out, in, err) < 0)
		return -1;
	out->no_images = true;
	out->x_scale = none[0];
	memcpy(out->y_scale, none, sizeof none);
	memcpy(out->p_scale, none, sizeof none);
	return 0;
}

int kf_original_open(struct kf_original *o, const struct kf_schema *in,
	struct kf_schema *out, struct kf_err *err)
{
	*o = (struct kf_original){ .in = in };
	if (!in->has_transform)
		return kf_fail(err,
			"the stream has no transform: it was not loaded from "
			"photographs");
	o->y_partner = find_partners(&in->columns);
	o->p_partner = find_partners(&in->p_columns);
	if (!o->y_partner || !o->p_partner) {
		kf_original_free(o);
		return kf_fail_memory(err);
	}
	if (photograph_schema(in, out, err) < 0) {
		kf_original_free(o);
		return -1;
	}
	return 0;
}

void kf_original_free(struct kf_original *o)
{
	free(o->y_partner);
	free(o->p_partner);
	*o = (struct kf_original){ 0 };
}

/* -- rows ------------------------------------------------------------------------ */

/* A row's transform: x' = a x + b y + c, y' = d x + e y + f. */
struct map {
	double a, b, c, d, e, f, det;
	bool mixes; /* whether a place in one axis depends on both */
};

static int read_map(struct map *m, const float t[6], struct kf_err *err)
{
	*m = (struct map){ t[0], t[1], t[2], t[3], t[4], t[5], 0,
		t[1] != 0 || t[3] != 0 };
	for (int i = 0; i < 6; i++)
		if (!isfinite(t[i]))
			return kf_fail(err, "its transform is not finite");
	m->det = m->a * m->e - m->b * m->d;
	if (fabs(m->det) <= SINGULAR * (fabs(m->a * m->e) + fabs(m->b * m->d)))
		return kf_fail(err, "its transform has no inverse");
	return 0;
}

/* Both coordinates of a point.  An infinity stays one, where 0 times it would be NaN, so
 * that whoever refuses infinities sees it. */
static void invert_point(const struct map *m, double u, double v, float *x, float *y)
{
	bool missing = isnan(u) || isnan(v), infinite = isinf(u) || isinf(v);

	u -= m->c;
	v -= m->f;
	*x = (float)((m->e * u - m->b * v) / m->det);
	*y = (float)((m->a * v - m->d * u) / m->det);
	if (missing || infinite)
		*x = *y = missing ? NAN : INFINITY;
}

/* One side of a row: its targets or its predictions. */
static int invert_values(const struct map *m, const struct kf_names *names,
	const int *partner, const struct kf_scale scale[2], float *v,
	struct kf_err *err)
{
	for (int i = 0; i < names->n; i++) {
		int axis = kf_axis(names->name[i]), other = partner[i];
		double u = kf_unscale(v[i], scale[axis == 1]);

		if (axis < 0)
			v[i] = (float)u;
		else if (!m->mixes)
			v[i] = (float)(axis ? (u - m->f) / m->e : (u - m->c) / m->a);
		else if (other < 0)
			return kf_fail(err,
				"its transform turns or shears, and column '%s' lacks "
				"its '%s'",
				names->name[i], axis ? "_x" : "_y");
		else if (axis == 0)
			invert_point(m, u, kf_unscale(v[other], scale[1]), &v[i],
				&v[other]);
	}
	return 0;
}

int kf_original_row(const struct kf_original *o, struct kf_chunk *c, size_t row,
	struct kf_err *err)
{
	const struct kf_schema *s = o->in;
	struct map m;

	if (read_map(&m, c->transform + 6 * row, err) < 0 ||
		invert_values(&m, &s->columns, o->y_partner, s->y_scale,
			c->y + row * (size_t)s->columns.n, err) < 0 ||
		invert_values(&m, &s->p_columns, o->p_partner, s->p_scale,
			c->p + row * (size_t)s->p_columns.n, err) < 0)
		return kf_place(err, "the row with id %lld", (long long)c->id[row]);
	return 0;
}

int kf_original_rows(const struct kf_original *o, struct kf_chunk *c,
	struct kf_err *err)
{
	for (size_t row = 0; row < c->n; row++)
		if (kf_original_row(o, c, row, err) < 0)
			return -1;
	return 0;
}
