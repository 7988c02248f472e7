/* What the files of the CUDA backend share. */
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
	float *own; /* v.f, or NULL where that is memory of another's */
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
	float *flat; /* a dense layer's input or its gradient in (n, c, h, w), */
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
		struct kf_mem *grads, const struct kf_act *x, const struct kf_act *y,
		struct kf_act *dy, struct kf_act *dx);
};

/* The kind of a layer: layers.c */
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

/* n row numbers: on the device only where they do not follow one another. */
struct rows cuda_stage_rows(struct kf_backend *b, const uint32_t *rows, int n);

/* Operations of the table, as struct kf_backend_ops describes them. */
struct kf_mem *cuda_alloc(struct kf_backend *b, size_t n);
void cuda_free(struct kf_backend *b, struct kf_mem *m);
void cuda_write(struct kf_backend *b, struct kf_mem *m, size_t offset, const float *src,
	size_t n);
struct kf_mem *cuda_adopt(struct kf_backend *b, float *host, size_t n);
struct kf_mem *cuda_show(struct kf_backend *b, struct kf_mem *m, const float *host,
	size_t n);
void cuda_read(struct kf_backend *b, const struct kf_mem *m, size_t offset, float *dst,
	size_t n);
void cuda_copy(struct kf_backend *b, struct kf_mem *dst, const struct kf_mem *src,
	size_t n);
void cuda_write_param(struct kf_backend *b, struct kf_mem *arena,
	const struct kf_param *p, const float *src);
void cuda_read_param(struct kf_backend *b, const struct kf_mem *arena,
	const struct kf_param *p, float *dst);
struct kf_act *cuda_act(struct kf_backend *b, const struct kf_plan *plan,
	const struct kf_act *lender);
struct kf_act *cuda_input(struct kf_backend *b, int n, const int shape[3]);
void cuda_free_act(struct kf_backend *b, struct kf_act *a);
void cuda_take(struct kf_backend *b, struct kf_act *a, const struct kf_mem *m,
	const uint32_t *rows, const struct kf_warp *warps);
void cuda_write_act(struct kf_backend *b, struct kf_act *a, const float *src);
void cuda_read_act(struct kf_backend *b, const struct kf_act *a, float *dst);

#endif
