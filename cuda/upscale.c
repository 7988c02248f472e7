/* Upscaling: each value becomes a square. */
#include "memory.h"

static void forward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	const struct kf_flow *f)
{
	(void)pass, (void)weights;
	cuda_check(b, launch_upscale(f->x->v, plan->layer->kernel, f->y->v),
		"upscaling");
}

static void backward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights, struct kf_mem *grads,
	const struct kf_flow *f)
{
	(void)pass, (void)weights, (void)grads;
	if (f->dx)
		cuda_check(b,
			launch_upscale_backward(f->dy->v, plan->layer->kernel, f->dx->v,
				f->sum_dx),
			"upscaling");
}

const struct cuda_layer cuda_upscale = { NULL, forward, backward };
