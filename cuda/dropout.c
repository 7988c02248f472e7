/* Dropout. */
#include "memory.h"

/* Backward draws the same mask again, so that none is stored. */
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

static void forward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights, struct kf_act *x,
	struct kf_act *y)
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

static void backward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights, struct kf_mem *grads,
	struct kf_act *x, struct kf_act *y, struct kf_act *dy, struct kf_act *dx)
{
	(void)weights, (void)grads, (void)x, (void)y;
	if (dx)
		apply_mask(b, plan, pass, dy->v, dx->v);
}

const struct cuda_layer cuda_drop = { NULL, forward, backward };
