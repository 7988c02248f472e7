/* Batches between layers: their layout and memory, and filling them with data. */
#include "cpu/batch.h"

#include <math.h>
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

/* Copies rows of data, warped unless warps is NULL, to `to` (n, c, h, w). */
static void gather(const struct kf_act *a, float *to, const float *from,
	const uint32_t *rows, const struct kf_warp *warps)
{
	int c = a->layout.c, h = a->layout.h, w = a->layout.w;
	size_t area = (size_t)h * (size_t)w, row = (size_t)c * area;

#pragma omp parallel for schedule(static)
	for (int i = 0; i < a->n; i++) {
		float *out = to + (size_t)i * row;
		const float *in = from + rows[i] * row;

		if (!warps || !changes(&warps[i])) {
			memcpy(out, in, row * sizeof *to);
			continue;
		}
		for (size_t k = 0; k < (size_t)c; k++) {
			warp_channel(out + k * area, in + k * area, h, w, &warps[i]);
			cut_hole(out + k * area, h, w, warps[i].hole);
		}
	}
}

/* Copies plain images to a batch of any layout: those of rows or, if that is NULL, the
 * first n. */
static void fill(struct kf_backend *b, struct kf_act *a, const float *from,
	const uint32_t *rows, const struct kf_warp *warps)
{
	struct cpu_layout l = plain(a);
	size_t floats = (size_t)a->n * cpu_image_floats(&l);
	float *to = a->layout.block == 1 ? a->f : cpu_floats(b, floats);

	if (!to)
		return;
	if (rows)
		gather(a, to, from, rows, warps);
	else
		memcpy(to, from, floats * sizeof *to);
	if (to == a->f)
		return;
	cpu_from_plain(b, to, a);
	free(to);
}

/* Consecutive rows are used in place where the batch's layout is plain. */
void cpu_take(struct kf_backend *b, struct kf_act *a, const struct kf_mem *m,
	const uint32_t *rows, const struct kf_warp *warps)
{
	struct cpu_layout l = plain(a);

	if (cpu(b)->failed)
		return;
	if (a->layout.block == 1 && !warps && kf_consecutive(rows, a->n))
		a->f = m->f + rows[0] * cpu_image_floats(&l);
	else if (cpu_batch_memory(b, a))
		fill(b, a, m->f, rows, warps);
}

void cpu_write_act(struct kf_backend *b, struct kf_act *a, const float *src)
{
	if (cpu(b)->failed || !cpu_batch_memory(b, a))
		return;
	fill(b, a, src, NULL, NULL);
	a->wrt_preactivation = false;
	a->state = CPU_READY;
}
