/*
 * The CUDA backend's types, which all its files share.  From the bottom up:
 *
 *   kernels.cu    the kernels, and a C function that launches each
 *   memory.c      device memory, and the first failure
 *   cublas.c      matrix products
 *   batch.c       batches between layers: their memory and layout, rows of data
 *   activation.c  biases and activations
 *   dense.c, conv.c, pool.c, dropout.c
 *                 the layers, a row of operations each
 *   learn.c       losses and update rules
 *   backend.c     the table of operations, and opening
 */
#ifndef KF_CUDA_INTERNAL_H
#define KF_CUDA_INTERNAL_H

#include <cublas_v2.h>
#include <cuda_runtime_api.h>

#include "net/backend.h"
#include "kernels.h"

struct kf_mem {
	float *f;
	size_t n;
};

struct kf_act {
	struct view v;
	float *own; /* v.f, or NULL where that is another's memory */
};

/*
 * Host arrays on their way to the device: copied to pinned memory, and from there
 * to the same place of a device buffer or to where they belong.  At its end, all is
 * waited for, and it starts anew.
 */
struct staging {
	char *host, *device;
	size_t size, used;
};

struct cuda {
	struct kf_backend base; /* first: the handle is this */
	cublasHandle_t blas;
	struct staging staging;
	float *workspace;        /* for a convolution's columns: */
	size_t workspace_floats; /* the most that a plan asked for, which is never */
	size_t columns_max;      /* more than these */
	double *sums;            /* of launch_bias_backward */
	size_t sums_channels;
	bool failed;
	struct kf_err first;
};

struct kf_plan {
	const struct kf_layer *layer;
	const struct kf_param *weight, *bias; /* NULL without */
	int n;
	const struct cuda_layer *ops;
	/* A dense layer's input or its gradient in (n, c, h, w); NULL where they lie
	 * so in their batches. */
	float *flat;
};

/* A kind of layer; forward and backward are as in struct kf_backend_ops. */
struct cuda_layer {
	void (*make)(struct kf_backend *b, struct kf_plan *plan); /* or NULL */
	void (*forward)(struct kf_backend *b, struct kf_plan *plan,
		const struct kf_pass *pass, const struct kf_mem *weights,
		struct kf_act *x, struct kf_act *y);
	void (*backward)(struct kf_backend *b, struct kf_plan *plan,
		const struct kf_pass *pass, const struct kf_mem *weights,
		struct kf_mem *grads, struct kf_act *x, struct kf_act *y,
		struct kf_act *dy, struct kf_act *dx);
};

/* The layers' operations: cuda_dense, ... */
#define CUDA_LAYER(NAME, word, ...) extern const struct cuda_layer cuda_##word;
KF_LAYER_KINDS(CUDA_LAYER)
#undef CUDA_LAYER

static inline struct cuda *cuda(struct kf_backend *b)
{
	return (struct cuda *)b;
}

#endif
