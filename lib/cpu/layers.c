/* Dense layers by oneDNN's matrix product, activations, dropout. */
#define _GNU_SOURCE
#include "cpu/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

/* -- activations ------------------------------------------------------------------- */

static inline float activated(float x, enum kf_activation f)
{
	return f == KF_LINEAR ? x :
		f == KF_RELU  ? (x > 0 ? x : 0) :
		f == KF_TANH  ? tanhf(x) :
				1 / (1 + expf(-x));
}

void cpu_activate(float *y, size_t n, enum kf_activation f)
{
	if (f == KF_LINEAR)
		return;
#pragma omp parallel for schedule(static) if (n >= CPU_PARALLEL_MIN)
	for (size_t i = 0; i < n; i++)
		y[i] = activated(y[i], f);
}

void cpu_slope(struct kf_act *dy, const struct kf_act *y)
{
	size_t n = cpu_act_floats(y);
	const float *f = y->f;
	float *d = dy->f;

	if (dy->sloped)
		return;
	if (y->activation == KF_RELU) {
#pragma omp parallel for simd schedule(static) if (n >= CPU_PARALLEL_MIN)
		for (size_t i = 0; i < n; i++)
			d[i] = f[i] > 0 ? d[i] : 0;
	} else if (y->activation == KF_TANH) {
#pragma omp parallel for simd schedule(static) if (n >= CPU_PARALLEL_MIN)
		for (size_t i = 0; i < n; i++)
			d[i] *= 1 - f[i] * f[i];
	} else if (y->activation == KF_SIGMOID) {
#pragma omp parallel for simd schedule(static) if (n >= CPU_PARALLEL_MIN)
		for (size_t i = 0; i < n; i++)
			d[i] *= f[i] * (1 - f[i]);
	}
}

/* -- dense layers ------------------------------------------------------------------ */

struct dense {
	float *x;      /* flattened, where the input is not plain */
	float *turned; /* y transposed, where that is the faster product */
};

static void make_dense(struct kf_backend *b, struct kf_plan *plan)
{
	if (!(plan->state = calloc(1, sizeof(struct dense))))
		cpu_fail(b, "out of memory");
}

static void free_dense(struct kf_plan *plan)
{
	struct dense *d = plan->state;

	if (d) {
		free(d->x);
		free(d->turned);
	}
	free(d);
}

/* The memory at *f, made when it is first needed. */
static float *room(struct kf_backend *b, float **f, size_t n)
{
	if (!*f)
		*f = cpu_floats(b, n);
	return *f;
}

/* x in NCHW order. */
static const float *flatten(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_act *x)
{
	struct dense *d = plan->state;

	if (x->block == 1)
		return x->f;
	if (room(b, &d->x, cpu_act_floats(x)))
		cpu_to_plain(b, x, d->x);
	return d->x;
}

/* c (m, n) = op(a) op(b), row-major; lda and ldb are those of a, b as stored */
static void gemm(struct kf_backend *h, char op_a, char op_b, size_t m, size_t n,
	size_t k, const float *a, size_t lda, const float *b, size_t ldb, float *c)
{
	if (cpu(h)->failed)
		return;
	if (dnnl_sgemm(op_a, op_b, (dnnl_dim_t)m, (dnnl_dim_t)n, (dnnl_dim_t)k, 1, a,
		    (dnnl_dim_t)lda, b, (dnnl_dim_t)ldb, 0, c,
		    (dnnl_dim_t)n) != dnnl_success)
		cpu_fail(h, "oneDNN: a product of %zu x %zu x %zu failed", m, n, k);
}

/*
 * y (n, out) = f(product + bias), the product being (n, out) or, transposed,
 * (out, n); in strips of rows.
 */
static void finish(float *y, const float *product, bool transposed, const float *bias,
	size_t n, size_t out, enum kf_activation f)
{
	enum { STRIP = 16 };
	size_t row = transposed ? 1 : out, column = transposed ? n : 1;

#pragma omp parallel for schedule(static) if (n * out >= CPU_PARALLEL_MIN)
	for (size_t first = 0; first < n; first += STRIP)
		for (size_t j = 0; j < out; j++)
			for (size_t i = first; i < first + STRIP && i < n; i++)
				y[i * out + j] =
					activated(product[i * row + j * column] +
							bias[j],
						f);
}

