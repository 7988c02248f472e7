/*
 * Layers on a CUDA device: dense layers and convolutions by cuBLAS's matrix
 * product, pooling and dropout by kernels of ours.
 */
#include "internal.h"

#include "base/rng.h"

/*
 * c (m, n) = op(a) op(b) + beta c, row-major, op being transposed or not; lda,
 * ldb, ldc are the rows' lengths as stored.  cuBLAS, which counts by columns,
 * sees the transposes: c' = op(b)' op(a)'.
 */
static void gemm(struct kf_backend *h, cublasOperation_t op_a, cublasOperation_t op_b,
	size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
	size_t ldb, float beta, float *c, size_t ldc)
{
	static const float one = 1;
	cublasStatus_t status;

	if (cuda(h)->failed)
		return;
	status = cublasSgemm(cuda(h)->blas, op_b, op_a, (int)n, (int)m, (int)k, &one, b,
		(int)ldb, a, (int)lda, &beta, c, (int)ldc);
	if (status != CUBLAS_STATUS_SUCCESS)
		cuda_fail(h, "cuBLAS: a product of %zu x %zu x %zu failed: %s", m, n, k,
			cublasGetStatusString(status));
}

#define N CUBLAS_OP_N
#define T CUBLAS_OP_T

/* What a layer's output is to a bias: (outer, channels, inner). */
static void bias_back(struct kf_backend *b, struct kf_plan *plan, struct kf_mem *grads,
	const struct kf_act *y, struct kf_act *dy, int outer, int inner)
{
	cuda_check(b,
		launch_bias_back(dy->v.f, y->v.f, grads->f + plan->bias->offset, outer,
			plan->layer->out[0], inner, plan->layer->activation,
			cuda(b)->sums),
		"the bias's gradient");
}

/* -- dense layers ------------------------------------------------------------------ */

static void make_dense(struct kf_backend *b, struct kf_plan *plan)
{
	struct view x = cuda_batch(NULL, plan->n, plan->layer->in);

	if (!cuda_is_plain(&x))
		plan->flat = cuda_bytes(b,
			(size_t)plan->n * sizeof *plan->flat *
				(size_t)kf_layer_inputs(plan->layer));
}

static void dense(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	const struct kf_act *x, struct kf_act *y)
{
	size_t n = (size_t)plan->n, in = (size_t)kf_layer_inputs(plan->layer);
	size_t out = (size_t)kf_layer_outputs(plan->layer);

	(void)pass;
	if (plan->flat)
		cuda_check(b,
			launch_copy_rows(x->v, (struct rows){ NULL, 0 },
				cuda_plain(plan->flat, plan->n, plan->layer->in)),
			"flattening");
	gemm(b, N, T, n, out, in, plan->flat ? plan->flat : x->v.f, in,
		weights->f + plan->weight->offset, in, 0, y->v.f, out);
	cuda_check(b,
		launch_bias(y->v.f, weights->f + plan->bias->offset, plan->n, (int)out,
			1, plan->layer->activation),
		"the bias");
}

static void dense_back(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights, struct kf_mem *grads,
	const struct kf_act *x, const struct kf_act *y, struct kf_act *dy,
	struct kf_act *dx)
{
	size_t n = (size_t)plan->n, in = (size_t)kf_layer_inputs(plan->layer);
	size_t out = (size_t)kf_layer_outputs(plan->layer);

	(void)pass;
	bias_back(b, plan, grads, y, dy, plan->n, 1);
	gemm(b, T, N, out, in, n, dy->v.f, out, plan->flat ? plan->flat : x->v.f, in, 0,
		grads->f + plan->weight->offset, in);
	if (!dx)
		return;
	/* the flat input has served */
	gemm(b, N, N, n, in, out, dy->v.f, out, weights->f + plan->weight->offset, in,
		0, plan->flat ? plan->flat : dx->v.f, in);
	if (plan->flat)
		cuda_check(b,
			launch_copy_rows(cuda_plain(plan->flat, plan->n,
						 plan->layer->in),
				(struct rows){ NULL, 0 }, dx->v),
			"unflattening");
}

