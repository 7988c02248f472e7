/* Average pooling of k x k windows with stride k; rows and columns that do not fill a
 * window are ignored. */
#include <string.h>

#include "cpu/batch.h"
#include "cpu/chain.h"
#include "cpu/memory.h"

/* A value of y, and the first of the k x k values of x that it is the mean of; the next
 * is `across` floats behind it, the next row's `down`. */
struct window {
	size_t y, x;
};

static struct window window(const struct kf_plan *plan, int c, int h, int w)
{
	int k = plan->layer->kernel;

	return (struct window){ cpu_position(&plan->y, c, h, w),
		cpu_position(&plan->x, c, h * k, w * k) };
}

static float mean(const float *x, size_t across, size_t down, int k)
{
	double sum = 0;

	for (int h = 0; h < k; h++)
		for (int w = 0; w < k; w++)
			sum += x[(size_t)h * down + (size_t)w * across];
	return (float)(sum / ((double)k * k));
}

static void spread(float *dx, float v, size_t across, size_t down, int k)
{
	for (int h = 0; h < k; h++)
		for (int w = 0; w < k; w++)
			dx[(size_t)h * down + (size_t)w * across] = v;
}

/* Calls mean, or spread if `backward`, for each window. */
static void each_window(const struct kf_plan *plan, float *x, float *y, bool backward)
{
	const struct cpu_layout *l = &plan->y;
	size_t across = (size_t)plan->x.block, down = across * (size_t)plan->x.w;
	int k = plan->layer->kernel;

	for (int c = 0; c < l->c; c++)
		for (int h = 0; h < l->h; h++)
			for (int w = 0; w < l->w; w++) {
				struct window at = window(plan, c, h, w);

				if (backward)
					spread(x + at.x, y[at.y] / (float)(k * k),
						across, down, k);
				else
					y[at.y] = mean(x + at.x, across, down, k);
			}
}

static void forward(struct kf_backend *b, const struct cpu_deferred *d, int thread,
	int i, float *x, float *y, void *mask)
{
	(void)b, (void)thread, (void)i, (void)mask;
	memset(y, 0, cpu_image_floats(&d->plan->y) * sizeof *y);
	each_window(d->plan, x, y, false);
}

static void backward(struct kf_backend *b, const struct cpu_deferred *d, int thread,
	int i, float *dy, float *dx)
{
	(void)b, (void)thread, (void)i;
	if (!dx)
		return;
	memset(dx, 0, cpu_image_floats(&d->plan->x) * sizeof *dx);
	each_window(d->plan, dx, dy, true);
}

const struct cpu_layer cpu_avgpool = { .make = cpu_chain_make_plain,
	.image_forward = forward,
	.image_backward = backward };
