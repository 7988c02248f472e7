/*
 * Memory of the CUDA backend, the way there, and batches.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define STAGING_BYTES ((size_t)1 << 20)
#define STAGING_STEP ((size_t)64)
#define VALUES_MAX ((size_t)INT_MAX) /* in a batch: kernels count in 32 bits */

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
	cudaGetLastError(); /* it is reported here */
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

static struct kf_mem *new_mem(struct kf_backend *b, size_t n)
{
	struct kf_mem *m = malloc(sizeof *m);

	if (!m) {
		cuda_fail(b, "out of memory");
		return NULL;
	}
	*m = (struct kf_mem){ cuda_bytes(b, n * sizeof(float)), n };
	if (m->f)
		return m;
	free(m);
	return NULL;
}

struct kf_mem *cuda_alloc(struct kf_backend *b, size_t n)
{
	struct kf_mem *m = new_mem(b, n);

	if (m)
		cuda_check(b, cudaMemsetAsync(m->f, 0, n * sizeof *m->f, 0),
			"clearing memory");
	return m;
}

void cuda_free(struct kf_backend *b, struct kf_mem *m)
{
	if (m)
		cuda_check(b, cudaFree(m->f), "freeing memory");
	free(m);
}

/* Sees to so many bytes of the staging buffer; starts it anew at its end. */
static void reserve_staging(struct kf_backend *b, size_t bytes)
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

/*
 * Copies a host array to the device by way of pinned memory, which holds it until
 * the buffer starts anew: that is not before the copy is done.  to may be NULL for
 * a place in the buffer, good for what is asked for next.  Returns the place; NULL
 * after a failure.
 */
static const void *stage(struct kf_backend *b, void *to, const void *src, size_t bytes)
{
	struct staging *s = &cuda(b)->staging;
	size_t at;

	reserve_staging(b, bytes);
	if (cuda(b)->failed)
		return NULL;
	at = s->used;
	s->used += (bytes + STAGING_STEP - 1) / STAGING_STEP * STAGING_STEP;
	memcpy(s->host + at, src, bytes);
	to = to ? to : s->device + at;
	cuda_check(b,
		cudaMemcpyAsync(to, s->host + at, bytes, cudaMemcpyHostToDevice, 0),
		"copying to the device");
	return to;
}

/* What is written often, as a batch's targets, is short: it need not wait. */
void cuda_write(struct kf_backend *b, struct kf_mem *m, size_t offset, const float *src,
	size_t n)
{
	size_t bytes = n * sizeof *src;

	if (cuda(b)->failed)
		return;
	if (bytes > STAGING_BYTES / 2)
		cuda_check(b,
			cudaMemcpy(m->f + offset, src, bytes, cudaMemcpyHostToDevice),
			"copying to the device");
	else
		stage(b, m->f + offset, src, bytes);
}

struct kf_mem *cuda_show(struct kf_backend *b, struct kf_mem *m, const float *host,
	size_t n)
{
	if (!m && !(m = calloc(1, sizeof *m))) {
		cuda_fail(b, "out of memory");
		return NULL;
	}
	cuda_grow(b, (void **)&m->f, &m->n, n, sizeof *m->f);
	cuda_write(b, m, 0, host, n);
	if (!cuda(b)->failed)
		return m;
	cuda_free(b, m);
	return NULL;
}

struct kf_mem *cuda_adopt(struct kf_backend *b, float *host, size_t n)
{
	struct kf_mem *m = host ? cuda_show(b, NULL, host, n) : NULL;

	if (!host)
		cuda_fail(b, "out of memory");
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

/* Arenas are as PyTorch has them. */
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

/* -- batches --------------------------------------------------------------------- */

struct view cuda_plain(float *f, int n, const int shape[3])
{
	size_t area = (size_t)shape[1] * (size_t)shape[2];

	return (struct view){ f, n, shape[0], shape[1], shape[2],
		(size_t)shape[0] * area, area };
}

struct view cuda_batch(float *f, int n, const int shape[3])
{
	struct view v = cuda_plain(f, n, shape);

	if (v.channel > 1) {
		v.row = v.channel;
		v.channel *= (size_t)n;
	}
	return v;
}

bool cuda_is_plain(const struct view *v)
{
	return v->n == 1 || v->c == 1 || v->h * v->w == 1;
}

static size_t view_values(const struct view *v)
{
	return (size_t)v->n * (size_t)v->c * (size_t)v->h * (size_t)v->w;
}

static struct kf_act *new_act(struct kf_backend *b, int n, const int shape[3])
{
	struct kf_act *a = calloc(1, sizeof *a);