static const struct cuda_kind dense_kind = { make_dense, dense, dense_back };

/* -- convolution ------------------------------------------------------------------- */

#define CHANNELS_MAX 65535 /* of a convolution: blocks of a grid in its y */

/* The sizes of a convolution as a matrix product: weights (filters, taps) by
 * columns (taps, pixels) of all images. */
struct sizes {
	size_t filters, taps, pixels;
	size_t piece; /* so many pixels at a time: whole images, if they fit */
};

static struct sizes find_sizes(struct kf_backend *b, const struct kf_plan *plan)
{
	const struct kf_layer *l = plan->layer;
	size_t image = (size_t)l->out[1] * (size_t)l->out[2];
	struct sizes s = { .filters = (size_t)l->out[0],
		.pixels = (size_t)plan->n * image,
		.taps = (size_t)(l->in[0] * l->kernel * l->kernel) };

	s.piece = cuda(b)->columns_max / s.taps;
	if (s.piece > s.pixels)
		s.piece = s.pixels;
	else if (s.piece > image)
		s.piece -= s.piece % image;
	else if (s.piece == 0)
		s.piece = 1;
	return s;
}

static void make_convolution(struct kf_backend *b, struct kf_plan *plan)
{
	struct sizes s = find_sizes(b, plan);
	struct cuda *c = cuda(b);

	if (plan->layer->in[0] > CHANNELS_MAX || plan->layer->out[0] > CHANNELS_MAX)
		cuda_fail(b,
			"%s: a convolution of more than %d channels is too large for "
			"this backend",
			plan->layer->name, CHANNELS_MAX);
	cuda_grow(b, (void **)&c->workspace, &c->workspace_floats, s.taps * s.piece,
		sizeof *c->workspace);
	cuda_grow(b, (void **)&c->sums, &c->sums_channels, s.filters,
		BIAS_SLICES * sizeof *c->sums);
}

/* The columns of a piece, in the workspace. */
static struct columns unfold(struct kf_backend *b, const struct kf_plan *plan,
	const struct sizes *s, size_t at, const struct kf_act *x)
{
	size_t count = s->pixels - at < s->piece ? s->pixels - at : s->piece;
	struct columns j = { (int)at, (int)count };

	if (!cuda(b)->failed)
		cuda_check(b,
			launch_im2col(x->v, plan->layer->kernel, j, cuda(b)->workspace),
			"im2col");
	return j;
}

static void convolve(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	const struct kf_act *x, struct kf_act *y)
{
	struct sizes s = find_sizes(b, plan);

	(void)pass;
	for (size_t at = 0; at < s.pixels; at += s.piece) {
		size_t count = (size_t)unfold(b, plan, &s, at, x).count;

		gemm(b, N, N, s.filters, count, s.taps,
			weights->f + plan->weight->offset, s.taps, cuda(b)->workspace,
			count, 0, y->v.f + at, s.pixels);
	}
	cuda_check(b,
		launch_bias(y->v.f, weights->f + plan->bias->offset, 1, (int)s.filters,
			(int)s.pixels, plan->layer->activation),
		"the bias");
}

static void convolve_back(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights, struct kf_mem *grads,
	const struct kf_act *x, const struct kf_act *y, struct kf_act *dy,
	struct kf_act *dx)
{
	struct sizes s = find_sizes(b, plan);
	const float *w = weights->f + plan->weight->offset;
	float *dw = grads->f + plan->weight->offset, *columns = cuda(b)->workspace;

