/*
 * The CUDA backend's types, which all its files share.  From the bottom up:
 *
 *   kernels*.cu   the kernels, each with a C function that launches it, by device.h
 *   memory.c      device memory, and the first failure
 *   show.c        arrays of the host's that come one after another
 *   ranks.c       sums over ranks
 *   cublas.c      matrix products
 *   batch.c       batches between layers: their layout and memory, filling them
 *   activation.c  biases and activations
 *   dense.c, ...  a file for each kind of layer, with its table of operations
 *   learn.c       losses and update rules
 *   backend.c     the backend's table of operations, and opening it
 */
#ifndef KF_CUDA_INTERNAL_H
#define KF_CUDA_INTERNAL_H

#include <cublas_v2.h>
#include <cuda_runtime_api.h>

#include "net/backend.h"
#include "kernels.h"

struct kf_mem {
	union {
		float *f;
		uint8_t *u;
	};
	size_t n;
	bool bytes;          /* it is u, images of bytes that stand for v / 255 */
	struct shown *shown; /* its owner, where it came from show; else NULL */
};

struct kf_act {
	struct view v;
	float *own; /* own memory, where v.f may point; or NULL */
};

/*
 * Host arrays on their way to the device: copied to pinned memory, and from there
 * asynchronously to their destination or to the same offset in a device buffer.  When
 * the buffer is full, the host waits for all work and starts again at its beginning.
 */
struct staging {
	char *host, *device;
	size_t size, used;
};

/* For sums over ranks; all zeros until the first. */
struct exchange {
	/* beside the default stream, where an engine sums on the device */
	cudaStream_t stream;
	cudaEvent_t begun, done;
	bool open; /* some sums are not waited for yet */
	/* pinned, where it sums on the host */
	void *host;
	size_t host_bytes;
};

struct cuda {
	struct kf_backend base; /* first: the handle is this */
	cublasHandle_t blas;
	cublasComputeType_t compute; /* how matrix products may round */
	struct staging staging;
	struct exchange exchange;
	cudaStream_t copies; /* of what is shown, beside the default stream; or NULL */
	float *workspace;    /* for a convolution's columns */
	size_t workspace_floats; /* its size: the most that any plan needs */
	size_t columns_max;      /* limit of that, unless one column needs more */
	double *sums;            /* (sums_channels, BIAS_SLICES): scratch */
	size_t sums_channels;
	bool failed;
	struct kf_err first; /* the first failure */
};

struct kf_plan {
	const struct kf_layer *layer;
	/* NULL if it has none */
	const struct kf_param *weight, *bias, *mean, *variance;
	int n;
	const struct cuda_layer *ops;
	void *own; /* memory of the plan, or NULL */
	/* A dense layer's x or dx as (n, c, h, w), in own; NULL if their batches are in
	 * that order. */
	float *flat;
	struct moments moments; /* batch norm's, of the last batch, in own */
	double *totals;         /* (2, channels) batch norm's sums, in own */
};

/* A kind of layer; forward and backward are as in struct kf_backend_ops. */
struct cuda_layer {
	void (*make)(struct kf_backend *b, struct kf_plan *plan); /* may be NULL */
	void (*forward)(struct kf_backend *b, struct kf_plan *plan,
		const struct kf_pass *pass, const struct kf_mem *weights,
		const struct kf_flow *f);
	void (*backward)(struct kf_backend *b, struct kf_plan *plan,
		const struct kf_pass *pass, const struct kf_mem *weights,
		struct kf_mem *grads, const struct kf_flow *f);
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
