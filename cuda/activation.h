/*
 * Biases and activations of layers whose output is (outer, channels, inner).  A layer
 * without a bias has no activation either, as batch norm follows; so both functions do
 * nothing then.
 */
#ifndef KF_CUDA_ACTIVATION_H
#define KF_CUDA_ACTIVATION_H

#include "internal.h"

/* y = f(y + bias), in place, f being the layer's activation. */
void cuda_bias(struct kf_backend *b, const struct kf_plan *plan,
	const struct kf_mem *weights, struct kf_act *y, int outer, int inner);

/* From dy: sets the bias's gradient, and turns dy into the gradient with respect to the
 * activation's input, in place. */
void cuda_bias_backward(struct kf_backend *b, const struct kf_plan *plan,
	struct kf_mem *grads, const struct kf_act *y, struct kf_act *dy, int outer,
	int inner);

#endif
