/* Upscaling: each value becomes k x k equal ones. */
#include <string.h>

#include "cpu/batch.h"
#include "cpu/chain.h"
#include "cpu/memory.h"

static void make(struct kf_backend *b, struct kf_plan *plan)
{
	if (!cpu_chain_make(b, plan, 0))
		cpu_fail(b, "out of memory");
}

/* The rows of all channels or blocks, and the floats of a pixel in them. */
static int rows(const struct cpu_layout *l)
{
	return (l->c + l->block - 1) / l->block * l->h;
}

static void forward(struct kf_backend *b, const struct cpu_deferred *d, int thread,
	int i, float *x, float *y, void *mask)
{
	const struct cpu_layout *from = &d->plan->x;
	size_t k = (size_t)d->plan->layer->kernel, block = (size_t)from->block;
	size_t row = k * (size_t)from->w * block; /* of y */

	(void)b, (void)thread, (void)i, (void)mask;
	for (int h = 0; h < rows(from); h++, y += k * row) {
		for (size_t w = 0; w < (size_t)from->w; w++, x += block)
			for (size_t j = 0; j < k; j++)
				memcpy(y + (w * k + j) * block, x, block * sizeof *y);
		for (size_t j = 1; j < k; j++)
			memcpy(y + j * row, y, row * sizeof *y);
	}
}

CPU_CLONES
static void add_pixels(float *restrict to, const float *restrict from, size_t pixels,
	size_t k, size_t block)
{
	for (size_t w = 0; w < pixels; w++)
		for (size_t j = 0; j < k; j++)
			for (size_t c = 0; c < block; c++)
				to[w * block + c] += from[(w * k + j) * block + c];
}

static void backward(struct kf_backend *b, const struct cpu_deferred *d, int thread,
	int i, float *dy, float *dx)
{
	const struct cpu_layout *to = &d->plan->x;
	size_t k = (size_t)d->plan->layer->kernel, w = (size_t)to->w;
	size_t block = (size_t)to->block;

	(void)b, (void)thread, (void)i;
	if (!dx)
		return;
	memset(dx, 0, cpu_image_floats(to) * sizeof *dx);
	for (int h = 0; h < rows(to); h++, dx += w * block)
		for (size_t j = 0; j < k; j++, dy += k * w * block)
			add_pixels(dx, dy, w, k, block);
}

/* A single pixel has another layout than what it becomes, but the same order if it is
 * plain. */
static void plain_forward(struct kf_backend *b, const struct cpu_deferred *d,
	int thread, int i, float *x, float *y, void *mask)
{
	const struct cpu_layout *to = &d->plan->y;

	if (d->plan->x.block == to->block) {
		forward(b, d, thread, i, x, y, mask);
		return;
	}
	memset(y, 0, cpu_image_floats(to) * sizeof *y);
	for (int c = 0; c < to->c; c++)
		for (int h = 0; h < to->h; h++)
			for (int w = 0; w < to->w; w++)
				y[cpu_position(to, c, h, w)] = x[c];
}

static void plain_backward(struct kf_backend *b, const struct cpu_deferred *d,
	int thread, int i, float *dy, float *dx)
{
	const struct cpu_layout *from = &d->plan->y;

	if (!dx || d->plan->x.block == from->block) {
		backward(b, d, thread, i, dy, dx);
		return;
	}
	for (int c = 0; c < from->c; c++) {
		dx[c] = 0;
		for (int h = 0; h < from->h; h++)
			for (int w = 0; w < from->w; w++)
				dx[c] += dy[cpu_position(from, c, h, w)];
	}
}

const struct cpu_layer cpu_upscale = { .make = make,
	.image_forward = plain_forward,
	.image_backward = plain_backward };
