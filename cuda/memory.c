/* Device memory, and the first failure. */
#define _GNU_SOURCE
#include "memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "show.h"

#define STAGING_BYTES ((size_t)1 << 20)

/* -- failures -------------------------------------------------------------------- */

void cuda_fail(struct kf_backend *b, const char *fmt, ...)
{
	va_list ap;

	if (cuda(b)->failed)
		return;
	cuda(b)->failed = true;
	va_start(ap, fmt);
	vsnprintf(cuda(b)->first.msg, sizeof cuda(b)->first.msg, fmt, ap);
	va_end(ap);
}

void cuda_check(struct kf_backend *b, cudaError_t status, const char *what)
{
	if (status != cudaSuccess)
		cuda_fail(b, "CUDA: %s failed: %s", what, cudaGetErrorString(status));
}

/* -- memory ---------------------------------------------------------------------- */

void *cuda_bytes(struct kf_backend *b, size_t n)
{
	size_t vacant = 0, total = 0;
	void *p = NULL;
	cudaError_t status;

	if (cuda(b)->failed)
		return NULL;
	status = cudaMalloc(&p, n ? n : 1);
	if (status == cudaSuccess)
		return p;
	cudaGetLastError(); /* clears the error, which is reported here */
	cudaMemGetInfo(&vacant, &total);
	if (status == cudaErrorMemoryAllocation)
		cuda_fail(b,
			"out of device memory: %.1f MiB asked for, %.1f of %.1f MiB "
			"free; a smaller batch, fewer rows or a smaller net need less",
			(double)n / 0x1p20, (double)vacant / 0x1p20,
			(double)total / 0x1p20);
	else
		cuda_check(b, status, "getting memory");
	return NULL;
}

void cuda_grow(struct kf_backend *b, void **buffer, size_t *have, size_t n, size_t size)
{
	if (n <= *have || cuda(b)->failed)
		return;
	cuda_check(b, cudaFree(*buffer), "freeing memory");
	*buffer = cuda_bytes(b, n * size);
	*have = *buffer ? n : 0;
}

void cuda_grow_pinned(struct kf_backend *b, void **buffer, size_t *have, size_t bytes)
{
	if (bytes <= *have || cuda(b)->failed)
		return;
	cuda_check(b, cudaFreeHost(*buffer), "freeing pinned memory");
	*buffer = NULL;
	*have = 0;
	cuda_check(b, cudaMallocHost(buffer, bytes), "getting pinned memory");
	if (!cuda(b)->failed)
		*have = bytes;
}

void cuda_make_stream(struct kf_backend *b, cudaStream_t *stream)
{
	if (!*stream && !cuda(b)->failed)
		cuda_check(b, cudaStreamCreateWithFlags(stream, cudaStreamNonBlocking),
			"making a stream");
}

void cuda_make_event(struct kf_backend *b, cudaEvent_t *event)
{
	if (!*event && !cuda(b)->failed)
		cuda_check(b, cudaEventCreateWithFlags(event, cudaEventDisableTiming),
			"making an event");
}

void cuda_order(struct kf_backend *b, cudaStream_t before, cudaEvent_t event,
	cudaStream_t after)
{
	if (cuda(b)->failed)
		return;
	cuda_check(b, cudaEventRecord(event, before), "recording an event");
	cuda_check(b, cudaStreamWaitEvent(after, event, 0), "waiting for an event");
}

struct kf_mem *cuda_new_mem(struct kf_backend *b, size_t n)
{
	struct kf_mem *m = malloc(sizeof *m);

	if (!m) {
		cuda_fail(b, "out of memory");
		return NULL;
	}
	*m = (struct kf_mem){ .f = cuda_bytes(b, n * sizeof(float)), .n = n };
	if (m->f)
		return m;
	free(m);
	return NULL;
}

struct kf_mem *cuda_alloc(struct kf_backend *b, size_t n)
{
	struct kf_mem *m = cuda_new_mem(b, n);

	if (m)
		cuda_check(b, cudaMemsetAsync(m->f, 0, n * sizeof *m->f, 0),
			"clearing memory");
	return m;
}

