/* Dense layers by oneDNN's matrix product, activations, dropout. */
#define _GNU_SOURCE
#include "backend_cpu.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rng.h"

/* -- activations ------------------------------------------------------------------- */

void cpu_activate(float *y, size_t n, enum kf_activation f)
{
	if (f == KF_LINEAR)
		return;
#pragma omp parallel for schedule(static) if (n >= CPU_PARALLEL_MIN)
	for (size_t i = 0; i < n; i++)
		y[i] = f == KF_RELU ? (y[i] > 0 ? y[i] : 0) :
			f == KF_TANH ? tanhf(y[i]) : 1 / (1 + expf(-y[i]));
}

void cpu_activation_gradient(float *dy, const float *y, size_t n,
	enum kf_activation f)
{
	if (f == KF_RELU) {
#pragma omp parallel for simd schedule(static) if (n >= CPU_PARALLEL_MIN)
		for (size_t i = 0; i < n; i++)
			dy[i] = y[i] > 0 ? dy[i] : 0;
	} else if (f == KF_TANH) {
#pragma omp parallel for simd schedule(static) if (n >= CPU_PARALLEL_MIN)
		for (size_t i = 0; i < n; i++)
			dy[i] *= 1 - y[i] * y[i];
	} else if (f == KF_SIGMOID) {
#pragma omp parallel for simd schedule(static) if (n >= CPU_PARALLEL_MIN)
		for (size_t i = 0; i < n; i++)
			dy[i] *= y[i] * (1 - y[i]);
	}
}

/* -- dense layers ------------------------------------------------------------------ */

/* What a dense layer keeps where its input is not plain: x and dx flattened. */
struct flat {
	float *x, *dx;
};

static void make_dense(struct kf_backend *b, struct kf_plan *plan)
{
	if (!(plan->state = calloc(1, sizeof(struct flat))))
		cpu_fail(b, "out of memory");
}

static void free_dense(struct kf_plan *plan)
{
	struct flat *flat = plan->state;

	if (flat) {
		free(flat->x);
		free(flat->dx);
	}
	free(flat);
}

/* x in NCHW order. */
static const float *flatten(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_act *x)
{
	struct flat *flat = plan->state;

	if (x->block == 1)
		return x->f;
	if (!flat->x)
		flat->x = cpu_floats(b, cpu_act_floats(x));
	if (flat->x)
		cpu_to_plain(b, x, flat->x);
	return flat->x;
}

/* c (m, n) = op(a) op(b), row-major; lda and ldb are those of a, b as stored */
static void gemm(struct kf_backend *h, char op_a, char op_b, size_t m, size_t n,
	size_t k, const float *a, size_t lda, const float *b, size_t ldb, float *c)
{
	if (cpu(h)->failed)
		return;
	if (dnnl_sgemm(op_a, op_b, (dnnl_dim_t)m, (dnnl_dim_t)n, (dnnl_dim_t)k, 1, a,
		(dnnl_dim_t)lda, b, (dnnl_dim_t)ldb, 0, c, (dnnl_dim_t)n) !=
		dnnl_success)
		cpu_fail(h, "oneDNN: a product of %zu x %zu x %zu failed", m, n, k);
}

static void dense(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	const struct kf_act *x, struct kf_act *y)
{
	size_t n = (size_t)plan->n, in = (size_t)kf_layer_inputs(plan->layer);
	size_t out = (size_t)kf_layer_outputs(plan->layer);
	const float *w = weights->f + plan->weight->offset;
	const float *bias = weights->f + plan->bias->offset;
	const float *flat = flatten(b, plan, x);

	(void)pass;
	if (cpu(b)->transposed)
		gemm(b, 'N', 'N', n, out, in, flat, in, w, out, y->f);
	else
		gemm(b, 'N', 'T', n, out, in, flat, in, w, in, y->f);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < out; j++)
			y->f[i * out + j] += bias[j];
	cpu_activate(y->f, n * out, plan->layer->activation);
}

static void dense_back(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	struct kf_mem *grads, const struct kf_act *x, const struct kf_act *y,
	struct kf_act *dy, struct kf_act *dx)
{
	struct flat *flat = plan->state;
	size_t n = (size_t)plan->n, in = (size_t)kf_layer_inputs(plan->layer);
	size_t out = (size_t)kf_layer_outputs(plan->layer);
	const float *w = weights->f + plan->weight->offset;
	const float *from = x->block == 1 ? x->f : flat->x; /* of the forward pass */
	float *dw = grads->f + plan->weight->offset, *to;
	float *db = grads->f + plan->bias->offset;