static void dense(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_mem *weights, const struct kf_act *x, struct kf_act *y)
{
	struct dense *d = plan->state;
	size_t n = (size_t)plan->n, in = (size_t)kf_layer_inputs(plan->layer);
	size_t out = (size_t)kf_layer_outputs(plan->layer);
	const float *w = weights->f + plan->weight->offset;
	const float *bias = weights->f + plan->bias->offset;
	const float *flat = flatten(b, plan, x);

	if (!flat || !cpu_room(b, y))
		return;
	if (cpu_transposed(b, plan->weight)) {
		gemm(b, 'N', 'N', n, out, in, flat, in, w, out, y->f);
		finish(y->f, y->f, false, bias, n, out, y->activation);
	} else if (room(b, &d->turned, n * out)) {
		gemm(b, 'N', 'T', out, n, in, w, in, flat, in, d->turned);
		finish(y->f, d->turned, true, bias, n, out, y->activation);
	}
}

static void dense_back(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_mem *weights, struct kf_mem *grads, const struct kf_act *x,
	const struct kf_act *y, struct kf_act *dy, struct kf_act *dx)
{
	struct dense *d = plan->state;
	size_t n = (size_t)plan->n, in = (size_t)kf_layer_inputs(plan->layer);
	size_t out = (size_t)kf_layer_outputs(plan->layer);
	bool transposed = cpu_transposed(b, plan->weight);
	const float *w = weights->f + plan->weight->offset;
	const float *from = x->block == 1 ? x->f : d->x; /* of the forward pass */
	float *dw = grads->f + plan->weight->offset, *to = NULL;
	float *db = grads->f + plan->bias->offset;

	/* dx takes the place of an x that nobody reads again, and is flattened where */
	/* x was, which has served by then */
	if (dx && x->block != 1 && x->due.plan && x->activation == KF_LINEAR)
		dx->f = x->f;
	else if (dx && !cpu_room(b, dx))
		return;
	if (dx)
		to = dx->block == 1 ? dx->f : d->x;
	cpu_slope(dy, y);
	memset(db, 0, out * sizeof *db);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < out; j++)
			db[j] += dy->f[i * out + j];
	if (transposed)
		gemm(b, 'T', 'N', in, out, n, from, in, dy->f, out, dw);
	else
		gemm(b, 'T', 'N', out, in, n, dy->f, out, from, in, dw);
	if (to && transposed)
		gemm(b, 'N', 'T', n, in, out, dy->f, out, w, out, to);
	else if (to)
		gemm(b, 'N', 'N', n, in, out, dy->f, out, w, in, to);
	if (to && to != dx->f)
		cpu_from_plain(b, to, dx);
}

const struct cpu_kind cpu_dense = { make_dense, free_dense, .forward = dense,
	.backward = dense_back };

/* -- dropout ----------------------------------------------------------------------- */

/*
 * An image as dropout goes through it: groups of `channels` channels that lie side
 * by side, each of `area` values.  A plain row is one channel.
 */
struct view {
	size_t groups, channels, area;
	size_t all; /* channels, without filling */
};

static struct view view(const struct kf_act *a)
{
	size_t area = (size_t)a->h * (size_t)a->w, c = (size_t)a->c;
	size_t block = (size_t)a->block;

	if (block == 1)
		return (struct view){ 1, 1, c * area, 1 };
	return (struct view){ (c + block - 1) / block, block, area, c };
}

/* One word for each pixel of a group: bit c tells whether channel c is kept. */
static void make_drop(struct kf_backend *b, struct kf_plan *plan)
{
	const int *s = plan->layer->out;
	struct view v = view(&(struct kf_act){ .c = s[0],
		.h = s[1],
		.w = s[2],
		.block = cpu_block(b, s[0], s[1], s[2]) });

	if (!cpu_make_places(plan, v.groups * v.area * sizeof(uint16_t)))
		cpu_fail(b, "out of memory");
}

