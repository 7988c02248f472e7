/* Activations over arrays; the formulas are those of net/activation.h. */
#ifndef KF_CPU_ACTIVATION_H
#define KF_CPU_ACTIVATION_H

#include "cpu/internal.h"

/* y (n) = f(y), in place. */
void cpu_activate(float *y, size_t n, enum kf_activation f);

/*
 * y (n, out) = f(product + bias), the product being (n, out), which may be y itself,
 * or transposed (out, n).
 */
void cpu_add_bias(float *y, const float *product, bool transposed, const float *bias,
	size_t n, size_t out, enum kf_activation f);

/* From dy (n), the gradient by y = f(x), in place: the gradient by x. */
void cpu_activation_backward(float *dy, const float *y, size_t n, enum kf_activation f);

/* Whether the gradient dy by f(x) is one by x as it is. */
static inline bool cpu_is_preactivation(const struct kf_act *dy, enum kf_activation f)
{
	return dy->by_preactivation || f == KF_LINEAR;
}

#endif
