/* Batches between layers: their layout and memory, and filling them with data. */
#include "batch.h"

#include <limits.h>
#include <stdlib.h>

#include "memory.h"

#define VALUES_MAX ((size_t)INT_MAX) /* in a batch: kernels count in 32 bits */

/* -- layouts --------------------------------------------------------------------- */

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

bool cuda_own(struct kf_backend *b, struct kf_act *a)
{
	if (!a->own)
		a->own = cuda_bytes(b, view_values(&a->v) * sizeof(float));
	a->v.f = a->own;
	return a->own != NULL;
}

struct kf_act *cuda_act(struct kf_backend *b, const struct kf_plan *plan,
	struct kf_act *lender)
{
	struct kf_act *a;

	if (cuda(b)->failed)
		return NULL;
	a = new_act(b, plan->n, plan->layer->out);
	if (a && lender && lender->v.n >= a->v.n)
		a->v.f = lender->own;
	else if (a)
		cuda_own(b, a);
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

/* A view of f with the batch's shape, in (n, c, h, w) order. */
static struct view plain(const struct kf_act *a, float *f)
{
	return cuda_plain(f, a->v.n, (const int[]){ a->v.c, a->v.h, a->v.w });
}

struct rows cuda_stage_rows(struct kf_backend *b, const uint32_t *rows, int n)
{
	if (kf_consecutive(rows, n))
		return (struct rows){ NULL, rows[0] };
	return (struct rows){ cuda_stage(b, NULL, rows, (size_t)n * sizeof *rows), 0 };
}

/* Copies rows of m, whose floats `data` views. */
static cudaError_t copy_rows(const struct kf_mem *m, struct view data, struct rows from,
	struct view to)
{
	return m->bytes ? launch_copy_bytes(m->u, data, from, to) :
			  launch_copy_rows(data, from, to);
}

static cudaError_t warp_rows(const struct kf_mem *m, struct view data, struct rows from,
	const struct kf_warp *warps, struct view to)
{
	return m->bytes ? launch_warp_bytes(m->u, data, from, warps, to) :
			  launch_warp(data, from, warps, to);
}

/* Consecutive rows of floats are used in place where the batch's layout is plain. */
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
	/* both arrays must fit, as making room for one would discard the other */
	cuda_reserve_staging(b,
		n * (sizeof *rows + sizeof *warps) + 2 * CUDA_STAGING_STEP);
	from = cuda_stage_rows(b, rows, a->v.n);
	if (!cuda(b)->failed && !m->bytes && !from.at && !warps &&
		cuda_is_plain(&a->v)) {
		a->v.f = data.f + from.first * data.row;
		return;
	}
	staged = warps ? cuda_stage(b, NULL, warps, n * sizeof *warps) : NULL;
	if (cuda(b)->failed || !cuda_own(b, a))
		return;
	cuda_check(b,
		warps ? warp_rows(m, data, from, staged, a->v) :
			copy_rows(m, data, from, a->v),
		"taking rows");
}

/* Writing and reading convert through plain memory on the device. */
void cuda_write_act(struct kf_backend *b, struct kf_act *a, const float *src)
{
	struct kf_mem *m;

	if (cuda(b)->failed)
		return;
	m = cuda_new_mem(b, view_values(&a->v));
	if (m && cuda_own(b, a)) {
		cuda_write(b, m, 0, src, m->n);
		cuda_check(b,
			launch_copy_rows(plain(a, m->f), (struct rows){ NULL, 0 },
				a->v),
			"writing a batch");
	}
	cuda_free(b, m);
}

void cuda_read_act(struct kf_backend *b, struct kf_act *a, float *dst)
{
	struct kf_mem whole, *m;

	if (cuda(b)->failed)
		return;
	whole = (struct kf_mem){ .f = a->v.f, .n = view_values(&a->v) };
	if (cuda_is_plain(&a->v)) {
		cuda_read(b, &whole, 0, dst, whole.n);
		return;
	}
	m = cuda_new_mem(b, whole.n);
	if (m) {
		cuda_check(b,
			launch_copy_rows(a->v, (struct rows){ NULL, 0 },
				plain(a, m->f)),
			"reading a batch");
		cuda_read(b, m, 0, dst, whole.n);
	}
	cuda_free(b, m);
}
