/* Upscaling: each value becomes k x k equal ones; the last ones of a row and of a column are
 * repeated where the output goes on. */
#include <string.h>

#include "cpu/batch.h"
#include "cpu/chain.h"
#include "cpu/memory.h"

/* Where value i of an output's row or column comes from, in n values. */
static int source(int i, int k, int n)
{
	return i / k < n ? i / k : n - 1;
}

/* Calls each with the positions of a value of y and of the one of x that it is, and how
 * many channels follow each other in both: a block, unless one of them is plain. */
typedef void each(float *y, float *x, size_t n);

static void visit(const struct kf_plan *plan, float *x, float *y, each *f)
{
	const struct cpu_layout *from = &plan->x, *to = &plan->y;
	int k = plan->layer->kernel, step = from->block == to->block ? to->block : 1;

	for (int c = 0; c < to->c; c += step)
		for (int h = 0; h < to->h; h++)
			for (int w = 0; w < to->w; w++)
				f(y + cpu_position(to, c, h, w),
					x +
						cpu_position(from, c,
							source(h, k, from->h),
							source(w, k, from->w)),
					(size_t)step);
}

static void copy(float *y, float *x, size_t n)
{
	memcpy(y, x, n * sizeof *y);
}

static void add(float *dy, float *dx, size_t n)
{
	for (size_t i = 0; i < n; i++)
		dx[i] += dy[i];
}

static void forward(struct kf_backend *b, const struct cpu_deferred *d, int thread,
	int i, float *x, float *y, void *mask)
{
	(void)b, (void)thread, (void)i, (void)mask;
	memset(y, 0, cpu_image_floats(&d->plan->y) * sizeof *y);
	visit(d->plan, x, y, copy);
}

static void backward(struct kf_backend *b, const struct cpu_deferred *d, int thread,
	int i, float *dy, float *dx)
{
	(void)b, (void)thread, (void)i;
	if (!dx)
		return;
	memset(dx, 0, cpu_image_floats(&d->plan->x) * sizeof *dx);
	visit(d->plan, dx, dy, add);
}

const struct cpu_layer cpu_upscale = { .make = cpu_chain_make_plain,
	.image_forward = forward,
	.image_backward = backward };
