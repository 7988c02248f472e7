/*
 * Batch norm: y = f(weight (x - mean) / sqrt(variance + epsilon) + bias), with the mean
 * and the variance of each channel over the batch in training, else with the running
 * statistics (Ioffe and Szegedy, "Batch normalization", 2015).
 *
 * It works image by image once the statistics are known.  Those of an image are taken as
 * soon as it is computed, and combined in the order of the images, so that they do not
 * depend on the number of threads.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/activation.h"
#include "cpu/batch.h"
#include "cpu/chain.h"
#include "cpu/channels.h"
#include "cpu/memory.h"

/* All arrays have an entry for each channel, with the padding of the last block. */
struct norm {
	const struct kf_plan *plan;
	const struct kf_flow *flow;
	struct kf_share share; /* of the last training batch */
	size_t channels;
	double *sums;             /* (n, 2, channels): of each image */
	double *mean, *variance;  /* of the last training batch */
	float *means;             /* (n, channels): of each image */
	float *scale, *shift;     /* y = f(scale x + shift) */
	struct cpu_norm gradient; /* how dx comes from dy and x */
};

static void make(struct kf_backend *b, struct kf_plan *plan)
{
	struct norm *v = plan->state = calloc(1, sizeof *v);
	size_t c = cpu_padded_channels(&plan->x), n = (size_t)plan->n;
	float *f;
	double *d;

	plan->reads_x = CPU_WHILE_DX;
	cpu_chain_make_plain(b, plan);
	if (!v) {
		cpu_fail(b, "out of memory");
		return;
	}
	v->plan = plan;
	v->channels = c;
	v->sums = d = calloc(2 * c * (n + 1), sizeof *d);
	v->means = f = calloc(c * (n + 6), sizeof *f);
	if (!d || !f) {
		cpu_fail(b, "out of memory");
		return;
	}
	v->mean = d + 2 * c * n;
	v->variance = v->mean + c;
	f += c * n;
	v->scale = f;
	v->shift = f + c;
	v->gradient = (struct cpu_norm){ f + 2 * c, f + 3 * c, f + 4 * c, f + 5 * c };
}

static void free_state(struct kf_plan *plan)
{
	struct norm *v = plan->state;

	if (v) {
		free(v->sums);
		free(v->means);
	}
	free(v);
}

/* -- forward --------------------------------------------------------------------- */

/* The mean of image i, and the squares around that. */
static void survey_image(struct kf_backend *b, void *context, int i, float *x)
{
	struct norm *v = context;
	const struct cpu_layout *l = &v->plan->x;
	size_t area = (size_t)l->h * (size_t)l->w;
	double *sums = v->sums + 2 * v->channels * (size_t)i;
	double *squares = sums + v->channels;
	float *mean = v->means + v->channels * (size_t)i;

	(void)b;
	memset(sums, 0, 2 * v->channels * sizeof *sums);
	cpu_sum_channels(l, x, sums);
	for (size_t c = 0; c < v->channels; c++) {
		mean[c] = (float)(sums[c] / (double)area);
		sums[c] = mean[c];
	}
	cpu_sum_squares(l, x, mean, squares);
}

/* Mean and variance of this rank's images: a sum of squares around the mean is that around
 * another value, less the distance's. */
static void combine(struct norm *v)
{
	double n = v->plan->n, area = (double)v->plan->x.h * v->plan->x.w;

	for (size_t c = 0; c < v->channels; c++) {
		double mean = 0, squares = 0;

		for (int i = 0; i < v->plan->n; i++)
			mean += v->sums[2 * v->channels * (size_t)i + c];
		mean /= n;
		for (int i = 0; i < v->plan->n; i++) {
			const double *sums = v->sums + 2 * v->channels * (size_t)i + c;
			double off = *sums - mean;

			squares += sums[v->channels] + area * off * off;
		}
		v->mean[c] = mean;
		v->variance[c] = squares / (n * area);
	}
}

/* Sums n doubles over the ranks; those of an idle one are taken as zeros. */
static void sum_ranks(struct kf_backend *b, const struct kf_share *s, double *v,
	size_t n)
{
	struct kf_err err;

	if (s->idle)
		memset(v, 0, n * sizeof *v);
	if (!cpu(b)->failed && s->comm->op->sum_doubles(s->comm, v, n, &err) < 0)
		cpu_fail(b, "%s", err.msg);
}

/* Of each rank's mean and variance makes those of all images.  Summed are the means and the
 * mean squares around 0, each weighted by the rank's images, in one message. */
static void combine_ranks(struct kf_backend *b, struct norm *v)
{
	double part = (double)v->plan->n / v->share.all;

	for (size_t c = 0; c < v->channels; c++) {
		v->variance[c] = part * (v->variance[c] + v->mean[c] * v->mean[c]);
		v->mean[c] *= part;
	}
	sum_ranks(b, &v->share, v->mean, 2 * v->channels);
	for (size_t c = 0; c < v->channels; c++)
		v->variance[c] = fmax(v->variance[c] - v->mean[c] * v->mean[c], 0);
}

/* Sets scale and shift; those of padding stay 0. */
static void choose_scale(struct norm *v, const struct kf_mem *weights)
{
	const float *weight = weights->f + v->plan->weight->offset;
	const float *bias = weights->f + v->plan->bias->offset;

	for (int c = 0; c < v->plan->x.c; c++) {
		double scale = weight[c] / sqrt(v->variance[c] + KF_BATCHNORM_EPSILON);

		v->scale[c] = (float)scale;
		v->shift[c] = (float)(bias[c] - scale * v->mean[c]);
		v->gradient.center[c] = (float)v->mean[c];
	}
}

