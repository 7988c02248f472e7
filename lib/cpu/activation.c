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

/* In strips of rows, so that a transposed product is read contiguously. */
void cpu_add_bias(float *y, const float *product, bool transposed, const float *bias,
	size_t n, size_t out, enum kf_activation activation)
{
	enum { STRIP = 16 };
	size_t row = transposed ? 1 : out, column = transposed ? n : 1;

#define LOOP(f) \
	_Pragma("omp parallel for schedule(static) if (n * out >= CPU_PARALLEL_MIN)") for ( \
		size_t first = 0; first < n; \
		first += STRIP) for (size_t j = 0; j < out; \
				     j++) for (size_t i = first; \
					       i < first + STRIP && i < n; i++) \
	{ \
		float x = product[i * row + j * column] + (bias ? bias[j] : 0); \
\
		y[i * out + j] = f; \
	}
	switch (activation) {
	case KF_LINEAR: LOOP(x) return;
#define CASE(NAME, word, f, backward) \
	case KF_##NAME: LOOP(f) return;
		KF_ACTIVATIONS(CASE)
#undef CASE
	}
#undef LOOP
}
