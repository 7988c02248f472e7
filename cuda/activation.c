/* Biases and activations of layers. */
#include "activation.h"

#include "memory.h"

void cuda_bias(struct kf_backend *b, const struct kf_plan *plan,
	const struct kf_mem *weights, struct kf_act *y, int outer, int inner)
{
	const struct kf_layer *l = plan->layer;

	if (!plan->bias)
		return;
	cuda_check(b,
		launch_bias(y->v.f, weights->f + plan->bias->offset, outer, l->out[0],
			inner, l->activation),
		"the bias");
}

void cuda_bias_backward(struct kf_backend *b, const struct kf_plan *plan,
	struct kf_mem *grads, const struct kf_act *y, struct kf_act *dy, int outer,
	int inner)
{
	const struct kf_layer *l = plan->layer;

	if (!plan->bias)
		return;
	cuda_check(b,
		launch_bias_backward(dy->v.f, y->v.f, grads->f + plan->bias->offset,
			outer, l->out[0], inner, l->activation, cuda(b)->sums),
		"the bias's gradient");
}
