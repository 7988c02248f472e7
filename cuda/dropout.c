/* Dropout. */
#include "memory.h"

/* Backward draws the same mask again, so that none is stored. */
static void apply_mask(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, struct view from, struct view to, bool sum)
{
	double p = plan->layer->drop;
	struct draw draw = { .seed = pass->seed,
		.first = (uint64_t)pass->share.first *
			(uint64_t)kf_layer_outputs(plan->layer),
		.step = pass->step,
		.layer = (uint32_t)plan->layer->index,
		.limit = (uint32_t)(p * 0x1p32) };

	cuda_check(b, launch_drop(from, to, draw, (float)(1 / (1 - p)), sum),
		"dropout");
}

static void forward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	const struct kf_flow *f)
{
	(void)weights;
	if (pass->train)
		apply_mask(b, plan, pass, f->x->v, f->y->v, false);
	else
		cuda_check(b,
			cudaMemcpyAsync(f->y->v.f, f->x->v.f,
				sizeof(float) * (size_t)plan->n *
					(size_t)kf_layer_outputs(plan->layer),
				cudaMemcpyDeviceToDevice, 0),
			"copying on the device");
}

static void backward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights, struct kf_mem *grads,
	const struct kf_flow *f)
{
	(void)weights, (void)grads;
	if (f->dx)
		apply_mask(b, plan, pass, f->dy->v, f->dx->v, f->sum_dx);
}

const struct cuda_layer cuda_drop = { NULL, forward, backward };
