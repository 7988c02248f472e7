/* Convolution on the CPU by oneDNN's primitives, and pooling. */
#define _GNU_SOURCE
#include "backend_cpu.h"

#include <stdlib.h>
#include <string.h>

/* -- primitives -------------------------------------------------------------------- */

/* A primitive with what describes it. */
struct op {
	dnnl_primitive_t p;
	dnnl_primitive_desc_t pd;
};

/* One argument of an execution: which, its layout in pd, and its memory. */
struct arg {
	int id;
	dnnl_query_t query;
	int index;
	const void *data;
};

static void check(struct kf_backend *b, dnnl_status_t status, const char *what)
{
	if (status != dnnl_success)
		cpu_fail(b, "oneDNN: %s failed with status %d", what, (int)status);
}

static void make_op(struct kf_backend *b, struct op *op, const void *desc,
	dnnl_primitive_attr_t attr, dnnl_primitive_desc_t hint, const char *what)
{
	check(b, dnnl_primitive_desc_create(&op->pd, desc, attr, cpu(b)->engine, hint),
		what);
	if (!cpu(b)->failed)
		check(b, dnnl_primitive_create(&op->p, op->pd), what);
}

static void free_op(struct op *op)
{
	if (op->p)
		dnnl_primitive_destroy(op->p);
	if (op->pd)
		dnnl_primitive_desc_destroy(op->pd);
}

static const dnnl_memory_desc_t *layout(const struct op *op, dnnl_query_t query)
{
	return dnnl_primitive_desc_query_md(op->pd, query, 0);
}

static size_t layout_floats(const struct op *op, dnnl_query_t query)
{
	return dnnl_memory_desc_get_size(layout(op, query)) / sizeof(float);
}

static void execute(struct kf_backend *b, dnnl_primitive_t p, int n,
	const dnnl_memory_desc_t *const *md, const struct arg *args)
{
	dnnl_exec_arg_t exec[4];
	int made = 0;

	for (; made < n; made++) {
		exec[made].arg = args[made].id;
		check(b, dnnl_memory_create(&exec[made].memory, md[made],
			cpu(b)->engine, (void *)args[made].data), "memory");
		if (cpu(b)->failed)
			break;
	}
	if (made == n) {
		check(b, dnnl_primitive_execute(p, cpu(b)->stream, n, exec), "execution");
		check(b, dnnl_stream_wait(cpu(b)->stream), "execution");
	}
	while (made-- > 0)
		dnnl_memory_destroy(exec[made].memory);
}

static void run(struct kf_backend *b, const struct op *op, int n,
	const struct arg *args)
{
	const dnnl_memory_desc_t *md[4];

	if (cpu(b)->failed)
		return;
	for (int i = 0; i < n; i++)
		md[i] = dnnl_primitive_desc_query_md(op->pd, args[i].query,
			args[i].index);
	execute(b, op->p, n, md, args);
}

static void reorder(struct kf_backend *b, const dnnl_memory_desc_t *from,
	const float *src, const dnnl_memory_desc_t *to, float *dst)
{
	const dnnl_memory_desc_t *md[] = { from, to };
	const struct arg args[] = { { DNNL_ARG_FROM, 0, 0, src }, { DNNL_ARG_TO, 0, 0, dst } };
	struct op op = { 0 };

	if (cpu(b)->failed)
		return;
	check(b, dnnl_reorder_primitive_desc_create(&op.pd, from, cpu(b)->engine, to,
		cpu(b)->engine, NULL), "reorder");
	if (!cpu(b)->failed)
		check(b, dnnl_primitive_create(&op.p, op.pd), "reorder");
	if (!cpu(b)->failed)
		execute(b, op.p, 2, md, args);
	free_op(&op);
}

/* -- layouts ------------------------------------------------------------------------- */

static dnnl_memory_desc_t image_layout(int n, int c, int h, int w, int block)
{
	dnnl_dims_t dims = { n, c, h, w };
	dnnl_memory_desc_t md;

	dnnl_memory_desc_init_by_tag(&md, 4, dims, dnnl_f32, block == 16 ?
		dnnl_nChw16c : block == 8 ? dnnl_nChw8c : dnnl_nchw);
	return md;
}

