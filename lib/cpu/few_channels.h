/* The gradient at the input of a convolution that sees few channels, such as those of an
 * image: for it oneDNN has no fast code. */
#ifndef KF_CPU_FEW_CHANNELS_H
#define KF_CPU_FEW_CHANNELS_H

#include "cpu/internal.h"

/* Whether a convolution's dx is computed here: x is plain, y in blocks, and products are
 * not rounded. */
bool cpu_few_channels(struct kf_backend *b, const struct kf_plan *plan);

/* Floats of the weights in the order that is wanted here, and setting them from those of
 * the net (out, in, k, k); the padding is zero already. */
size_t cpu_few_channels_floats(const struct kf_plan *plan);
void cpu_few_channels_order(const struct kf_plan *plan, const float *weights,
	float *ordered);

/* dx (c, h, w) of an image, from dy with respect to the pre-activation. */
void cpu_few_channels_backward(const struct kf_plan *plan, const float *ordered,
	const float *dy, float *dx);

#endif