	(void)pass;
	bias_back(b, plan, grads, y, dy, 1, (int)s.pixels);
	for (size_t at = 0; at < s.pixels; at += s.piece) {
		struct columns j = unfold(b, plan, &s, at, x);
		size_t count = (size_t)j.count;

		gemm(b, N, T, s.filters, s.taps, count, dy->v.f + at, s.pixels, columns,
			count, at ? 1 : 0, dw, s.taps);
		if (!dx)
			continue;
		/* x's columns have served */
		gemm(b, T, N, s.taps, count, s.filters, w, s.taps, dy->v.f + at,
			s.pixels, 0, columns, count);
		if (!cuda(b)->failed)
			cuda_check(b,
				launch_col2im(columns, j, plan->layer->kernel, dx->v),
				"col2im");
	}
}

static const struct cuda_kind convolution_kind = { make_convolution, convolve,
	convolve_back };

/* -- pooling and dropout ----------------------------------------------------------- */

static void make_nothing(struct kf_backend *b, struct kf_plan *plan)
{
	(void)b, (void)plan;
}

static void pool(struct kf_backend *b, struct kf_plan *plan, const struct kf_pass *pass,
	const struct kf_mem *weights, const struct kf_act *x, struct kf_act *y)
{
	(void)pass, (void)weights;
	cuda_check(b, launch_pool(x->v, plan->layer->kernel, y->v), "pooling");
}

static void pool_back(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights, struct kf_mem *grads,
	const struct kf_act *x, const struct kf_act *y, struct kf_act *dy,
	struct kf_act *dx)
{
	int k = plan->layer->kernel;

	(void)pass, (void)weights, (void)grads, (void)y;
	if (!dx)
		return;
	if (dx->v.h % k || dx->v.w % k) /* what is cut off has no gradient */
		cuda_check(b,
			cudaMemsetAsync(dx->v.f, 0,
				sizeof(float) * (size_t)plan->n *
					(size_t)kf_layer_inputs(plan->layer),
				0),
			"clearing memory");
	cuda_check(b, launch_pool_back(x->v, k, dy->v, dx->v), "pooling");
}

static const struct cuda_kind pooling_kind = { make_nothing, pool, pool_back };

/* Masks are drawn again on the way back, rather than kept. */
static void apply_mask(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, struct view from, struct view to)
{
	double p = plan->layer->drop;

	cuda_check(b,
		launch_drop(from, to, pass->seed, pass->step,
			(uint32_t)plan->layer->index, (uint32_t)(p * 0x1p32),
			(float)(1 / (1 - p))),
		"dropout");
}

static void drop(struct kf_backend *b, struct kf_plan *plan, const struct kf_pass *pass,
	const struct kf_mem *weights, const struct kf_act *x, struct kf_act *y)
{
	(void)weights;
	if (pass->train)
		apply_mask(b, plan, pass, x->v, y->v);
	else
		cuda_check(b,
			cudaMemcpyAsync(y->v.f, x->v.f,
				sizeof(float) * (size_t)plan->n *
					(size_t)kf_layer_outputs(plan->layer),
				cudaMemcpyDeviceToDevice, 0),
			"copying on the device");
}

static void drop_back(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights, struct kf_mem *grads,
	const struct kf_act *x, const struct kf_act *y, struct kf_act *dy,
	struct kf_act *dx)
{
	(void)weights, (void)grads, (void)x, (void)y;
	if (dx)
		apply_mask(b, plan, pass, dy->v, dx->v);
}

static const struct cuda_kind dropout_kind = { make_nothing, drop, drop_back };

/* -- kinds ------------------------------------------------------------------------- */

const struct cuda_kind *cuda_find_kind(const struct kf_layer *layer)
{
	static const struct cuda_kind *const kinds[] = { [KF_DENSE] = &dense_kind,
		[KF_CONV] = &convolution_kind,
		[KF_POOL] = &pooling_kind,
		[KF_DROP] = &dropout_kind };

	/* one that sees all of an image at once is a dense layer */
	if (layer->kind == KF_CONV && layer->out[1] * layer->out[2] == 1)
		return &dense_kind;
	return kinds[layer->kind];
}
