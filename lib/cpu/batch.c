/* Batches between layers: their layout and memory, and filling them with data. */
#include "cpu/batch.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/memory.h"
#include "cpu/onednn.h"

#define IMAGE_CHANNELS 3

/* -- layouts --------------------------------------------------------------------- */

/* With one pixel per channel blocks gain nothing, and with the few channels of an image
 * they waste space; else oneDNN is slow between blocks and none. */
struct cpu_layout cpu_layout_of(struct kf_backend *b, const int shape[3])
{
	struct cpu_layout l = { shape[0], shape[1], shape[2], cpu(b)->block };

	if (l.c <= IMAGE_CHANNELS || l.h * l.w == 1)
		l.block = 1;
	return l;
}

size_t cpu_image_floats(const struct cpu_layout *l)
{
	size_t blocks = ((size_t)l->c + (size_t)l->block - 1) / (size_t)l->block;

	return blocks * (size_t)l->block * (size_t)l->h * (size_t)l->w;
}

size_t cpu_batch_floats(const struct kf_act *a)
{
	return (size_t)a->n * cpu_image_floats(&a->layout);
}

float *cpu_image(const struct kf_act *a, int i)
{
	return a->f ? a->f + (size_t)i * cpu_image_floats(&a->layout) : NULL;
}

static struct cpu_layout plain(const struct kf_act *a)
{
	struct cpu_layout l = a->layout;

	l.block = 1;
	return l;
}

void cpu_to_plain(struct kf_backend *b, const struct kf_act *a, float *to)
{
	cpu_md md = cpu_md_images(a->n, &a->layout, a->layout.block);
	cpu_md plain_md = cpu_md_images(a->n, &a->layout, 1);

	cpu_reorder(b, md, a->f, plain_md, to);
	cpu_md_free(md);
	cpu_md_free(plain_md);
}

void cpu_from_plain(struct kf_backend *b, float *from, struct kf_act *a)
{
	cpu_md md = cpu_md_images(a->n, &a->layout, a->layout.block);
	cpu_md plain_md = cpu_md_images(a->n, &a->layout, 1);

	cpu_reorder(b, plain_md, from, md, a->f);
	cpu_md_free(md);
	cpu_md_free(plain_md);
}

/* -- memory ---------------------------------------------------------------------- */

struct kf_act *cpu_input(struct kf_backend *b, int n, const int shape[3])
{
	struct kf_act *a = calloc(1, sizeof *a);

	if (!a) {
		cpu_fail(b, "out of memory");
		return NULL;
	}
	*a = (struct kf_act){ .n = n, .layout = cpu_layout_of(b, shape) };
	return a;
}

struct kf_act *cpu_act(struct kf_backend *b, const struct kf_plan *plan,
	struct kf_act *lender)
{
	struct kf_act *a;

	if (cpu(b)->failed)
		return NULL;
	a = cpu_input(b, plan->n, plan->layer->out);
	if (!a)
		return NULL;
	a->activation = plan->layer->activation;
	a->shared = plan->layer->readers > 1;
	if (lender && lender->n >= a->n)
		a->lender = lender;
	return a;
}

void cpu_free_act(struct kf_backend *b, struct kf_act *a)
{
	(void)b;
	if (a)
		free(a->own);
	free(a);
}

bool cpu_batch_memory(struct kf_backend *b, struct kf_act *a)
{
	struct kf_act *owner = a->lender ? a->lender : a;

	a->f = cpu_floats_once(b, &owner->own, cpu_batch_floats(owner));
	return a->f != NULL;
}

/* -- rows of data ---------------------------------------------------------------- */

static int clamp(int v, int max)
{
	return v < 0 ? 0 : v > max ? max : v;
}

/* Warps one channel (h, w) by the formula of struct kf_warp. */
static void warp_channel(float *to, const float *from, int h, int w,
	const struct kf_warp *warp)
{
	const float *m = warp->m;

	for (int y = 0; y < h; y++)
		for (int x = 0; x < w; x++) {
			float fx = m[0] * (float)x + m[1] * (float)y + m[2];
			float fy = m[3] * (float)x + m[4] * (float)y + m[5];
			float left = floorf(fx), top = floorf(fy);
			float rx = fx - left, ry = fy - top, a, b, v;
			int x0 = clamp((int)left, w - 1),
			    x1 = clamp((int)left + 1, w - 1);
			int y0 = clamp((int)top, h - 1),
			    y1 = clamp((int)top + 1, h - 1);

			a = from[y0 * w + x0] +
				rx * (from[y0 * w + x1] - from[y0 * w + x0]);
			b = from[y1 * w + x0] +
				rx * (from[y1 * w + x1] - from[y1 * w + x0]);
			v = a + ry * (b - a);
			if (warp->contrast != 1 || warp->brightness != 0) {
				v = (v - 0.5f) * warp->contrast + 0.5f +
					warp->brightness;
				v = v < 0 ? 0 : v > 1 ? 1 : v;
			}
			to[y * w + x] = v;
		}
}

static int least(int a, int b)
{
	return a < b ? a : b;
}

