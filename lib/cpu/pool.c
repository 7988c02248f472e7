/*
 * Max pooling of k x k windows with stride k; rows and columns that do not fill a
 * window are ignored.
 *
 * The mask has a byte for each window, the position of its maximum, for kernels up to
 * 15 x 15; for larger ones, backward searches for it again.  If x is a relu's output, a
 * window with maximum 0 passes no gradient on, so that dx is also the gradient with
 * respect to the relu's input.
 */
#include <string.h>

#include "cpu/batch.h"
#include "cpu/chain.h"
#include "cpu/memory.h"

#define KERNEL_MAX 15
#define NO_GRADIENT 255
#define SEARCHED 0 /* in backward: there may be more positions than a byte has */

typedef cpu_floats8 floats;
typedef cpu_masks8 masks;
typedef uint8_t bytes __attribute__((vector_size(32)));
typedef uint64_t words __attribute__((vector_size(32)));

/* Packs the low bytes of eight masks into a word, and unpacks them. */
#define NARROW(m) \
	((words)__builtin_shufflevector((bytes)(m), (bytes)(m), 0, 4, 8, 12, 16, 20, \
		24, 28, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, \
		0, 0, 0))[0]
#define WIDEN(w) \
	((masks)__builtin_shufflevector((bytes)(words){ w }, (bytes){ 0 }, 0, 32, 32, \
		32, 1, 32, 32, 32, 2, 32, 32, 32, 3, 32, 32, 32, 4, 32, 32, 32, 5, 32, \
		32, 32, 6, 32, 32, 32, 7, 32, 32, 32))

/* Eight 2 x 2 windows, one in each lane; steps are the offsets of a window's values. */
static inline void pool_eight(const float *first, const size_t steps[4], float *y,
	uint8_t *argmax, bool relu)
{
	const masks always = (masks){ 0 } - !relu;
	floats best = *(const floats *)first;
	masks at = { 0 };
	uint64_t narrow;

	for (int32_t a = 1; a < 4; a++) {
		floats next = *(const floats *)(first + steps[a]);
		masks larger = next > best;

		at = (larger & a) | (~larger & at);
		best = (floats)((larger & (masks)next) | (~larger & (masks)best));
	}
	at |= ~((best > 0) | always) & NO_GRADIENT;
	narrow = NARROW(at);
	*(floats *)y = best;
	memcpy(argmax, &narrow, sizeof narrow);
}

/* One output row of n windows; x points at two rows of w pixels. */
CPU_CLONES
static void pool_row(const float *x, int w, float *y, uint8_t *argmax, int n,
	size_t block, bool relu)
{
	const size_t steps[] = { 0, block, (size_t)w * block, (size_t)(w + 1) * block };

	for (size_t i = 0; i < (size_t)n * block; i += block)
		for (size_t c = 0; c < block; c += 8)
			pool_eight(x + 2 * i + c, steps, y + i + c, argmax + i + c,
				relu);
}

/* Backward: two rows of dx get dy at each window's maximum, 0 elsewhere. */
CPU_CLONES
static void pool_row_backward(const float *dy, const uint8_t *argmax, int n, float *dx,
	int w, size_t block)
{
	const size_t steps[] = { 0, block, (size_t)w * block, (size_t)(w + 1) * block };

	for (size_t i = 0; i < (size_t)n * block; i += block)
		for (size_t c = i; c < i + block; c += 8) {
			masks gradient = *(const masks *)(dy + c), at;
			uint64_t narrow;

			memcpy(&narrow, argmax + c, sizeof narrow);
			at = WIDEN(narrow);
			for (int32_t a = 0; a < 4; a++)
				*(masks *)(dx + i + c + steps[a]) =
					gradient & (at == a);
		}
}

/* Whether it works row by row, on vectors; otherwise it works window by window. */
static bool by_rows(const struct kf_plan *plan)
{
	return plan->layer->kernel == 2 && plan->x.block == plan->y.block &&
		plan->x.block % 8 == 0;
}

/* The offset of value i of a window, in row-major order, from its first value. */
static size_t in_window(const struct cpu_layout *l, int i, int k)
{
	return (size_t)((i / k * l->w + i % k) * l->block);
}

/* The index of the window's maximum at x, the first of equal ones. */
static int find_largest(const float *x, const struct cpu_layout *l, int k)
{
	int best = 0;

	for (int i = 1; i < k * k; i++)
		if (x[in_window(l, i, k)] > x[in_window(l, best, k)])
			best = i;
	return best;
}

