/* Biases and activations of layers, whose output is (outer, channels, inner). */
#ifndef KF_CUDA_ACTIVATION_H
#define KF_CUDA_ACTIVATION_H

#include "internal.h"

/* y = f(y + bias) */
void cuda_bias(struct kf_backend *b, const struct kf_plan *plan,
	const struct kf_mem *weights, struct kf_act *y, int outer, int inner);

/* From dy, the gradient by y: the bias's gradient and, in dy, that by what the
 * activation was given. */
void cuda_bias_backward(struct kf_backend *b, const struct kf_plan *plan,
	struct kf_mem *grads, const struct kf_act *y, struct kf_act *dy, int outer,
	int inner);

#endif