/* The part of the hole that is in the image. */
static void cut_hole(float *to, int h, int w, const int hole[4])
{
	for (int y = hole[1] < 0 ? 0 : hole[1]; y < least(hole[3], h); y++)
		for (int x = hole[0] < 0 ? 0 : hole[0]; x < least(hole[2], w); x++)
			to[y * w + x] = 0.5f;
}

static bool changes(const struct kf_warp *warp)
{
	static const float same[6] = { 1, 0, 0, 0, 1, 0 };

	return memcmp(warp->m, same, sizeof same) || warp->contrast != 1 ||
		warp->brightness != 0 || warp->hole[0] < warp->hole[2];
}

/* to (n) = what bytes stand for: rounded to a float, the quotient of two floats is the
 * same as that of two doubles. */
CPU_CLONES
static void widen(const uint8_t *v, float *to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (float)v[i] / 255;
}

/* n values of m from `at` on: in place if they are floats, else converted to spare (n). */
static const float *floats_at(const struct kf_mem *m, size_t at, size_t n, float *spare)
{
	if (!m->bytes)
		return m->f + at;
	widen(m->u + at, spare, n);
	return spare;
}

/* Copies rows of data, warped unless warps is NULL, to `to` (n, c, h, w).  spare has a
 * channel (h, w) for each thread where bytes are to be warped. */
static void gather(struct kf_backend *b, const struct kf_act *a, float *to,
	const struct kf_mem *m, const uint32_t *rows, const struct kf_warp *warps,
	float *spare)
{
	int c = a->layout.c, h = a->layout.h, w = a->layout.w;
	size_t area = (size_t)h * (size_t)w, row = (size_t)c * area;

#pragma omp parallel for schedule(dynamic) num_threads(cpu(b)->team.working)
	for (int i = 0; i < a->n; i++) {
		float *out = to + (size_t)i * row, *mine = NULL;
		size_t at = rows[i] * row;
		const float *in;

		if (!warps || !changes(&warps[i])) {
			in = floats_at(m, at, row, out);
			if (in != out)
				memcpy(out, in, row * sizeof *to);
			continue;
		}
		if (spare)
			mine = spare + (size_t)omp_get_thread_num() * area;
		for (size_t k = 0; k < (size_t)c; k++, at += area, out += area) {
			in = floats_at(m, at, area, mine);
			warp_channel(out, in, h, w, &warps[i]);
			cut_hole(out, h, w, warps[i].hole);
		}
	}
}

static size_t plain_floats(const struct kf_act *a)
{
	struct cpu_layout l = plain(a);

	return (size_t)a->n * cpu_image_floats(&l);
}

/* Where plain images go before they are put into the batch, which has memory: there,
 * if its layout is plain.  NULL on failure. */
static float *begin_plain(struct kf_backend *b, struct kf_act *a)
{
	return a->layout.block == 1 ? a->f : cpu_floats(b, plain_floats(a));
}

static void end_plain(struct kf_backend *b, struct kf_act *a, float *images)
{
	if (!images || images == a->f)
		return;
	cpu_from_plain(b, images, a);
	free(images);
}

static void take_rows(struct kf_backend *b, struct kf_act *a, const struct kf_mem *m,
	const uint32_t *rows, const struct kf_warp *warps)
{
	size_t area = (size_t)a->layout.h * (size_t)a->layout.w;
	float *to = begin_plain(b, a), *spare = NULL;

	if (m->bytes && warps)
		spare = cpu_floats(b, (size_t)cpu(b)->threads * area);
	if (!cpu(b)->failed)
		gather(b, a, to, m, rows, warps, spare);
	free(spare);
	end_plain(b, a, to);
}

/* Rows of floats that are consecutive are used in place where the batch's layout is plain,
 * and others wait for a layer that reads them. */
void cpu_take(struct kf_backend *b, struct kf_act *a, const struct kf_mem *m,
	const uint32_t *rows, const struct kf_warp *warps)
{
	struct cpu_layout l = plain(a);

	if (cpu(b)->failed)
		return;
	a->state = CPU_READY;
	if (warps) {
		if (cpu_batch_memory(b, a))
			take_rows(b, a, m, rows, warps);
	} else if (!m->bytes && a->layout.block == 1 && kf_consecutive(rows, a->n)) {
		a->f = m->f + rows[0] * cpu_image_floats(&l);
	} else {
		a->state = CPU_ROWS;
		a->data = m;
		a->rows = rows;
	}
}

void cpu_copy_rows(struct kf_backend *b, struct kf_act *a)
{
	if (a->state != CPU_ROWS || !cpu_batch_memory(b, a))
		return;
	take_rows(b, a, a->data, a->rows, NULL);
	a->state = CPU_READY;
}

void cpu_write_act(struct kf_backend *b, struct kf_act *a, const float *src)
{
	float *to;

	if (cpu(b)->failed || !cpu_batch_memory(b, a))
		return;
	to = begin_plain(b, a);
	if (to)
		memcpy(to, src, plain_floats(a) * sizeof *to);
	end_plain(b, a, to);
	a->wrt_preactivation = false;
	a->state = CPU_READY;
}
