/* Max pooling. */
#include "memory.h"

static void forward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights, struct kf_act *x,
	struct kf_act *y)
{
	(void)pass, (void)weights;
	cuda_check(b, launch_pool(x->v, plan->layer->kernel, y->v), "pooling");
}

static void backward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights, struct kf_mem *grads,
	struct kf_act *x, struct kf_act *y, struct kf_act *dy, struct kf_act *dx)
{
	int k = plan->layer->kernel;

	(void)pass, (void)weights, (void)grads, (void)y;
	if (!dx)
		return;
	if (dx->v.h % k ||
		dx->v.w % k) /* values outside the windows have no gradient */
		cuda_check(b,
			cudaMemsetAsync(dx->v.f, 0,
				sizeof(float) * (size_t)plan->n *
					(size_t)kf_layer_inputs(plan->layer),
				0),
			"clearing memory");
	cuda_check(b, launch_pool_backward(x->v, k, dy->v, dx->v), "pooling");
}

const struct cuda_layer cuda_pool = { NULL, forward, backward };
