/* Activations over arrays: one loop for each, so that it is vectorized. */
#include "cpu/activation.h"

#include <math.h>

void cpu_activate(float *y, size_t n, enum kf_activation activation)
{
	switch (activation) {
	case KF_LINEAR: return;
#define CASE(NAME, word, f, backward) \
	case KF_##NAME: \
		_Pragma("omp parallel for schedule(static) if (n >= CPU_PARALLEL_MIN)") for ( \
			size_t i = 0; i < n; i++) \
		{ \
			float x = y[i]; \
\
			y[i] = f; \
		} \
		return;
		KF_ACTIVATIONS(CASE)
#undef CASE
	}
}

void cpu_activation_backward(float *dys, const float *ys, size_t n,
	enum kf_activation activation)
{
	switch (activation) {
	case KF_LINEAR: return;
#define CASE(NAME, word, f, backward) \
	case KF_##NAME: \
		_Pragma("omp parallel for simd schedule(static) if (n >= CPU_PARALLEL_MIN)") for ( \
			size_t i = 0; i < n; i++) \
		{ \
			float y = ys[i], dy = dys[i]; \
\
			dys[i] = backward; \
		} \
		return;
		KF_ACTIVATIONS(CASE)
#undef CASE
	}
}

void cpu_add_bias(float *y, const float *bias, size_t n, size_t out,
	enum kf_activation activation)
{
#pragma omp parallel for schedule(static) if (n * out >= CPU_PARALLEL_MIN)
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; bias && j < out; j++)
			y[i * out + j] += bias[j];
	cpu_activate(y, n * out, activation);
}