	(void)pass;
	cpu_activation_gradient(dy->f, y->f, n * out, plan->layer->activation);
	memset(db, 0, out * sizeof *db);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < out; j++)
			db[j] += dy->f[i * out + j];
	if (cpu(b)->transposed)
		gemm(b, 'T', 'N', in, out, n, from, in, dy->f, out, dw);
	else
		gemm(b, 'T', 'N', out, in, n, dy->f, out, from, in, dw);
	if (!dx)
		return;
	to = dx->f;
	if (dx->block != 1) {
		if (!flat->dx && !(flat->dx = cpu_floats(b, cpu_act_floats(dx))))
			return;
		to = flat->dx;
	}
	if (cpu(b)->transposed)
		gemm(b, 'N', 'T', n, in, out, dy->f, out, w, out, to);
	else
		gemm(b, 'N', 'N', n, in, out, dy->f, out, w, in, to);
	if (to != dx->f)
		cpu_from_plain(b, to, dx);
}

const struct cpu_kind cpu_dense = { make_dense, free_dense, dense, dense_back };

/* -- dropout ----------------------------------------------------------------------- */

/* Which values were kept, in the layout of the batch. */
static void make_drop(struct kf_backend *b, struct kf_plan *plan)
{
	const int *s = plan->layer->out;
	struct kf_act a = { plan->n, s[0], s[1], s[2],
		cpu_block(b, s[0], s[1], s[2]), NULL, NULL };

	if (!(plan->state = calloc(cpu_act_floats(&a), 1)))
		cpu_fail(b, "out of memory");
}

static void free_drop(struct kf_plan *plan)
{
	free(plan->state);
}

/*
 * Draws the marks of one channel of one row, count values that follow one
 * another in NCHW order from `index` on and lie `stride` apart in memory.
 */
static void draw_marks(unsigned char *kept, size_t stride, size_t count,
	uint64_t index, uint32_t limit, uint32_t layer, const struct kf_pass *pass)
{
	enum { BLOCKS = 64 };
	uint32_t bits[4 * BLOCKS];

	for (size_t done = 0; done < count;) {
		uint64_t first = index + done;
		size_t skip = first % 4, n = 4 * BLOCKS - skip;

		if (n > count - done)
			n = count - done;
		kf_philox_blocks(pass->seed, KF_RNG_DROPOUT, layer, pass->step,
			first / 4, (skip + n + 3) / 4, bits);
		for (size_t i = 0; i < n; i++)
			kept[(done + i) * stride] = bits[skip + i] >= limit;
		done += n;
	}
}

static void draw_all_marks(struct kf_plan *plan, const struct kf_act *a,
	const struct kf_pass *pass)
{
	uint32_t limit = (uint32_t)(plan->layer->drop * 0x1p32);
	size_t area = (size_t)a->h * (size_t)a->w, row = cpu_act_floats(a) / (size_t)a->n;
	size_t c_count = (size_t)a->c, block = (size_t)a->block;
	unsigned char *kept = plan->state;

#pragma omp parallel for collapse(2) schedule(static)
	for (size_t i = 0; i < (size_t)a->n; i++)
		for (size_t c = 0; c < c_count; c++)
			draw_marks(kept + i * row + c / block * block * area + c % block,
				block, area, (i * c_count + c) * area, limit,
				(uint32_t)plan->layer->index, pass);
}

/* Training: what is kept is scaled, so that the mean stays. */
static void drop(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	const struct kf_act *x, struct kf_act *y)
{
	float scale = (float)(1 / (1 - plan->layer->drop));
	const unsigned char *kept = plan->state;
	size_t n = cpu_act_floats(x);

	(void)b;
	(void)weights;
	if (!pass->train) {
		memcpy(y->f, x->f, n * sizeof *y->f);
		return;
	}
	draw_all_marks(plan, x, pass);
#pragma omp parallel for simd schedule(static) if (n >= CPU_PARALLEL_MIN)
	for (size_t i = 0; i < n; i++)
		y->f[i] = kept[i] ? x->f[i] * scale : 0;
}

static void drop_back(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	struct kf_mem *grads, const struct kf_act *x, const struct kf_act *y,
	struct kf_act *dy, struct kf_act *dx)
{
	float scale = (float)(1 / (1 - plan->layer->drop));
	const unsigned char *kept = plan->state;
	size_t n = cpu_act_floats(x);

	(void)b, (void)pass, (void)weights, (void)grads, (void)y;
	if (!dx)
		return;
#pragma omp parallel for simd schedule(static) if (n >= CPU_PARALLEL_MIN)
	for (size_t i = 0; i < n; i++)
		dx->f[i] = kept[i] ? dy->f[i] * scale : 0;
}

const struct cpu_kind cpu_dropout = { make_drop, free_drop, drop, drop_back };