CPU_CLONES
static void add_marks(uint16_t *kept, const uint32_t *bits, size_t n, uint32_t limit,
	int channel)
{
	for (size_t i = 0; i < n; i++)
		kept[i] |= (uint16_t)((bits[i] >= limit) << channel);
}

/* Draws one channel's marks, for n values from `index` in NCHW order on. */
static void draw_channel(uint16_t *kept, size_t n, uint64_t index, uint32_t limit,
	int channel, uint32_t layer, const struct kf_pass *pass)
{
	enum { BLOCKS = 256 };
	uint32_t bits[4 * BLOCKS];

	for (size_t done = 0, some; done < n; done += some) {
		uint64_t first = index + done;
		size_t skip = first % 4;

		some = n - done < 4 * BLOCKS - skip ? n - done : 4 * BLOCKS - skip;
		kf_philox_blocks(pass->seed, KF_RNG_DROPOUT, layer, pass->step,
			first / 4, (skip + some + 3) / 4, bits);
		add_marks(kept + done, bits + skip, some, limit, channel);
	}
}

/* The marks of group g of row i. */
static void draw_group(const struct kf_plan *plan, const struct view *v, size_t i,
	size_t g, uint16_t *kept, const struct kf_pass *pass)
{
	uint32_t limit = (uint32_t)(plan->layer->drop * 0x1p32);

	memset(kept, 0, v->area * sizeof *kept);
	for (size_t c = g * v->channels; c < v->all && c < (g + 1) * v->channels; c++)
		draw_channel(kept, v->area, (i * v->all + c) * v->area, limit,
			(int)(c % v->channels), (uint32_t)plan->layer->index, pass);
}

/* y = x scaled where it is kept, else 0, over one group. */
CPU_CLONES
static void keep(float *y, const float *x, const uint16_t *kept, size_t area,
	size_t channels, float scale)
{
	const cpu_masks8 bits = { 1, 2, 4, 8, 16, 32, 64, 128 };

	if (channels == 1) {
		for (size_t p = 0; p < area; p++)
			y[p] = x[p] * (kept[p] ? scale : 0);
		return;
	}
	for (size_t p = 0; p < area; p++)
		for (size_t c = p * channels, word = kept[p]; c < (p + 1) * channels;
			c += 8, word >>= 8) {
			cpu_masks8 mask = (bits & (int32_t)word) != 0;
			cpu_floats8 v = *(const cpu_floats8 *)(x + c) * scale;

			*(cpu_masks8 *)(y + c) = (cpu_masks8)v & mask;
		}
}

/* Training: what is kept is scaled, so that the mean stays. */
static void drop(struct kf_backend *b, const struct cpu_due *due, int thread, int i,
	const struct kf_act *x, struct kf_act *y, void *kept)
{
	float scale = (float)(1 / (1 - due->plan->layer->drop));
	struct view v = view(x);
	uint16_t *marks = kept;

	(void)b, (void)thread;
	for (size_t g = 0; g < v.groups; g++, marks += v.area) {
		size_t at = g * v.area * v.channels;

		draw_group(due->plan, &v, (size_t)i, g, marks, &due->pass);
		keep(y->f + at, x->f + at, marks, v.area, v.channels, scale);
	}
}

static void drop_back(struct kf_backend *b, const struct cpu_due *due, int thread,
	int i, struct kf_act *dy, struct kf_act *dx)
{
	float scale = (float)(1 / (1 - due->plan->layer->drop));
	const uint16_t *marks = cpu_marks(due, i, thread);
	struct view v = view(dy);

	(void)b;
	for (size_t g = 0; dx && g < v.groups; g++, marks += v.area) {
		size_t at = g * v.area * v.channels;

		keep(dx->f + at, dy->f + at, marks, v.area, v.channels, scale);
	}
}

const struct cpu_kind cpu_dropout = { make_drop, .there = drop, .back = drop_back };
