/* Convolutions by oneDNN, with one interface to its versions 2 and 3. */
#ifndef KF_CPU_ONEDNN_CONV_H
#define KF_CPU_ONEDNN_CONV_H

#include "cpu/internal.h"

/* A convolution of one image: correlation as in PyTorch. */
struct cpu_conv_shape {
	struct cpu_layout x, y;
	int kernel, pad, stride;
	bool bias;
	bool relu; /* forward: y = max(y, 0) */
};

/*
 * A convolution in one direction.  A call does one image in the calling thread of a
 * team, so that a team works on as many images at once as it has threads.
 */
struct cpu_convolution;

/*
 * forward is the same convolution in direction CPU_FORWARD, and NULL in that.  NULL
 * when out of memory; other failures stick in the backend.
 */
struct cpu_convolution *cpu_convolution_new(struct kf_backend *b,
	enum cpu_direction direction, const struct cpu_conv_shape *shape,
	const struct cpu_convolution *forward);
void cpu_convolution_free(struct cpu_convolution *v); /* accepts NULL */

/*
 * Before a team runs: copies the weights (out, in, k, k) to oneDNN's layout or, for
 * BACKWARD_WEIGHTS, clears the sums of gradients.  bias (out), which only FORWARD uses and
 * which stays the caller's until the team is done, is NULL if there is none.
 */
void cpu_convolution_begin(struct kf_backend *b, struct cpu_convolution *v,
	float *weights, float *bias);

/*
 * One image, in thread number `thread`.  FORWARD: sets y from x; BACKWARD_DATA: sets dx,
 * passed as x, from dy, passed as y; BACKWARD_WEIGHTS: adds the image's gradients, from x
 * and from dy, passed as y, to the sums of its group, and no two threads may work on a group at the same time; the
 * others ignore the group.
 */
void cpu_convolve(struct kf_backend *b, struct cpu_convolution *v, int thread,
	int group, float *x, float *y);

/* After a team ran in BACKWARD_WEIGHTS: stores the sums of all groups in weights (out,
 * in, k, k) and bias (out). */
void cpu_convolution_end(struct kf_backend *b, struct cpu_convolution *v,
	float *weights, float *bias);

#endif