static dnnl_memory_desc_t shape_layout(struct kf_backend *b, int n, const int s[3])
{
	return image_layout(n, s[0], s[1], s[2], cpu_block(b, s[0], s[1], s[2]));
}

/* As oneDNN likes it best. */
static dnnl_memory_desc_t any_layout(int n, const int s[3])
{
	dnnl_dims_t dims = { n, s[0], s[1], s[2] };
	dnnl_memory_desc_t md;

	dnnl_memory_desc_init_by_tag(&md, 4, dims, dnnl_f32, dnnl_format_tag_any);
	return md;
}

void cpu_to_plain(struct kf_backend *b, const struct kf_act *a, float *plain)
{
	dnnl_memory_desc_t from = image_layout(a->n, a->c, a->h, a->w, a->block);
	dnnl_memory_desc_t to = image_layout(a->n, a->c, a->h, a->w, 1);

	reorder(b, &from, a->f, &to, plain);
}

void cpu_from_plain(struct kf_backend *b, const float *plain, struct kf_act *a)
{
	dnnl_memory_desc_t from = image_layout(a->n, a->c, a->h, a->w, 1);
	dnnl_memory_desc_t to = image_layout(a->n, a->c, a->h, a->w, a->block);

	reorder(b, &from, plain, &to, a->f);
}

/* -- convolution ----------------------------------------------------------------------- */

struct convolution {
	struct op forward, by_weights, by_data;
	dnnl_memory_desc_t plain;   /* weights as the arena has them: (out, in, k, k) */
	float *weights;             /* in the forward pass's layout */
	float *back_weights;        /* in that of the pass to x */
	float *grads;
	float *x;                   /* in the layout of the pass to the weights, */
				    /* where that is another than x comes in */
};

static dnnl_memory_desc_t weight_layout(const struct kf_plan *plan,
	dnnl_format_tag_t tag)
{
	dnnl_dims_t dims;
	dnnl_memory_desc_t md;

	for (int i = 0; i < 4; i++)
		dims[i] = plan->weight->shape[i];
	dnnl_memory_desc_init_by_tag(&md, 4, dims, dnnl_f32, tag);
	return md;
}

static dnnl_primitive_attr_t relu_after(struct kf_backend *b)
{
	dnnl_primitive_attr_t attr = NULL;
	dnnl_post_ops_t ops = NULL;

	check(b, dnnl_primitive_attr_create(&attr), "attributes");
	check(b, dnnl_post_ops_create(&ops), "attributes");
	check(b, dnnl_post_ops_append_eltwise(ops, 1, dnnl_eltwise_relu, 0, 0),
		"attributes");
	check(b, dnnl_primitive_attr_set_post_ops(attr, ops), "attributes");
	dnnl_post_ops_destroy(ops);
	return attr;
}

