/*
 * oneDNN's convolutions and changes of layout, alike for its versions 2 and 3,
 * which describe and make them by different calls.
 */
#ifndef KF_CPU_ONEDNN_H
#define KF_CPU_ONEDNN_H

#include <stdbool.h>

#include "net/backend.h"

/* A tensor of four dimensions, the second in blocks as in struct kf_act. */
struct cpu_layout {
	int dims[4];
	int block;
};

enum cpu_direction { CPU_FORWARD, CPU_BY_WEIGHTS, CPU_BY_DATA };

/* Stride 1, no padding: correlation, as in PyTorch. */
struct cpu_shape {
	struct cpu_layout x, y;
	struct cpu_layout weights; /* (out, in, k, k), plain */
	bool relu;                 /* forward: y = max(y, 0) */
};

/*
 * A convolution in one direction.  One call does a batch of the shape's size in
 * the calling thread of a team, so that a team works on as many batches at once.
 */
struct cpu_convolution;

/* forward: the one that a way back belongs to. */
struct cpu_convolution *cpu_new_convolution(struct kf_backend *b,
	enum cpu_direction direction, const struct cpu_shape *shape,
	const struct cpu_convolution *forward);
void cpu_free_convolution(struct cpu_convolution *v); /* NULL, too */

/* Before a pass, outside the team: takes the weights over, or clears the sums. */
void cpu_begin(struct kf_backend *b, struct cpu_convolution *v, const float *weights);

/*
 * One batch, in thread number `thread`.  FORWARD: y from x; BY_DATA: x's gradient
 * from y's; BY_WEIGHTS: adds x's and y's part of the gradient to the sums.
 */
void cpu_convolve(struct kf_backend *b, struct cpu_convolution *v, int thread, float *x,
	const float *bias, float *y);

/* After a pass to the weights: the gradients, plain. */
void cpu_end(struct kf_backend *b, struct cpu_convolution *v, float *weights,
	float *bias);

/* dst = src, both of the same dimensions. */
void cpu_reorder(struct kf_backend *b, const struct cpu_layout *from, const float *src,
	const struct cpu_layout *to, float *dst);

#endif
