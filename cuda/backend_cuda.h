/* What the files of the CUDA backend share. */
#ifndef KF_BACKEND_CUDA_H
#define KF_BACKEND_CUDA_H

#include <cublas_v2.h>
#include <cuda_runtime_api.h>

#include "backend.h"
#include "kernels.h"

struct kf_mem {
	float *f;
	size_t n;
};

struct kf_act {
	struct view v;
	float *own;    /* v.f, or NULL where that is memory of another's */
};

/*
 * Host arrays on their way to the device: copied to pinned memory, from there
 * to the same place of a device buffer.  At its end, all is waited for, and it
 * starts anew.
 */
struct staging {
	char *host, *device;
	size_t size, used;
};

struct cuda {
	struct kf_backend base;  /* first: the handle is this */
	cublasHandle_t blas;
	struct staging staging;
	float *workspace;        /* a convolution's columns, */
	size_t workspace_floats; /* as many as a plan asked for, */
	size_t columns_max;      /* by its choice not more than these */
	double *sums;            /* of launch_bias_back */
	size_t sums_channels;
	bool failed;
	struct kf_err first;
};

struct kf_plan {
	const struct kf_layer *layer;
	const struct kf_param *weight, *bias; /* NULL without */
	int n;
	const struct cuda_kind *kind;
	float *flat;   /* a dense layer's input or its gradient in (n, c, h, w), */
		       /* NULL where it comes so */
};

/* How a kind of layer is done; all but make as in struct kf_backend_ops. */
struct cuda_kind {
	void (*make)(struct kf_backend *b, struct kf_plan *plan);
	void (*forward)(struct kf_backend *b, struct kf_plan *plan,
		const struct kf_pass *pass, const struct kf_mem *weights,
		const struct kf_act *x, struct kf_act *y);
	void (*backward)(struct kf_backend *b, struct kf_plan *plan,
		const struct kf_pass *pass, const struct kf_mem *weights,
		struct kf_mem *grads, const struct kf_act *x,
		const struct kf_act *y, struct kf_act *dy, struct kf_act *dx);
};

/* The kind of a layer: backend_cuda_layers.c */
const struct cuda_kind *cuda_find_kind(const struct kf_layer *layer);

static inline struct cuda *cuda(struct kf_backend *b)
{
	return (struct cuda *)b;
}

/* Keeps the first failure for sync. */
void cuda_fail(struct kf_backend *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The same, unless status is good. */
void cuda_check(struct kf_backend *b, cudaError_t status, const char *what);

/* Device memory, not set to anything; NULL after a failure. */
void *cuda_bytes(struct kf_backend *b, size_t n);

/* Makes sure that *buffer has room for n values of a size, of which *have says
 * for how many it has. */
void cuda_grow(struct kf_backend *b, void **buffer, size_t *have, size_t n,
	size_t size);

/* n rows of a shape in (n, c, h, w) order, and as batches of it lie. */
struct view cuda_plain(float *f, int n, const int shape[3]);
struct view cuda_batch(float *f, int n, const int shape[3]);
bool cuda_is_plain(const struct view *v);

#endif