static void survey(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	const struct kf_flow *f)
{
	struct norm *v = plan->state;

	if (pass->train) {
		cpu_materialize_and(b, f->x, survey_image, v);
		combine(v);
		v->share = pass->share;
		if (v->share.comm)
			combine_ranks(b, v);
	} else {
		for (int c = 0; c < plan->x.c; c++) {
			v->mean[c] = weights->f[plan->mean->offset + (size_t)c];
			v->variance[c] = weights->f[plan->variance->offset + (size_t)c];
		}
	}
	choose_scale(v, weights);
}

static void forward(struct kf_backend *b, const struct cpu_deferred *d, int thread,
	int i, float *x, float *y, void *mask)
{
	enum kf_activation f = d->plan->layer->activation;
	const struct norm *v = d->plan->state;

	(void)b, (void)thread, (void)i, (void)mask;
	cpu_scale_channels(&d->plan->x, v->scale, v->shift, x, y, f == KF_RELU);
	if (f != KF_RELU)
		cpu_activate(y, cpu_image_floats(&d->plan->y), f);
}

/* -- backward -------------------------------------------------------------------- */

/* dy of an image becomes the gradient with respect to what the activation takes. */
static void through_activation(struct kf_backend *b, const struct norm *v, float *dy,
	const float *x)
{
	enum kf_activation f = v->plan->layer->activation;
	size_t n = cpu_image_floats(&v->plan->y);
	float *y;

	if (f == KF_RELU) {
		cpu_scaled_relu_backward(&v->plan->x, v->scale, v->shift, x, dy);
	} else if ((y = cpu_chain_scratch(b, v->plan))) {
		cpu_scale_channels(&v->plan->x, v->scale, v->shift, x, y, false);
		cpu_activate(y, n, f);
		cpu_activation_backward(dy, y, n, f);
	}
}

static void survey_gradient(struct kf_backend *b, void *context, int i, float *dy)
{
	struct norm *v = context;
	double *sums = v->sums + 2 * v->channels * (size_t)i;
	const float *x = cpu_image(v->flow->x, i);

	if (!cpu_is_preactivation(v->flow->dy, v->plan->layer->activation))
		through_activation(b, v, dy, x);
	memset(sums, 0, 2 * v->channels * sizeof *sums);
	cpu_sum_gradients(&v->plan->x, dy, x, v->gradient.center, sums,
		sums + v->channels);
}

/* Sums of dy, and of dy times the normalized x, over this rank's images: the gradients of
 * bias and weight, which go to sums (2, channels) too. */
static void sum_gradients(struct norm *v, struct kf_mem *grads, double *sums)
{
	const struct kf_plan *plan = v->plan;

	for (size_t c = 0; c < (size_t)plan->x.c; c++) {
		double slope = 1 / sqrt(v->variance[c] + KF_BATCHNORM_EPSILON);
		double sum = 0, product = 0;

		for (int i = 0; i < plan->n; i++) {
			const double *own = v->sums + 2 * v->channels * (size_t)i + c;

			sum += own[0];
			product += own[v->channels];
		}
		product *= slope;
		sums[c] = sum;
		sums[v->channels + c] = product;
		grads->f[plan->bias->offset + c] = (float)sum;
		grads->f[plan->weight->offset + c] = (float)product;
	}
}

/* How channel c's dx comes from dy, by the sums of the whole batch, and its statistics. */
static void differentiate(struct norm *v, const struct kf_mem *weights,
	struct kf_mem *grads, const double *sums, size_t c)
{
	const struct kf_plan *plan = v->plan;
	double n = v->share.comm ? v->share.all : plan->n;
	double count = n * plan->x.h * plan->x.w;
	double slope = 1 / sqrt(v->variance[c] + KF_BATCHNORM_EPSILON);
	double sum = sums[c], product = sums[v->channels + c];
	double weight = weights->f[plan->weight->offset + c];

	grads->f[plan->mean->offset + c] = (float)v->mean[c];
	grads->f[plan->variance->offset + c] =
		(float)(v->variance[c] * (count > 1 ? count / (count - 1) : 1));
	if (v->share.idle) /* whose row is not in the batch */
		weight = 0;
	v->gradient.from_dy[c] = (float)(weight * slope);
	v->gradient.from_x[c] = (float)(-weight * slope * slope * product / count);
	v->gradient.constant[c] = (float)(-weight * slope * sum / count);
}

static void survey_backward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_mem *weights, struct kf_mem *grads, const struct kf_flow *f)
{
	struct norm *v = plan->state;
	double *sums = v->sums; /* of the first image, which is read before */

	v->flow = f;
	cpu_materialize_and(b, f->dy, survey_gradient, v);
	v->flow = NULL;
	f->dy->wrt_preactivation = true;
	sum_gradients(v, grads, sums);
	if (v->share.comm)
		sum_ranks(b, &v->share, sums, 2 * v->channels);
	for (int c = 0; c < plan->x.c; c++)
		differentiate(v, weights, grads, sums, (size_t)c);
}

static void backward(struct kf_backend *b, const struct cpu_deferred *d, int thread,
	int i, float *dy, float *dx)
{
	const struct norm *v = d->plan->state;

	if (dx)
		cpu_norm_gradient(&d->plan->x, &v->gradient, dy,
			cpu_values(b, d->x, i, thread), dx);
}

const struct cpu_layer cpu_batchnorm = { .make = make,
	.free = free_state,
	.survey = survey,
	.survey_backward = survey_backward,
	.image_forward = forward,
	.image_backward = backward };
