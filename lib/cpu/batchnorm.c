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
#include "cpu/memory.h"

typedef cpu_floats8 floats;
typedef double doubles __attribute__((vector_size(64), aligned(8)));

/* All arrays have an entry for each channel, with the padding of the last block. */
struct norm {
	const struct kf_plan *plan;
	const struct kf_flow *flow;
	size_t channels;
	double *sums;            /* (n, 2, channels): of each image */
	double *mean, *variance; /* of the last training batch */
	float *scale, *shift;    /* y = f(scale x + shift) */
	float *center;           /* dx = from_dy dy + from_x (x - center) + constant */
	float *from_dy, *from_x, *constant;
};

static void make(struct kf_backend *b, struct kf_plan *plan)
{
	struct norm *v = plan->state = calloc(1, sizeof *v);
	size_t c = (size_t)(plan->x.c + plan->x.block - 1) / (size_t)plan->x.block *
		(size_t)plan->x.block;
	float *f;
	double *d;

	plan->reads_x = CPU_WHILE_DX;
	if (!v || !cpu_chain_make(b, plan, 0)) {
		cpu_fail(b, "out of memory");
		return;
	}
	v->plan = plan;
	v->channels = c;
	v->sums = d = calloc(2 * c * ((size_t)plan->n + 1), sizeof *d);
	v->scale = f = calloc(6 * c, sizeof *f);
	if (!d || !f) {
		cpu_fail(b, "out of memory");
		return;
	}
	v->mean = d + 2 * c * (size_t)plan->n;
	v->variance = v->mean + c;
	v->shift = f + c;
	v->center = f + 2 * c;
	v->from_dy = f + 3 * c;
	v->from_x = f + 4 * c;
	v->constant = f + 5 * c;
}

static void free_state(struct kf_plan *plan)
{
	struct norm *v = plan->state;

	if (v) {
		free(v->sums);
		free(v->scale);
	}
	free(v);
}

/* -- loops over an image --------------------------------------------------------- */

/*
 * Eight values at a time: of eight channels of a pixel or, in a plain layout, of eight
 * pixels of a channel.  A strip is those of the same channels.
 */
struct strip {
	size_t channel;     /* the first one's number */
	size_t at;          /* of the first value in the image */
	size_t count, step; /* steps of so many floats */
	bool plain;         /* one channel, whose values follow each other */
};

static size_t strips(const struct cpu_layout *l, size_t channels)
{
	return l->block == 1 ? channels : channels / 8;
}

static struct strip strip(const struct cpu_layout *l, size_t i)
{
	size_t area = (size_t)l->h * (size_t)l->w, block = (size_t)l->block;
	size_t channel = i * 8;

	if (block == 1)
		return (struct strip){ i, i * area, area, 1, true };
	return (struct strip){ channel,
		channel / block * block * area + channel % block, area, block, false };
}

/* The coefficients of a strip's channels: a macro, as functions that return vectors
 * differ between instruction sets. */
#define OF_CHANNELS(s, v) \
	((s).plain ? (floats){ 0 } + (v)[(s).channel] : \
		     *(const floats *)((v) + (s).channel))

/* Calls a statement for each eight values at `at` of a strip; in a plain layout, the last
 * ones one by one, as floats. */
#define FOR_STRIP(s, eight, one) \
	do { \
		size_t at = (s)->at, left = (s)->count; \
\
		if (!(s)->plain) \
			for (; left; left--, at += (s)->step) \
				eight; \
		for (; left >= 8; left -= 8, at += 8) \
			eight; \
		for (; left; left--, at++) \
			one; \
	} while (0)

/* to = a from + c for each channel; then negative values become 0 if relu. */
CPU_CLONES
static void scale_image(const struct cpu_layout *l, const struct norm *v, float *to,
	const float *from, bool relu)
{
	const cpu_masks8 always = (cpu_masks8){ 0 } - !relu;

	for (size_t i = 0; i < strips(l, v->channels); i++) {
		const struct strip s = strip(l, i);
		floats a = OF_CHANNELS(s, v->scale), c = OF_CHANNELS(s, v->shift);

#define SCALE(type, a, c, keep) \
	{ \
		type y = *(const type *)(from + at) * (a) + (c); \
\
		keep; \
		*(type *)(to + at) = y; \
	}
		FOR_STRIP(&s,
			SCALE(floats, a, c,
				y = (floats)((cpu_masks8)y & ((y > 0) | always))),
			SCALE(float, a[0], c[0], y = relu && !(y > 0) ? 0 : y));
#undef SCALE
	}
}

