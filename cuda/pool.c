/* Max pooling. */
#include "memory.h"

static void forward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	const struct kf_flow *f)
{
	(void)pass, (void)weights;
	cuda_check(b, launch_pool(f->x->v, plan->layer->kernel, f->y->v), "pooling");
}

static void backward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights, struct kf_mem *grads,
	const struct kf_flow *f)
{
	int k = plan->layer->kernel;
	struct view dx;

	(void)pass, (void)weights, (void)grads;
	if (!f->dx)
		return;
	dx = f->dx->v;
	/* values outside the windows have no gradient */
	if (!f->sum_dx && (dx.h % k || dx.w % k))
		cuda_check(b,
			cudaMemsetAsync(dx.f, 0,
				sizeof(float) * (size_t)plan->n *
					(size_t)kf_layer_inputs(plan->layer),
				0),
			"clearing memory");
	cuda_check(b, launch_pool_backward(f->x->v, k, f->dy->v, dx, f->sum_dx),
		"pooling");
}

const struct cuda_layer cuda_pool = { NULL, forward, backward };
