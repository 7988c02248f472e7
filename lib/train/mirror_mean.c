/* The mean of what a model finds in faces and in their mirror images. */
#include "train/mirror_mean.h"

#include <math.h>
#include <stdlib.h>

#include "train/augment.h"
#include "train/mirror.h"

/* How the model was trained to mirror x.  A note that is none of ours says nothing. */
static int choose_sum(struct kf_mirror_mean *v, const struct kf_model *m,
	struct kf_err *err)
{
	const char *note = kf_meta_get(&m->notes, "augment");
	struct kf_augment a = { 0 };

	if (note && kf_augment_parse(&a, note, err) < 0) {
		if (err->memory)
			return -1;
		a = (struct kf_augment){ 0 };
	}
	v->sum = m->flip_sum != 0 ? m->flip_sum : kf_flip_sum(&a, m->w);
	v->taught = a.flip;
	return 0;
}

static int mirror_columns(struct kf_mirror_mean *v, const struct kf_names *columns,
	struct kf_err *err)
{
	for (int j = 0; j < v->m; j++) {
		const char *name = columns->name[j];

		if (kf_axis(name) < 0)
			return kf_fail(err, "flip: '%s' ends in neither _x nor _y",
				name);
		v->is_x[j] = kf_axis(name) == 0;
		v->mirror[j] = kf_mirror_column(columns, j, err);
		if (v->mirror[j] < 0)
			return -1;
	}
	return 0;
}

int kf_mirror_mean_open(struct kf_mirror_mean *v, const struct kf_model *m,
	struct kf_err *err)
{
	*v = (struct kf_mirror_mean){ .m = m->columns.n, .x_scale = m->y_scale[0] };
	if (m->classify)
		return kf_fail(err, "flip: classes have no mirror image");
	v->mirror = calloc((size_t)v->m, sizeof *v->mirror);
	v->is_x = calloc((size_t)v->m, sizeof *v->is_x);
	if (!v->mirror || !v->is_x)
		return kf_fail_memory(err);
	if (choose_sum(v, m, err) < 0)
		return -1;
	return mirror_columns(v, &m->columns, err);
}

void kf_mirror_mean_close(struct kf_mirror_mean *v)
{
	free(v->mirror);
	free(v->is_x);
	*v = (struct kf_mirror_mean){ 0 };
}

void kf_mirror_mean_row(struct kf_mirror_mean *v, float *out, const float *mirrored)
{
	double total = 0;
	int n = 0;

	for (int j = 0; j < v->m; j++) {
		double here = out[j], other = mirrored[v->mirror[j]];

		if (v->is_x[j]) {
			double x = v->sum - kf_unscale(other, v->x_scale);

			total += kf_unscale(here, v->x_scale) - x;
			n++;
			other = kf_scaled(x, v->x_scale);
		}
		out[j] = (float)((here + other) / 2);
	}
	if (!n)
		return;
	v->total += total / n;
	v->squares += total / n * (total / n);
	v->rows++;
}

struct kf_flip_sum kf_mirror_mean_sum(const struct kf_mirror_mean *v)
{
	double n = (double)v->rows, mean = v->total / n;
	double variance = (v->squares - n * mean * mean) / (n - 1);

	if (v->rows < 2 || v->taught)
		return (struct kf_flip_sum){ v->sum, NAN, NAN };
	return (struct kf_flip_sum){ v->sum, v->sum + mean,
		sqrt(fmax(variance, 0) / n) };
}