void cuda_free(struct kf_backend *b, struct kf_mem *m)
{
	if (m && m->shown)
		cuda_free_shown(b, m->shown);
	else if (m)
		cuda_check(b, cudaFree(m->f), "freeing memory");
	free(m);
}

void cuda_reserve_staging(struct kf_backend *b, size_t bytes)
{
	struct staging *s = &cuda(b)->staging;

	if (s->used + bytes <= s->size)
		return;
	cuda_check(b, cudaStreamSynchronize(0), "work on the device");
	s->used = 0;
	if (bytes <= s->size || cuda(b)->failed)
		return;
	cudaFreeHost(s->host);
	cudaFree(s->device);
	s->size = 0;
	s->host = NULL;
	if (bytes < STAGING_BYTES)
		bytes = STAGING_BYTES;
	s->device = cuda_bytes(b, bytes);
	cuda_check(b, cudaMallocHost((void **)&s->host, bytes),
		"getting pinned memory");
	if (!cuda(b)->failed)
		s->size = bytes;
}

const void *cuda_stage(struct kf_backend *b, void *to, const void *src, size_t bytes)
{
	struct staging *s = &cuda(b)->staging;
	size_t at;

	cuda_reserve_staging(b, bytes);
	if (cuda(b)->failed)
		return NULL;
	at = s->used;
	s->used +=
		(bytes + CUDA_STAGING_STEP - 1) / CUDA_STAGING_STEP * CUDA_STAGING_STEP;
	memcpy(s->host + at, src, bytes);
	to = to ? to : s->device + at;
	cuda_check(b,
		cudaMemcpyAsync(to, s->host + at, bytes, cudaMemcpyHostToDevice, 0),
		"copying to the device");
	return to;
}

/* Short arrays, which may be frequent, as a batch's targets are, do not block. */
static void write_bytes(struct kf_backend *b, void *to, const void *src, size_t bytes)
{
	if (bytes > STAGING_BYTES / 2)
		cuda_check(b, cudaMemcpy(to, src, bytes, cudaMemcpyHostToDevice),
			"copying to the device");
	else
		cuda_stage(b, to, src, bytes);
}

void cuda_write(struct kf_backend *b, struct kf_mem *m, size_t offset, const float *src,
	size_t n)
{
	if (!cuda(b)->failed)
		write_bytes(b, m->f + offset, src, n * sizeof *src);
}

struct kf_mem *cuda_adopt(struct kf_backend *b, void *host, enum kf_dtype dtype,
	size_t n)
{
	size_t bytes = n * kf_dtype_size(dtype);
	struct kf_mem *m = NULL;

	if (!host)
		cuda_fail(b, "out of memory");
	else if ((m = cuda_new_mem(b, (bytes + sizeof(float) - 1) / sizeof(float)))) {
		m->n = n;
		m->bytes = dtype == KF_U8;
		write_bytes(b, m->f, host, bytes);
	}
	free(host);
	return m;
}

void cuda_read(struct kf_backend *b, const struct kf_mem *m, size_t offset, float *dst,
	size_t n)
{
	if (!cuda(b)->failed)
		cuda_check(b,
			cudaMemcpy(dst, m->f + offset, n * sizeof *dst,
				cudaMemcpyDeviceToHost),
			"copying from the device");
}

void cuda_copy(struct kf_backend *b, struct kf_mem *dst, const struct kf_mem *src,
	size_t n)
{
	if (!cuda(b)->failed)
		cuda_check(b,
			cudaMemcpyAsync(dst->f, src->f, n * sizeof *dst->f,
				cudaMemcpyDeviceToDevice, 0),
			"copying on the device");
}

/* Arenas have PyTorch's layout. */
void cuda_write_param(struct kf_backend *b, struct kf_mem *arena,
	const struct kf_param *p, const float *src)
{
	cuda_write(b, arena, p->offset, src, p->count);
}

void cuda_read_param(struct kf_backend *b, const struct kf_mem *arena,
	const struct kf_param *p, float *dst)
{
	cuda_read(b, arena, p->offset, dst, p->count);
}