/* dx = from_dy dy + from_x (x - center) + constant for each channel. */
CPU_CLONES
static void gradient_image(const struct cpu_layout *l, const struct norm *v,
	const float *dy, const float *x, float *dx)
{
	for (size_t i = 0; i < strips(l, v->channels); i++) {
		const struct strip s = strip(l, i);
		floats a = OF_CHANNELS(s, v->from_dy), e = OF_CHANNELS(s, v->from_x);
		floats m = OF_CHANNELS(s, v->center);
		floats c = OF_CHANNELS(s, v->constant);

#define GRADIENT(type, a, e, m, c) \
	*(type *)(dx + at) = (a) * *(const type *)(dy + at) + \
		(e) * (*(const type *)(x + at) - (m)) + (c)
		FOR_STRIP(&s, GRADIENT(floats, a, e, m, c),
			GRADIENT(float, a[0], e[0], m[0], c[0]));
#undef GRADIENT
	}
}

/* Adds up in floats no more values than this, in doubles from there on. */
#define PIECE 64

/* The pieces of a strip, of eight floats each. */
#define FOR_PIECES(s, part) \
	for (size_t done = 0, n; \
		n = (s)->count - done < PIECE ? (s)->count - done : PIECE, \
		    part = (struct strip){ (s)->channel, (s)->at + done * (s)->step, \
			    n, (s)->step, (s)->plain }, \
		    n; \
		done += n)

/* Adds a strip's sums: all eight are of one channel if it is plain. */
static inline void add_sums(const struct strip *s, const doubles *sum, double rest,
	double *sums)
{
	for (size_t k = 0; k < 8; k++)
		sums[s->channel + (s->plain ? 0 : k)] += (*sum)[k];
	sums[s->channel] += rest;
}

#define WIDEN(v) __builtin_convertvector(v, doubles)

/* sums += the values of each channel */
CPU_CLONES
static void sum_image(const struct cpu_layout *l, size_t channels, const float *x,
	double *sums)
{
	for (size_t i = 0; i < strips(l, channels); i++) {
		const struct strip s = strip(l, i);
		struct strip part;
		doubles sum = { 0 };
		double rest = 0;

		FOR_PIECES(&s, part)
		{
			floats eight = { 0 };

			FOR_STRIP(&part, eight += *(const floats *)(x + at),
				rest += x[at]);
			sum += WIDEN(eight);
		}
		add_sums(&s, &sum, rest, sums);
	}
}

/* sums += the squares of each channel's values less its mean */
CPU_CLONES
static void sum_squares(const struct cpu_layout *l, size_t channels, const float *x,
	const float *mean, double *sums)
{
	for (size_t i = 0; i < strips(l, channels); i++) {
		const struct strip s = strip(l, i);
		floats m = OF_CHANNELS(s, mean), d;
		struct strip part;
		doubles sum = { 0 };
		double rest = 0;

		FOR_PIECES(&s, part)
		{
			floats eight = { 0 };

			FOR_STRIP(&part,
				(d = *(const floats *)(x + at) - m, eight += d * d),
				rest += (x[at] - m[0]) * (x[at] - m[0]));
			sum += WIDEN(eight);
		}
		add_sums(&s, &sum, rest, sums);
	}
}

/* dy becomes 0 where y = scale x + shift is not positive: a relu's gradient, without
 * storing y. */
CPU_CLONES
static void relu_backward(const struct cpu_layout *l, const struct norm *v, float *dy,
	const float *x)
{
	for (size_t i = 0; i < strips(l, v->channels); i++) {
		const struct strip s = strip(l, i);
		floats a = OF_CHANNELS(s, v->scale), c = OF_CHANNELS(s, v->shift);

		FOR_STRIP(&s,
			*(cpu_masks8 *)(dy + at) &=
			*(const floats *)(x + at) * a + c > 0,
			dy[at] = x[at] * a[0] + c[0] > 0 ? dy[at] : 0);
	}
}

