/* Loops over an image, channel by channel. */
#include "cpu/channels.h"

typedef cpu_floats8 floats;
typedef double doubles __attribute__((vector_size(64), aligned(8)));

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

static size_t strips(const struct cpu_layout *l)
{
	return l->block == 1 ? (size_t)l->c : cpu_padded_channels(l) / 8;
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

CPU_CLONES
static void scale_channels(const struct cpu_layout *l, const float *scale,
	const float *shift, const float *from, float *to, bool relu)
{
	const cpu_masks8 always = (cpu_masks8){ 0 } - !relu;

	for (size_t i = 0; i < strips(l); i++) {
		const struct strip s = strip(l, i);
		floats a = OF_CHANNELS(s, scale), c = OF_CHANNELS(s, shift);

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

CPU_CLONES
static void norm_gradient(const struct cpu_layout *l, const struct cpu_norm *v,
	const float *dy, const float *x, float *dx)
{
	for (size_t i = 0; i < strips(l); i++) {
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

CPU_CLONES
static void sum_channels(const struct cpu_layout *l, const float *x, double *sums)
{
	for (size_t i = 0; i < strips(l); i++) {
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

CPU_CLONES
static void sum_squares(const struct cpu_layout *l, const float *x, const float *mean,
	double *sums)
{
	for (size_t i = 0; i < strips(l); i++) {
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

CPU_CLONES
static void scaled_relu_backward(const struct cpu_layout *l, const float *scale,
	const float *shift, const float *x, float *dy)
{
	for (size_t i = 0; i < strips(l); i++) {
		const struct strip s = strip(l, i);
		floats a = OF_CHANNELS(s, scale), c = OF_CHANNELS(s, shift);

		FOR_STRIP(&s,
			*(cpu_masks8 *)(dy + at) &=
			*(const floats *)(x + at) * a + c > 0,
			dy[at] = x[at] * a[0] + c[0] > 0 ? dy[at] : 0);
	}
}

CPU_CLONES
static void sum_gradients(const struct cpu_layout *l, const float *dy, const float *x,
	const float *center, double *sums, double *products)
{
	for (size_t i = 0; i < strips(l); i++) {
		const struct strip s = strip(l, i);
		floats m = OF_CHANNELS(s, center), d;
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

/* -- for other files: clones are static, since clang has other names for them ------- */

void cpu_scale_channels(const struct cpu_layout *l, const float *scale,
	const float *shift, const float *from, float *to, bool relu)
{
	scale_channels(l, scale, shift, from, to, relu);
}

void cpu_norm_gradient(const struct cpu_layout *l, const struct cpu_norm *v,
	const float *dy, const float *x, float *dx)
{
	norm_gradient(l, v, dy, x, dx);
}

void cpu_sum_channels(const struct cpu_layout *l, const float *x, double *sums)
{
	sum_channels(l, x, sums);
}

void cpu_sum_squares(const struct cpu_layout *l, const float *x, const float *mean,
	double *sums)
{
	sum_squares(l, x, mean, sums);
}

void cpu_scaled_relu_backward(const struct cpu_layout *l, const float *scale,
	const float *shift, const float *x, float *dy)
{
	scaled_relu_backward(l, scale, shift, x, dy);
}

void cpu_sum_gradients(const struct cpu_layout *l, const float *dy, const float *x,
	const float *center, double *sums, double *products)
{
	sum_gradients(l, dy, x, center, sums, products);
}
