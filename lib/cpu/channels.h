/* Loops over an image, channel by channel, of any layout. */
#ifndef KF_CPU_CHANNELS_H
#define KF_CPU_CHANNELS_H

#include "cpu/internal.h"

/* Channels with the padding of the last block: all arrays here have so many entries. */
static inline size_t cpu_padded_channels(const struct cpu_layout *l)
{
	size_t block = (size_t)l->block;

	return ((size_t)l->c + block - 1) / block * block;
}

/* to = scale from + shift, for each channel; then negative values become 0 if relu. */
void cpu_scale_channels(const struct cpu_layout *l, const float *scale,
	const float *shift, const float *from, float *to, bool relu);

/* dy becomes 0 where scale x + shift is not positive: such a relu's gradient, without its
 * values being stored. */
void cpu_scaled_relu_backward(const struct cpu_layout *l, const float *scale,
	const float *shift, const float *x, float *dy);

/* sums += the values of each channel */
void cpu_sum_channels(const struct cpu_layout *l, const float *x, double *sums);

/* sums += the squares of each channel's values less its mean */
void cpu_sum_squares(const struct cpu_layout *l, const float *x, const float *mean,
	double *sums);

/* sums += dy, products += dy (x - center) of each channel */
void cpu_sum_gradients(const struct cpu_layout *l, const float *dy, const float *x,
	const float *center, double *sums, double *products);

/* dx = from_dy dy + from_x (x - center) + constant for each channel */
struct cpu_norm {
	float *from_dy, *from_x, *center, *constant;
};
void cpu_norm_gradient(const struct cpu_layout *l, const struct cpu_norm *v,
	const float *dy, const float *x, float *dx);

#endif