static void pool_windows(const struct kf_plan *plan, const float *x, float *y,
	uint8_t *argmax, bool relu)
{
	const struct cpu_layout *from = &plan->x, *to = &plan->y;
	int k = plan->layer->kernel;

	for (int h = 0; h < to->h; h++)
		for (int w = 0; w < to->w; w++)
			for (int c = 0; c < to->c; c++) {
				const float *window =
					x + cpu_position(from, c, h * k, w * k);
				int largest = find_largest(window, from, k);
				size_t i = cpu_position(to, c, h, w);

				y[i] = window[in_window(from, largest, k)];
				argmax[i] = relu && !(y[i] > 0) ? NO_GRADIENT :
					k > KERNEL_MAX          ? SEARCHED :
								  (uint8_t)largest;
			}
}

/* dx must be zero; x is NULL unless the kernel is too large for argmax. */
static void pool_windows_backward(const struct kf_plan *plan, const float *x,
	const float *dy, const uint8_t *argmax, float *dx)
{
	const struct cpu_layout *from = &plan->y, *to = &plan->x;
	int k = plan->layer->kernel;

	for (int h = 0; h < from->h; h++)
		for (int w = 0; w < from->w; w++)
			for (int c = 0; c < from->c; c++) {
				size_t window = cpu_position(to, c, h * k, w * k);
				size_t i = cpu_position(from, c, h, w);
				int largest = argmax[i];

				if (largest == NO_GRADIENT)
					continue;
				if (x)
					largest = find_largest(x + window, to, k);
				dx[window + in_window(to, largest, k)] = dy[i];
			}
}

static size_t blocks(const struct cpu_layout *l)
{
	return ((size_t)l->c + (size_t)l->block - 1) / (size_t)l->block;
}

/* Floats in a row of pixels of one block of channels. */
static size_t row_floats(const struct cpu_layout *l)
{
	return (size_t)(l->w * l->block);
}

static void forward(struct kf_backend *b, const struct cpu_deferred *d, int thread,
	int i, float *x, float *y, void *mask)
{
	const struct cpu_layout *from = &d->plan->x, *to = &d->plan->y;
	bool relu = d->x->activation == KF_RELU;
	uint8_t *argmax = mask;

	(void)b, (void)thread, (void)i;
	if (!by_rows(d->plan)) {
		pool_windows(d->plan, x, y, argmax, relu);
		return;
	}
	for (size_t c = 0; c < blocks(to); c++)
		for (size_t h = 0; h < (size_t)to->h; h++) {
			size_t row = (c * (size_t)to->h + h) * row_floats(to);
			size_t in_row =
				(c * (size_t)from->h + 2 * h) * row_floats(from);

			pool_row(x + in_row, from->w, y + row, argmax + row, to->w,
				(size_t)to->block, relu);
		}
}

static void backward(struct kf_backend *b, const struct cpu_deferred *d, int thread,
	int i, float *dy, float *dx)
{
	const struct cpu_layout *from = &d->plan->y, *to = &d->plan->x;
	const uint8_t *argmax = cpu_mask(d, i, thread);
	int k = d->plan->layer->kernel;
	const float *x = NULL;

	if (!dx)
		return;
	if (!by_rows(d->plan) || to->h % k || to->w % k)
		memset(dx, 0, cpu_image_floats(to) * sizeof *dx);
	if (!by_rows(d->plan)) {
		if (d->plan->reads_x != CPU_NEVER)
			x = cpu_values(b, d->x, i, thread);
		pool_windows_backward(d->plan, x, dy, argmax, dx);
		return;
	}
	for (size_t c = 0; c < blocks(from); c++)
		for (size_t h = 0; h < (size_t)from->h; h++) {
			size_t row = (c * (size_t)from->h + h) * row_floats(from);
			size_t in_row = (c * (size_t)to->h + 2 * h) * row_floats(to);

			pool_row_backward(dy + row, argmax + row, from->w, dx + in_row,
				to->w, (size_t)from->block);
		}
}

static void make(struct kf_backend *b, struct kf_plan *plan)
{
	if (plan->layer->kernel > KERNEL_MAX)
		plan->reads_x = CPU_WHILE_DX;
	cpu_chain_make(b, plan, cpu_image_floats(&plan->y));
}

const struct cpu_layer cpu_pool = { .make = make,
	.absorbs_relu = true,
	.image_forward = forward,
	.image_backward = backward };
