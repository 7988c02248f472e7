/* Convolution as a matrix product with the unfolded input (im2col). */
#include "activation.h"
#include "cublas.h"
#include "memory.h"

#define CHANNELS_MAX 65535 /* limit of a grid's y dimension */

/* The sizes of a convolution as a matrix product: weights (filters, taps) times
 * columns (taps, pixels), pixels being the output pixels of all images. */
struct sizes {
	size_t filters, taps, pixels;
	size_t piece; /* pixels unfolded at a time: complete images, if they fit */
	/* With one pixel an image the product is stored as (pixels, filters). */
	bool transposed;
	struct filter filter;
};

static struct sizes find_sizes(struct kf_backend *b, const struct kf_plan *plan)
{
	const struct kf_layer *l = plan->layer;
	size_t image = (size_t)l->out[1] * (size_t)l->out[2];
	struct sizes s = { .filters = (size_t)l->out[0],
		.pixels = (size_t)plan->n * image,
		.taps = (size_t)(l->in[0] * l->kernel * l->kernel),
		.transposed = image == 1,
		.filter = { l->kernel, l->stride, l->pad, l->out[1], l->out[2] } };

	s.piece = cuda(b)->columns_max / s.taps;
	if (s.piece > s.pixels)
		s.piece = s.pixels;
	else if (s.piece > image)
		s.piece -= s.piece % image;
	else if (s.piece == 0)
		s.piece = 1;
	return s;
}

/* Whether a kernel is as large as the image, which makes it a dense layer. */
static bool sees_all(const struct kf_layer *l)
{
	return l->pad == 0 && l->kernel == l->in[1] && l->kernel == l->in[2];
}

static void make(struct kf_backend *b, struct kf_plan *plan)
{
	struct sizes s = find_sizes(b, plan);
	struct cuda *c = cuda(b);

	if (sees_all(plan->layer)) {
		plan->ops = &cuda_dense;
		plan->ops->make(b, plan);
		return;
	}
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

/* Unfolds the columns of the piece at `at` to the workspace. */
static struct columns unfold(struct kf_backend *b, const struct sizes *s, size_t at,
	const struct kf_act *x)
{
	size_t count = s->pixels - at < s->piece ? s->pixels - at : s->piece;
	struct columns j = { (int)at, (int)count };

	if (!cuda(b)->failed)
		cuda_check(b, launch_im2col(x->v, s->filter, j, cuda(b)->workspace),
			"im2col");
	return j;
}

static void forward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	const struct kf_flow *f)
{
	struct sizes s = find_sizes(b, plan);
	const float *w = weights->f + plan->weight->offset;
	const float *columns = cuda(b)->workspace;
	float *y = f->y->v.f;

	(void)pass;
	for (size_t at = 0; at < s.pixels; at += s.piece) {
		size_t count = (size_t)unfold(b, &s, at, f->x).count;

		if (s.transposed)
			cuda_gemm(b, T, T, count, s.filters, s.taps, columns, count, w,
				s.taps, 0, y + at * s.filters, s.filters);
		else
			cuda_gemm(b, N, N, s.filters, count, s.taps, w, s.taps, columns,
				count, 0, y + at, s.pixels);
	}
	if (s.transposed)
		cuda_bias(b, plan, weights, f->y, plan->n, 1);
	else
		cuda_bias(b, plan, weights, f->y, 1, (int)s.pixels);
}

/* The gradients of a piece from its dy, which op turns to (filters, count). */
static void piece_backward(struct kf_backend *b, const struct sizes *s,
	struct columns j, cublasOperation_t op, const float *dy, const float *w,
	float *dw, const struct kf_flow *f)
{
	size_t count = (size_t)j.count, row = op == T ? s->filters : s->pixels;
	float *columns = cuda(b)->workspace;

	cuda_gemm(b, op, T, s->filters, s->taps, count, dy, row, columns, count,
		j.first ? 1 : 0, dw, s->taps);
	if (!f->dx)
		return;
	/* x's columns are no longer needed */
	cuda_gemm(b, T, op, s->taps, count, s->filters, w, s->taps, dy, row, 0, columns,
		count);
	if (!cuda(b)->failed)
		cuda_check(b, launch_col2im(columns, j, s->filter, f->dx->v, f->sum_dx),
			"col2im");
}

static void backward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights, struct kf_mem *grads,
	const struct kf_flow *f)
{
	struct sizes s = find_sizes(b, plan);
	const float *w = weights->f + plan->weight->offset;
	float *dw = grads->f + plan->weight->offset;

	(void)pass;
	if (s.transposed)
		cuda_bias_backward(b, plan, grads, f->y, f->dy, plan->n, 1);
	else
		cuda_bias_backward(b, plan, grads, f->y, f->dy, 1, (int)s.pixels);
	for (size_t at = 0; at < s.pixels; at += s.piece)
		piece_backward(b, &s, unfold(b, &s, at, f->x), s.transposed ? T : N,
			f->dy->v.f + at * (s.transposed ? s.filters : 1), w, dw, f);
}

const struct cuda_layer cuda_conv = { make, forward, backward };
