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

static void make(struct kf_backend *b, struct kf_plan *plan)
{
	struct sizes s = find_sizes(b, plan);
	struct cuda *c = cuda(b);

	/* a kernel as large as the image makes it a dense layer */
	if (plan->layer->out[1] * plan->layer->out[2] == 1) {
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

static void forward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights, struct kf_act *x,
	struct kf_act *y)
{
	struct sizes s = find_sizes(b, plan);

	(void)pass;
	for (size_t at = 0; at < s.pixels; at += s.piece) {
		size_t count = (size_t)unfold(b, plan, &s, at, x).count;

		cuda_gemm(b, N, N, s.filters, count, s.taps,
			weights->f + plan->weight->offset, s.taps, cuda(b)->workspace,
			count, 0, y->v.f + at, s.pixels);
	}
	cuda_check(b,
		launch_bias(y->v.f, weights->f + plan->bias->offset, 1, (int)s.filters,
			(int)s.pixels, plan->layer->activation),
		"the bias");
}

static void backward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights, struct kf_mem *grads,
	struct kf_act *x, struct kf_act *y, struct kf_act *dy, struct kf_act *dx)
{
	struct sizes s = find_sizes(b, plan);
	const float *w = weights->f + plan->weight->offset;
	float *dw = grads->f + plan->weight->offset, *columns = cuda(b)->workspace;

	(void)pass;
	cuda_bias_backward(b, plan, grads, y, dy, 1, (int)s.pixels);
	for (size_t at = 0; at < s.pixels; at += s.piece) {
		struct columns j = unfold(b, plan, &s, at, x);
		size_t count = (size_t)j.count;

		cuda_gemm(b, N, T, s.filters, s.taps, count, dy->v.f + at, s.pixels,
			columns, count, at ? 1 : 0, dw, s.taps);
		if (!dx)
			continue;
		/* x's columns are no longer needed */
		cuda_gemm(b, T, N, s.taps, count, s.filters, w, s.taps, dy->v.f + at,
			s.pixels, 0, columns, count);
		if (!cuda(b)->failed)
			cuda_check(b,
				launch_col2im(columns, j, plan->layer->kernel, dx->v),
				"col2im");
	}
}

const struct cuda_layer cuda_conv = { make, forward, backward };