/* Stride 1, no padding: correlation, as in PyTorch. */
static void make_convolution(struct kf_backend *b, struct kf_plan *plan)
{
	struct convolution *v = calloc(1, sizeof *v);
	dnnl_memory_desc_t x = shape_layout(b, plan->n, plan->layer->in);
	dnnl_memory_desc_t y = shape_layout(b, plan->n, plan->layer->out);
	dnnl_memory_desc_t any_x = any_layout(plan->n, plan->layer->in);
	dnnl_memory_desc_t w = weight_layout(plan, dnnl_format_tag_any), bias;
	dnnl_dims_t out = { plan->layer->out[0] }, strides = { 1, 1 }, pad = { 0, 0 };
	bool relu = plan->layer->activation == KF_RELU;
	dnnl_primitive_attr_t attr = relu ? relu_after(b) : NULL;
	dnnl_convolution_desc_t d;

	if (!(plan->state = v)) {
		cpu_fail(b, "out of memory");
		return;
	}
	v->plain = weight_layout(plan, dnnl_oihw);
	dnnl_memory_desc_init_by_tag(&bias, 1, out, dnnl_f32, dnnl_x);
	check(b, dnnl_convolution_forward_desc_init(&d, dnnl_forward_training,
		dnnl_convolution_direct, &x, &w, &bias, &y, strides, pad, pad),
		"convolution");
	make_op(b, &v->forward, &d, attr, NULL, "convolution");
	if (attr)
		dnnl_primitive_attr_destroy(attr);
	check(b, dnnl_convolution_backward_weights_desc_init(&d,
		dnnl_convolution_direct, &any_x, &w, &bias, &y, strides, pad, pad),
		"convolution");
	make_op(b, &v->by_weights, &d, NULL, v->forward.pd, "convolution");
	check(b, dnnl_convolution_backward_data_desc_init(&d, dnnl_convolution_direct,
		&x, &w, &y, strides, pad, pad), "convolution");
	make_op(b, &v->by_data, &d, NULL, v->forward.pd, "convolution");
	if (cpu(b)->failed)
		return;
	v->weights = cpu_floats(b, layout_floats(&v->forward, dnnl_query_weights_md));
	v->back_weights = cpu_floats(b,
		layout_floats(&v->by_data, dnnl_query_weights_md));
	v->grads = cpu_floats(b,
		layout_floats(&v->by_weights, dnnl_query_diff_weights_md));
	if (!dnnl_memory_desc_equal(&x, layout(&v->by_weights, dnnl_query_src_md)))
		v->x = cpu_floats(b, layout_floats(&v->by_weights, dnnl_query_src_md));
}

static void free_convolution(struct kf_plan *plan)
{
	struct convolution *v = plan->state;

	if (!v)
		return;
	free_op(&v->forward);
	free_op(&v->by_weights);
	free_op(&v->by_data);
	free(v->weights);
	free(v->back_weights);
	free(v->grads);
	free(v->x);
	free(v);
}

static void convolve(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	const struct kf_act *x, struct kf_act *y)
{
	struct convolution *v = plan->state;
	const struct arg args[] = {
		{ DNNL_ARG_SRC, dnnl_query_src_md, 0, x->f },
		{ DNNL_ARG_WEIGHTS, dnnl_query_weights_md, 0, v->weights },
		{ DNNL_ARG_BIAS, dnnl_query_weights_md, 1, weights->f + plan->bias->offset },
		{ DNNL_ARG_DST, dnnl_query_dst_md, 0, y->f },
	};

	(void)pass;
	reorder(b, &v->plain, weights->f + plan->weight->offset,
		layout(&v->forward, dnnl_query_weights_md), v->weights);
	run(b, &v->forward, 4, args);
	if (plan->layer->activation != KF_RELU)
		cpu_activate(y->f, cpu_act_floats(y), plan->layer->activation);
}

static void convolve_back(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	struct kf_mem *grads, const struct kf_act *x, const struct kf_act *y,
	struct kf_act *dy, struct kf_act *dx)
{
	struct convolution *v = plan->state;
	dnnl_memory_desc_t from = image_layout(x->n, x->c, x->h, x->w, x->block);
	const struct arg by_weights[] = {
		{ DNNL_ARG_SRC, dnnl_query_src_md, 0, v->x ? v->x : x->f },
		{ DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md, 0, dy->f },
		{ DNNL_ARG_DIFF_WEIGHTS, dnnl_query_diff_weights_md, 0, v->grads },
		{ DNNL_ARG_DIFF_BIAS, dnnl_query_diff_weights_md, 1,
			grads->f + plan->bias->offset },
	};

	(void)pass;
	cpu_activation_gradient(dy->f, y->f, cpu_act_floats(y),
		plan->layer->activation);
	if (v->x)
		reorder(b, &from, x->f, layout(&v->by_weights, dnnl_query_src_md), v->x);
	run(b, &v->by_weights, 4, by_weights);
	reorder(b, layout(&v->by_weights, dnnl_query_diff_weights_md), v->grads,
		&v->plain, grads->f + plan->weight->offset);
	if (!dx)
		return;
	reorder(b, &v->plain, weights->f + plan->weight->offset,
		layout(&v->by_data, dnnl_query_weights_md), v->back_weights);
	run(b, &v->by_data, 3, (const struct arg[]){
		{ DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md, 0, dy->f },
		{ DNNL_ARG_WEIGHTS, dnnl_query_weights_md, 0, v->back_weights },
		{ DNNL_ARG_DIFF_SRC, dnnl_query_diff_src_md, 0, dx->f } });
}

