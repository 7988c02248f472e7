/* Device memory, and the first failure. */
#ifndef KF_CUDA_MEMORY_H
#define KF_CUDA_MEMORY_H

#include "internal.h"

/* Each array in the staging buffer begins at a multiple of this. */
#define CUDA_STAGING_STEP ((size_t)64)

/* Keeps the first failure for sync. */
void cuda_fail(struct kf_backend *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The same if status is an error; `what` names the operation. */
void cuda_check(struct kf_backend *b, cudaError_t status, const char *what);

/* n uninitialized bytes of device memory, which the caller frees; NULL on failure. */
void *cuda_bytes(struct kf_backend *b, size_t n);

/* n uninitialized floats; NULL on failure.  Free with cuda_free. */
struct kf_mem *cuda_new_mem(struct kf_backend *b, size_t n);

/* Ensures that *buffer has room for n values of this size; *have is the number that it
 * has room for.  Its contents are lost if it grows. */
void cuda_grow(struct kf_backend *b, void **buffer, size_t *have, size_t n,
	size_t size);

/* The same for pinned memory of the host, in bytes; nothing may be using the buffer. */
void cuda_grow_pinned(struct kf_backend *b, void **buffer, size_t *have, size_t bytes);

/* A stream beside the default one, and an event that orders them, made at their first use:
 * *stream and *event are NULL before.  The caller destroys them. */
void cuda_make_stream(struct kf_backend *b, cudaStream_t *stream);
void cuda_make_event(struct kf_backend *b, cudaEvent_t *event);

/* What comes in stream `after` waits for what is in `before` so far. */
void cuda_order(struct kf_backend *b, cudaStream_t before, cudaEvent_t event,
	cudaStream_t after);

/* Ensures that the staging buffer has room for this many bytes, if necessary by waiting
 * for all work and starting again at its beginning. */
void cuda_reserve_staging(struct kf_backend *b, size_t bytes);

/*
 * Copies a host array to device memory `to` through the pinned buffer, asynchronously:
 * src may be changed at once.  If `to` is NULL, the array stays in the staging buffer's
 * device memory, valid until the buffer starts again.  Returns the array's address on
 * the device; NULL on failure.
 */
const void *cuda_stage(struct kf_backend *b, void *to, const void *src, size_t bytes);

/* As struct kf_backend_ops describes them. */
struct kf_mem *cuda_alloc(struct kf_backend *b, size_t n);
void cuda_free(struct kf_backend *b, struct kf_mem *m);
void cuda_write(struct kf_backend *b, struct kf_mem *m, size_t offset, const float *src,
	size_t n);
struct kf_mem *cuda_adopt(struct kf_backend *b, void *host, enum kf_dtype dtype,
	size_t n);
void cuda_read(struct kf_backend *b, const struct kf_mem *m, size_t offset, float *dst,
	size_t n);
void cuda_copy(struct kf_backend *b, struct kf_mem *dst, const struct kf_mem *src,
	size_t n);
void cuda_write_param(struct kf_backend *b, struct kf_mem *arena,
	const struct kf_param *p, const float *src);
void cuda_read_param(struct kf_backend *b, const struct kf_mem *arena,
	const struct kf_param *p, float *dst);

#endif
