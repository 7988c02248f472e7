/* How far a model's outputs for a row are off. */
#include "train/goal.h"

#include <math.h>
#include <stdlib.h>

int kf_goal_open(struct kf_goal *g, const struct kf_model *m,
	const struct kf_schema *schema, struct kf_err *err)
{
	size_t n = (size_t)m->columns.n;

	*g = (struct kf_goal){ .m = m->columns.n,
		.classify = m->classify,
		.schema = schema,
		.column = malloc((n + 1) * sizeof *g->column),
		.pixels = malloc((n + 1) * sizeof *g->pixels),
		.truth = malloc((n + 1) * sizeof *g->truth) };
	if (!g->column || !g->pixels || !g->truth)
		return kf_fail_memory(err);
	for (int j = 0; j < g->m; j++) {
		const char *name = m->columns.name[j];

		g->column[j] = kf_names_find(&schema->columns, name);
		g->pixels[j] = m->y_scale[kf_axis(name) == 1].factor;
	}
	return 0;
}

void kf_goal_close(struct kf_goal *g)
{
	free(g->column);
	free(g->pixels);
	free(g->truth);
}

/* The row's class, or -1. */
static int64_t class_of(const struct kf_goal *g, const struct kf_chunk *c, size_t row)
{
	int64_t label = g->schema->has_label ? c->label[row] : -1;

	return label < g->m ? label : -1;
}

static double target(const struct kf_goal *g, const struct kf_chunk *c, size_t row,
	int j)
{
	return g->column[j] < 0 ?
		NAN :
		c->y[row * (size_t)g->schema->columns.n + (size_t)g->column[j]];
}

bool kf_goal_known(const struct kf_goal *g, const struct kf_chunk *c, size_t row)
{
	if (g->classify)
		return class_of(g, c, row) >= 0;
	for (int j = 0; j < g->m; j++)
		if (!isnan(target(g, c, row, j)))
			return true;
	return false;
}

static int largest(const float *v, int n)
{
	int best = 0;

	for (int i = 1; i < n; i++)
		if (v[i] > v[best])
			best = i;
	return best;
}

void kf_goal_set(struct kf_goal *g, const struct kf_chunk *c, size_t row,
	const float *out)
{
	bool known = kf_goal_known(g, c, row);

	if (g->classify) {
		g->truth[0] = known ? (double)class_of(g, c, row) : largest(out, g->m);
		return;
	}
	for (int j = 0; j < g->m; j++)
		g->truth[j] = known ? target(g, c, row, j) : out[j];
}

/* log of the sum of the exponentials */
static double log_sum(const float *v, int n)
{
	double most = v[largest(v, n)], sum = 0;

	for (int i = 0; i < n; i++)
		sum += exp(v[i] - most);
	return most + log(sum);
}

/* The number of targets that are present, and the sum of squares in pixels. */
static int add_squares(const struct kf_goal *g, const float *out, double *squares)
{
	int present = 0;

	*squares = 0;
	for (int j = 0; j < g->m; j++) {
		double d = (out[j] - g->truth[j]) * g->pixels[j];

		if (isnan(g->truth[j]))
			continue;
		*squares += d * d;
		present++;
	}
	return present;
}

double kf_goal_error(const struct kf_goal *g, const float *out)
{
	double squares;
	int present;

	if (g->classify)
		return log_sum(out, g->m) - out[(int)g->truth[0]];
	present = add_squares(g, out, &squares);
	return sqrt(squares / present);
}

/* Of -log softmax(out)[class]: softmax(out), less 1 at the class. */
static void class_gradient(const struct kf_goal *g, const float *out, float *d)
{
	double sum = log_sum(out, g->m);

	for (int j = 0; j < g->m; j++)
		d[j] = (float)(exp(out[j] - sum) - (j == (int)g->truth[0]));
}

void kf_goal_gradient(const struct kf_goal *g, const float *out, float *d)
{
	double squares, error;
	int present;

	if (g->classify) {
		class_gradient(g, out, d);
		return;
	}
	present = add_squares(g, out, &squares);
	error = sqrt(squares / present);
	for (int j = 0; j < g->m; j++)
		d[j] = isnan(g->truth[j]) || error == 0 ?
			0 :
			(float)((out[j] - g->truth[j]) * g->pixels[j] * g->pixels[j] /
				(present * error));
}
