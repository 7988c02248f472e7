/*
 * Soft-argmax: a softmax over the cells of each map, and the expected position, as a
 * scaled coordinate.  The mask has the softmax's shares, map by map.
 */
#include <math.h>
#include <string.h>

#include "cpu/batch.h"
#include "cpu/chain.h"
#include "cpu/memory.h"

static void make(struct kf_backend *b, struct kf_plan *plan)
{
	const struct cpu_layout *l = &plan->x;
	size_t cells = (size_t)l->c * (size_t)l->h * (size_t)l->w;

	cpu_chain_make(b, plan, cells * sizeof(float));
}

/* The scaled coordinate of cell i is first + i step: cells divide an image of so many
 * pixels, and 0 is the middle of the first pixel. */
struct axis {
	float first, step;
};

static struct axis axis(int cells, int pixels)
{
	return (struct axis){ (float)(1.0 / cells - 1.0 / pixels - 1),
		(float)(2.0 / cells) };
}

static float position(const struct axis *a, int i)
{
	return a->first + (float)i * a->step;
}

/* The axes of a layer's maps, x first. */
struct axes {
	struct axis x, y;
};

static struct axes axes(const struct kf_layer *l)
{
	return (struct axes){ axis(l->in[2], l->image[1]),
		axis(l->in[1], l->image[0]) };
}

static void softmax(const struct cpu_layout *l, int c, const float *x, float *share)
{
	float largest = x[cpu_position(l, c, 0, 0)];
	double sum = 0;
	int cells = l->h * l->w;

	for (int i = 0; i < cells; i++) {
		share[i] = x[cpu_position(l, c, i / l->w, i % l->w)];
		largest = share[i] > largest ? share[i] : largest;
	}
	for (int i = 0; i < cells; i++) {
		share[i] = expf(share[i] - largest);
		sum += share[i];
	}
	for (int i = 0; i < cells; i++)
		share[i] = (float)(share[i] / sum);
}

static void expect(const struct cpu_layout *l, const struct axes *a, const float *share,
	float xy[2])
{
	double x = 0, y = 0;

	for (int h = 0; h < l->h; h++) {
		double row = 0;

		for (int w = 0; w < l->w; w++, share++) {
			row += *share;
			x += *share * position(&a->x, w);
		}
		y += row * position(&a->y, h);
	}
	xy[0] = (float)x;
	xy[1] = (float)y;
}

static void forward(struct kf_backend *b, const struct cpu_deferred *d, int thread,
	int i, float *x, float *y, void *mask)
{
	const struct axes a = axes(d->plan->layer);
	const struct cpu_layout *l = &d->plan->x;
	float *share = mask;

	(void)b, (void)thread, (void)i;
	for (int c = 0; c < l->c; c++, share += l->h * l->w) {
		softmax(l, c, x, share);
		expect(l, &a, share, y + 2 * c);
	}
}

/* dx = share * (dy . (position - expected position)) */
static void map_backward(const struct cpu_layout *l, const struct axes *a, int c,
	const float *share, const float dy[2], float *dx)
{
	float xy[2];

	expect(l, a, share, xy);
	for (int h = 0; h < l->h; h++)
		for (int w = 0; w < l->w; w++, share++) {
			float along = position(&a->x, w) - xy[0];
			float down = position(&a->y, h) - xy[1];

			dx[cpu_position(l, c, h, w)] =
				*share * (dy[0] * along + dy[1] * down);
		}
}

static void backward(struct kf_backend *b, const struct cpu_deferred *d, int thread,
	int i, float *dy, float *dx)
{
	const struct axes a = axes(d->plan->layer);
	const struct cpu_layout *l = &d->plan->x;
	const float *share = cpu_mask(d, i, thread);

	(void)b;
	if (!dx)
		return;
	memset(dx, 0, cpu_image_floats(l) * sizeof *dx);
	for (int c = 0; c < l->c; c++)
		map_backward(l, &a, c, share + c * l->h * l->w, dy + 2 * c, dx);
}

const struct cpu_layer cpu_softargmax = { .make = make,
	.image_forward = forward,
	.image_backward = backward };
