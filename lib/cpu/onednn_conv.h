/* Convolutions by oneDNN, alike for its versions 2 and 3. */
#ifndef KF_CPU_ONEDNN_CONV_H
#define KF_CPU_ONEDNN_CONV_H

#include "cpu/internal.h"

/* A convolution of one image: stride 1, no padding, correlation as in PyTorch. */
struct cpu_conv_shape {
	struct cpu_layout x, y;
	int kernel;
	bool relu; /* forward: y = max(y, 0) */
};

/*
 * A convolution in one direction.  One call does one image in the calling thread
 * of a team, so that a team works on as many images at once.
 */
struct cpu_convolution;

/* forward: the same convolution's forward one, NULL for that itself. */
struct cpu_convolution *cpu_convolution_new(struct kf_backend *b,
	enum cpu_direction direction, const struct cpu_conv_shape *shape,
	const struct cpu_convolution *forward);
void cpu_convolution_free(struct cpu_convolution *v); /* NULL, too */

/*
 * Before a team begins: takes the weights (out, in, k, k) over or, for
 * BACKWARD_WEIGHTS, clears the sums.
 */
void cpu_convolution_begin(struct kf_backend *b, struct cpu_convolution *v,
	float *weights);

/*
 * One image, in thread number `thread`.  FORWARD: y from x and bias;
 * BACKWARD_DATA: the gradient by x, in x, from that by y, in y; BACKWARD_WEIGHTS:
 * adds to the sums the gradients that come from x and the gradient by y.
 */
void cpu_convolve(struct kf_backend *b, struct cpu_convolution *v, int thread, float *x,
	float *bias, float *y);

/* After a team in BACKWARD_WEIGHTS: the sums, weights (out, in, k, k), bias (out). */
void cpu_convolution_end(struct kf_backend *b, struct cpu_convolution *v,
	float *weights, float *bias);

#endif
