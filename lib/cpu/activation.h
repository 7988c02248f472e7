/* Activations over arrays; the formulas are those of net/activation.h. */
#ifndef KF_CPU_ACTIVATION_H
#define KF_CPU_ACTIVATION_H

#include "cpu/internal.h"

/* y (n) = f(y), in place. */
void cpu_activate(float *y, size_t n, enum kf_activation f);

/* y (n, out) = f(y + bias), in place, without a bias if that is NULL. */
void cpu_add_bias(float *y, const float *bias, size_t n, size_t out,
	enum kf_activation f);

/* Turns dy (n), where y = f(x), into dx, in place. */
void cpu_activation_backward(float *dy, const float *y, size_t n, enum kf_activation f);

/* Whether dy, where y = f(x), is already the gradient with respect to x. */
static inline bool cpu_is_preactivation(const struct kf_act *dy, enum kf_activation f)
{
	return dy->wrt_preactivation || f == KF_LINEAR;
}

#endif