const struct cpu_kind cpu_convolution = { make_convolution, free_convolution,
	convolve, convolve_back };

/* -- pooling ----------------------------------------------------------------------- */

/*
 * Own loops: they need a third of the time that oneDNN's primitive takes, and
 * do any layout, since a block of channels is what lies side by side.
 */

/* Which of a window's k k values was the largest, for each output. */
static void make_pooling(struct kf_backend *b, struct kf_plan *plan)
{
	const int *s = plan->layer->out;
	struct kf_act y = { plan->n, s[0], s[1], s[2],
		cpu_block(b, s[0], s[1], s[2]), NULL, NULL };

	if (!(plan->state = calloc(cpu_act_floats(&y), sizeof(uint32_t))))
		cpu_fail(b, "out of memory");
}

static void free_pooling(struct kf_plan *plan)
{
	free(plan->state);
}

/* Eight floats side by side, and what comparing them gives: all ones or zeros. */
typedef float floats8 __attribute__((vector_size(32), aligned(4)));
typedef int32_t masks8 __attribute__((vector_size(32), aligned(4)));

/* One window of 2 x 2, of eight channels: first points at it in a row of w. */
static inline void pool_eight(const float *first, size_t row, size_t block, float *y,
	uint32_t *which)
{
	const float *const v[4] = { first, first + block, first + row,
		first + row + block };
	floats8 best = *(const floats8 *)v[0];
	masks8 at = { 0 };

	for (int32_t a = 1; a < 4; a++) {
		floats8 next = *(const floats8 *)v[a];
		masks8 larger = next > best;

		at = (larger & a) | (~larger & at);
		best = (floats8)((larger & (masks8)next) | (~larger & (masks8)best));
	}
	*(floats8 *)y = best;
	*(masks8 *)which = at;
}

static inline void pool_any(const float *first, size_t row, int k, int block,
	float *y, uint32_t *which)
{
	for (int c = 0; c < block; c++) {
		y[c] = first[c];
		which[c] = 0;
		for (int a = 1; a < k * k; a++) {
			float v = first[(size_t)(a / k) * row + (size_t)(a % k * block + c)];

			if (v > y[c]) {
				y[c] = v;
				which[c] = (uint32_t)a;
			}
		}
	}
}

/* One output row of n windows: x points at its k input rows of w pixels. */
CPU_CLONES
static void pool_row(const float *x, int w, float *y, uint32_t *which, int n, int k,
	int block)
{
	size_t row = (size_t)(w * block), step = (size_t)block;

	for (size_t i = 0; i < (size_t)n; i++) {
		const float *first = x + i * (size_t)k * step;

		if (k == 2 && block % 8 == 0)
			for (size_t c = 0; c < step; c += 8)
				pool_eight(first + c, row, step, y + i * step + c,
					which + i * step + c);
		else
			pool_any(first, row, k, block, y + i * step,
				which + i * step);
	}
}

/* The way back: dx's k rows get dy where the largest was, 0 elsewhere. */
static inline void pool_blocks_back(const float *dy, const uint32_t *which, int n,
	float *dx, int w, int k, int block)
{
	for (int a = 0; a < k * k; a++)
		for (int i = 0; i < n; i++) {
			float *to = dx + ((size_t)(a / k * w + a % k) +
				(size_t)(i * k)) * (size_t)block;
			size_t from = (size_t)(i * block);

			for (int c = 0; c < block; c++)
				to[c] = which[from + (size_t)c] == (uint32_t)a ?
					dy[from + (size_t)c] : 0;
		}
}