	if (!a) {
		cuda_fail(b, "out of memory");
		return NULL;
	}
	a->v = cuda_batch(NULL, n, shape);
	if (view_values(&a->v) > VALUES_MAX)
		cuda_fail(b,
			"a batch of %d x %d x %d x %d is too large for this "
			"backend; lower --batch",
			n, shape[0], shape[1], shape[2]);
	return a;
}

/* Points the batch at memory of its own. */
static bool own(struct kf_backend *b, struct kf_act *a)
{
	if (!a->own)
		a->own = cuda_bytes(b, view_values(&a->v) * sizeof(float));
	a->v.f = a->own;
	return a->own != NULL;
}

struct kf_act *cuda_act(struct kf_backend *b, const struct kf_plan *plan,
	const struct kf_act *lender)
{
	struct kf_act *a;

	if (cuda(b)->failed)
		return NULL;
	a = new_act(b, plan->n, plan->layer->out);
	if (a && lender && lender->v.n >= a->v.n)
		a->v.f = lender->own;
	else if (a)
		own(b, a);
	return a;
}

struct kf_act *cuda_input(struct kf_backend *b, int n, const int shape[3])
{
	return new_act(b, n, shape);
}

void cuda_free_act(struct kf_backend *b, struct kf_act *a)
{
	if (a)
		cuda_check(b, cudaFree(a->own), "freeing memory");
	free(a);
}

/* Rows like the batch's, in (n, c, h, w) order. */
static struct view plain(const struct kf_act *a, float *f)
{
	return cuda_plain(f, a->v.n, (const int[]){ a->v.c, a->v.h, a->v.w });
}

/* n row numbers: on the device only where they do not follow one another. */
struct rows cuda_stage_rows(struct kf_backend *b, const uint32_t *rows, int n)
{
	if (kf_consecutive(rows, n))
		return (struct rows){ NULL, rows[0] };
	return (struct rows){ stage(b, NULL, rows, (size_t)n * sizeof *rows), 0 };
}

/* Plain rows that follow one another are used where they are. */
void cuda_take(struct kf_backend *b, struct kf_act *a, const struct kf_mem *m,
	const uint32_t *rows, const struct kf_warp *warps)
{
	const struct kf_warp *staged;
	struct view data;
	struct rows from;
	size_t n;

	if (cuda(b)->failed)
		return;
	data = plain(a, m->f);
	n = (size_t)a->v.n;
	/* two arrays for one launch: both must find room before one is staged */
	reserve_staging(b, n * (sizeof *rows + sizeof *warps) + 2 * STAGING_STEP);
	from = cuda_stage_rows(b, rows, a->v.n);
	if (!cuda(b)->failed && !from.at && !warps && cuda_is_plain(&a->v)) {
		a->v.f = data.f + from.first * data.row;
		return;
	}
	staged = warps ? stage(b, NULL, warps, n * sizeof *warps) : NULL;
	if (cuda(b)->failed || !own(b, a))
		return;
	cuda_check(b,
		warps ? launch_warp(data, from, staged, a->v) :
			launch_copy_rows(data, from, a->v),
		"taking rows");
}

/* Both ways by way of plain memory on the device. */
void cuda_write_act(struct kf_backend *b, struct kf_act *a, const float *src)
{
	struct kf_mem *m;

	if (cuda(b)->failed)
		return;
	m = new_mem(b, view_values(&a->v));
	if (m && own(b, a)) {
		cuda_write(b, m, 0, src, m->n);
		cuda_check(b,
			launch_copy_rows(plain(a, m->f), (struct rows){ NULL, 0 },
				a->v),
			"writing a batch");
	}
	cuda_free(b, m);
}

void cuda_read_act(struct kf_backend *b, const struct kf_act *a, float *dst)
{
	struct kf_mem whole, *m;

	if (cuda(b)->failed)
		return;
	whole = (struct kf_mem){ a->v.f, view_values(&a->v) };
	if (cuda_is_plain(&a->v)) {
		cuda_read(b, &whole, 0, dst, whole.n);
		return;
	}
	m = new_mem(b, whole.n);
	if (m) {
		cuda_check(b,
			launch_copy_rows(a->v, (struct rows){ NULL, 0 },
				plain(a, m->f)),
			"reading a batch");
		cuda_read(b, m, 0, dst, whole.n);
	}
	cuda_free(b, m);
}
