/* Batch norm. */
#include "memory.h"

static void make(struct kf_backend *b, struct kf_plan *plan)
{
	struct cuda *c = cuda(b);
	size_t channels = (size_t)plan->layer->out[0];
	float *own = cuda_bytes(b, 3 * channels * sizeof *own);

	cuda_grow(b, (void **)&c->sums, &c->sums_channels, 2 * channels,
		BIAS_SLICES * sizeof *c->sums);
	plan->own = own;
	if (own)
		plan->moments =
			(struct moments){ own, own + channels, own + 2 * channels };
}

static void forward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	const struct kf_flow *f)
{
	const struct kf_layer *l = plan->layer;
	struct moments m = plan->moments;

	if (pass->train) {
		cuda_check(b, launch_moments(f->x->v, cuda(b)->sums, m),
			"a batch's moments");
	} else {
		m.mean = weights->f + plan->mean->offset;
		cuda_check(b,
			launch_scale(weights->f + plan->variance->offset, l->out[0],
				m.scale),
			"batch norm's scale");
	}
	cuda_check(b,
		launch_normalize(f->x->v, m.mean, m.scale,
			weights->f + plan->weight->offset,
			weights->f + plan->bias->offset, l->activation, f->y->v),
		"batch norm");
}

static void backward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights, struct kf_mem *grads,
	const struct kf_flow *f)
{
	struct norm_gradients g = { grads->f + plan->weight->offset,
		grads->f + plan->bias->offset, grads->f + plan->mean->offset,
		grads->f + plan->variance->offset };

	(void)pass;
	cuda_check(b,
		launch_norm_gradients(f->x->v, plan->moments, f->y->v, f->dy->v,
			plan->layer->activation, cuda(b)->sums, g),
		"batch norm's gradients");
	if (f->dx)
		cuda_check(b,
			launch_norm_backward(f->x->v, plan->moments,
				weights->f + plan->weight->offset, g, f->dy->v,
				f->dx->v, f->sum_dx),
			"batch norm");
}

const struct cuda_layer cuda_batchnorm = { make, forward, backward };