/* sums += dy, products += dy (x - center) of each channel */
CPU_CLONES
static void sum_gradients(const struct cpu_layout *l, const struct norm *v,
	const float *dy, const float *x, double *sums, double *products)
{
	for (size_t i = 0; i < strips(l, v->channels); i++) {
		const struct strip s = strip(l, i);
		floats m = OF_CHANNELS(s, v->center), d;
		struct strip part;
		doubles sum = { 0 }, product = { 0 };
		double rest = 0, rest_product = 0;

		FOR_PIECES(&s, part)
		{
			floats eight = { 0 }, eight_products = { 0 };

			FOR_STRIP(&part,
				(d = *(const floats *)(dy + at), eight += d,
					eight_products +=
					d * (*(const floats *)(x + at) - m)),
				(rest += dy[at],
					rest_product += dy[at] * (x[at] - m[0])));
			sum += WIDEN(eight);
			product += WIDEN(eight_products);
		}
		add_sums(&s, &sum, rest, sums);
		add_sums(&s, &product, rest_product, products);
	}
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
	float mean[v->channels];

	(void)b;
	memset(sums, 0, 2 * v->channels * sizeof *sums);
	sum_image(l, v->channels, x, sums);
	for (size_t c = 0; c < v->channels; c++) {
		mean[c] = (float)(sums[c] / (double)area);
		sums[c] = mean[c];
	}
	sum_squares(l, v->channels, x, mean, squares);
}

/* Mean and variance of the batch: a sum of squares around the mean is that around another
 * value, less the distance's. */
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

/* Sets scale and shift; those of padding stay 0. */
static void choose_scale(struct norm *v, const struct kf_mem *weights)
{
	const float *weight = weights->f + v->plan->weight->offset;
	const float *bias = weights->f + v->plan->bias->offset;

	for (int c = 0; c < v->plan->x.c; c++) {
		double scale = weight[c] / sqrt(v->variance[c] + KF_BATCHNORM_EPSILON);

		v->scale[c] = (float)scale;
		v->shift[c] = (float)(bias[c] - scale * v->mean[c]);
		v->center[c] = (float)v->mean[c];
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

	(void)b, (void)thread, (void)i, (void)mask;
	scale_image(&d->plan->x, d->plan->state, y, x, f == KF_RELU);
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
		relu_backward(&v->plan->x, v, dy, x);
	} else if ((y = cpu_chain_scratch(b, v->plan))) {
		scale_image(&v->plan->x, v, y, x, false);
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
	sum_gradients(&v->plan->x, v, dy, x, sums, sums + v->channels);
}

/* The gradients of channel c's weight and bias, and how dx comes from dy. */
static void differentiate(struct norm *v, const struct kf_mem *weights,
	struct kf_mem *grads, size_t c)
{
	const struct kf_plan *plan = v->plan;
	double count = (double)plan->n * plan->x.h * plan->x.w;
	double slope = 1 / sqrt(v->variance[c] + KF_BATCHNORM_EPSILON), sum = 0,
	       product = 0;
	double weight = weights->f[plan->weight->offset + c];

	for (int i = 0; i < plan->n; i++) {
		const double *sums = v->sums + 2 * v->channels * (size_t)i + c;

		sum += sums[0];
		product += sums[v->channels];
	}
	product *= slope; /* the sum of dy times the normalized x */
	grads->f[plan->bias->offset + c] = (float)sum;
	grads->f[plan->weight->offset + c] = (float)product;
	grads->f[plan->mean->offset + c] = (float)v->mean[c];
	grads->f[plan->variance->offset + c] =
		(float)(v->variance[c] * (count > 1 ? count / (count - 1) : 1));
	v->from_dy[c] = (float)(weight * slope);
	v->from_x[c] = (float)(-weight * slope * slope * product / count);
	v->constant[c] = (float)(-weight * slope * sum / count);
}

static void survey_backward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_mem *weights, struct kf_mem *grads, const struct kf_flow *f)
{
	struct norm *v = plan->state;

	v->flow = f;
	cpu_materialize_and(b, f->dy, survey_gradient, v);
	v->flow = NULL;
	f->dy->wrt_preactivation = true;
	for (int c = 0; c < plan->x.c; c++)
		differentiate(v, weights, grads, (size_t)c);
}

static void backward(struct kf_backend *b, const struct cpu_deferred *d, int thread,
	int i, float *dy, float *dx)
{
	if (dx)
		gradient_image(&d->plan->x, d->plan->state, dy,
			cpu_values(b, d->x, i, thread), dx);
}

const struct cpu_layer cpu_batchnorm = { .make = make,
	.free = free_state,
	.survey = survey,
	.survey_backward = survey_backward,
	.image_forward = forward,
	.image_backward = backward };
