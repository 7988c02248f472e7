/* Count, minimum, maximum and mean. */
#include "rows/stats.h"

#include <math.h>
#include <stdlib.h>

static const struct kf_stat none = { 0, NAN, NAN, 0 };

static void add(struct kf_stat *s, double v)
{
	if (isnan(v))
		return;
	if (s->n++ == 0)
		s->min = s->max = v;
	else if (v < s->min)
		s->min = v;
	else if (v > s->max)
		s->max = v;
	s->sum += v;
}

static void join(struct kf_stat *s, const struct kf_stat *t)
{
	if (t->n == 0)
		return;
	s->min = s->n == 0 || t->min < s->min ? t->min : s->min;
	s->max = s->n == 0 || t->max > s->max ? t->max : s->max;
	s->n += t->n;
	s->sum += t->sum;
}

static struct kf_stat of_bytes(const uint8_t *v, size_t n)
{
	uint64_t sum = 0;
	uint8_t min = 255, max = 0;

	for (size_t i = 0; i < n; i++) {
		min = v[i] < min ? v[i] : min;
		max = v[i] > max ? v[i] : max;
		sum += v[i];
	}
	return (struct kf_stat){ n, min, max, (double)sum };
}

static struct kf_stat of_floats(const float *v, size_t n)
{
	struct kf_stat s = none;

	for (size_t i = 0; i < n; i++)
		add(&s, v[i]);
	return s;
}

static void add_columns(struct kf_stat *column, const float *v, size_t rows, size_t n)
{
	for (size_t i = 0; i < rows; i++)
		for (size_t j = 0; j < n; j++)
			add(&column[j], v[i * n + j]);
}

/* Over all columns. */
static struct kf_stat of_columns(const struct kf_stat *column, int n)
{
	struct kf_stat s = none;

	for (int j = 0; j < n; j++)
		join(&s, &column[j]);
	return s;
}

static struct kf_stat *new_columns(int n)
{
	struct kf_stat *column = calloc((size_t)n + 1, sizeof *column);

	for (int j = 0; column && j < n; j++)
		column[j] = none;
	return column;
}

int kf_stats_init(struct kf_stats *s, const struct kf_schema *schema,
	struct kf_err *err)
{
	*s = (struct kf_stats){ 0, none, none, none, none, none,
		new_columns(schema->columns.n), new_columns(schema->p_columns.n) };
	if (!s->column || !s->p_column) {
		kf_stats_free(s);
		return kf_fail_memory(err);
	}
	return 0;
}

void kf_stats_add(struct kf_stats *s, const struct kf_schema *schema,
	const struct kf_chunk *c)
{
	size_t pixels = schema->no_images ? 0 : c->n * kf_image_pixels(schema);
	struct kf_stat X = schema->dtype == KF_U8 ? of_bytes(c->X, pixels) :
						    of_floats(c->X, pixels);
	struct kf_stat map = of_floats(c->map, c->n * kf_map_values(schema));

	if (kf_scaled_bytes(schema)) {
		X.min /= 255;
		X.max /= 255;
		X.sum /= 255;
	}
	s->rows += c->n;
	join(&s->X, &X);
	join(&s->map, &map);
	for (size_t i = 0; schema->has_label && i < c->n; i++)
		add(&s->label, (double)c->label[i]);
	add_columns(s->column, c->y, c->n, (size_t)schema->columns.n);
	add_columns(s->p_column, c->p, c->n, (size_t)schema->p_columns.n);
	s->y = of_columns(s->column, schema->columns.n);
	s->p = of_columns(s->p_column, schema->p_columns.n);
}

double kf_stat_mean(const struct kf_stat *s)
{
	return s->n ? s->sum / (double)s->n : NAN;
}

void kf_stats_free(struct kf_stats *s)
{
	free(s->column);
	free(s->p_column);
	*s = (struct kf_stats){ 0 };
}