CPU_CLONES
static void pool_row_back(const float *dy, const uint32_t *which, int n, float *dx,
	int w, int k, int block)
{
	if (block == 16 && k == 2)
		pool_blocks_back(dy, which, n, dx, w, 2, 16);
	else if (block == 8 && k == 2)
		pool_blocks_back(dy, which, n, dx, w, 2, 8);
	else
		pool_blocks_back(dy, which, n, dx, w, k, block);
}

/* The first value of a channel of one row; those after it lie a block apart. */
static size_t channel_at(const struct kf_act *a, int row, int channel)
{
	size_t block = (size_t)a->block, blocks = ((size_t)a->c + block - 1) / block;
	size_t image = (size_t)row * blocks + (size_t)channel / block;

	return image * block * (size_t)a->h * (size_t)a->w + (size_t)channel % block;
}

/* A pool whose output is one pixel a channel, which is never in blocks, from x
 * in blocks. */
static void pool_to_pixels(const struct kf_act *x, struct kf_act *y, uint32_t *which,
	int k)
{
#pragma omp parallel for collapse(2) schedule(static)
	for (int i = 0; i < y->n; i++)
		for (int c = 0; c < y->c; c++) {
			const float *first = x->f + channel_at(x, i, c);
			size_t to = channel_at(y, i, c);

			y->f[to] = *first;
			which[to] = 0;
			for (int a = 1; a < k * k; a++) {
				float v = first[(a / k * x->w + a % k) * x->block];

				if (v > y->f[to]) {
					y->f[to] = v;
					which[to] = (uint32_t)a;
				}
			}
		}
}

static void pool_to_pixels_back(const struct kf_act *dy, const uint32_t *which,
	struct kf_act *dx, int k)
{
#pragma omp parallel for collapse(2) schedule(static)
	for (int i = 0; i < dy->n; i++)
		for (int c = 0; c < dy->c; c++) {
			float *first = dx->f + channel_at(dx, i, c);
			size_t from = channel_at(dy, i, c);

			for (int a = 0; a < k * k; a++)
				first[(a / k * dx->w + a % k) * dx->block] =
					which[from] == (uint32_t)a ? dy->f[from] : 0;
		}
}

/* Blocks of channels in a batch: each is an image of its own. */
static int images(const struct kf_act *a)
{
	return a->n * ((a->c + a->block - 1) / a->block);
}

/* The largest of each k x k window; the stride is k, what is left over is cut. */
static void pool(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	const struct kf_act *x, struct kf_act *y)
{
	int k = plan->layer->kernel, block = x->block;
	size_t row = (size_t)(y->w * block);
	uint32_t *which = plan->state;

	(void)b, (void)pass, (void)weights;
	if (y->block != block) {
		pool_to_pixels(x, y, which, k);
		return;
	}
#pragma omp parallel for collapse(2) schedule(static)
	for (int i = 0; i < images(y); i++)
		for (int h = 0; h < y->h; h++) {
			size_t at = (size_t)(i * y->h + h) * row;

			pool_row(x->f + (size_t)(i * x->h + h * k) * (size_t)(x->w * block),
				x->w, y->f + at, which + at, y->w, k, block);
		}
}

static void pool_back(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	struct kf_mem *grads, const struct kf_act *x, const struct kf_act *y,
	struct kf_act *dy, struct kf_act *dx)
{
	int k = plan->layer->kernel, block = x->block;
	const uint32_t *which = plan->state;

	(void)b, (void)pass, (void)weights, (void)grads;
	if (!dx)
		return;
	if (x->h % k || x->w % k)
		memset(dx->f, 0, cpu_act_floats(dx) * sizeof *dx->f);
	if (y->block != block) {
		pool_to_pixels_back(dy, which, dx, k);
		return;
	}
#pragma omp parallel for collapse(2) schedule(static)
	for (int i = 0; i < images(y); i++)
		for (int h = 0; h < y->h; h++) {
			size_t at = (size_t)(i * y->h + h) * (size_t)(y->w * block);

			pool_row_back(dy->f + at, which + at, y->w, dx->f +
				(size_t)(i * x->h + h * k) * (size_t)(x->w * block),
				x->w, k, block);
		}
}

const struct cpu_kind cpu_pooling = { make_pooling, free_pooling, pool, pool_back };
