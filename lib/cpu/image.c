/* Convolution and pooling on the CPU, an image at a time in a thread. */
#define _GNU_SOURCE
#include "cpu/internal.h"
#include "cpu/onednn.h"

#include <stdlib.h>
#include <string.h>

/* -- layouts ------------------------------------------------------------------------- */

static struct cpu_layout layout(int n, int c, int h, int w, int block)
{
	return (struct cpu_layout){ { n, c, h, w }, block };
}

static struct cpu_layout image_layout(struct kf_backend *b, int n, const int s[3])
{
	return layout(n, s[0], s[1], s[2], cpu_block(b, s[0], s[1], s[2]));
}

void cpu_to_plain(struct kf_backend *b, const struct kf_act *a, float *plain)
{
	struct cpu_layout from = layout(a->n, a->c, a->h, a->w, a->block);
	struct cpu_layout to = layout(a->n, a->c, a->h, a->w, 1);

	cpu_reorder(b, &from, a->f, &to, plain);
}

void cpu_from_plain(struct kf_backend *b, const float *plain, struct kf_act *a)
{
	struct cpu_layout from = layout(a->n, a->c, a->h, a->w, 1);
	struct cpu_layout to = layout(a->n, a->c, a->h, a->w, a->block);

	cpu_reorder(b, &from, plain, &to, a->f);
}

/* -- pooling ----------------------------------------------------------------------- */

/*
 * The largest of each k x k window; the stride is k, what is left over is cut.
 *
 * Which value of a window was the largest is kept in a byte, for sides up to 15,
 * else looked for again.  Where x comes from a relu, the gradient by x is that by
 * what the relu was given: where 0 is the largest, no gradient passes.
 */
#define SIDE_MAX 15
#define NOTHING 255

typedef cpu_floats8 floats;
typedef cpu_masks8 masks;
typedef uint8_t bytes __attribute__((vector_size(32)));
typedef uint64_t words __attribute__((vector_size(32)));

/* The lowest bytes of the eight, and back. */
#define NARROW(m) \
	((words)__builtin_shufflevector((bytes)(m), (bytes)(m), 0, 4, 8, 12, 16, 20, \
		24, 28, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, \
		0, 0, 0))[0]
#define WIDEN(w) \
	((masks)__builtin_shufflevector((bytes)(words){ w }, (bytes){ 0 }, 0, 32, 32, \
		32, 1, 32, 32, 32, 2, 32, 32, 32, 3, 32, 32, 32, 4, 32, 32, 32, 5, 32, \
		32, 32, 6, 32, 32, 32, 7, 32, 32, 32))

/* Eight windows of 2 x 2; steps: from the first value to each. */
static inline void pool_eight(const float *first, const size_t steps[4], float *y,
	uint8_t *which, bool relu)
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
	at |= ~((best > 0) | always) & NOTHING;
	narrow = NARROW(at);
	*(floats *)y = best;
	memcpy(which, &narrow, sizeof narrow);
}

/* One output row of n windows: x points at two rows of w pixels. */
CPU_CLONES
static void pool_row(const float *x, int w, float *y, uint8_t *which, int n,
	size_t block, bool relu)
{
	const size_t steps[] = { 0, block, (size_t)w * block, (size_t)(w + 1) * block };

	for (size_t i = 0; i < (size_t)n * block; i += block)
		for (size_t c = 0; c < block; c += 8)
			pool_eight(x + 2 * i + c, steps, y + i + c, which + i + c,
				relu);
}

/* The way back: dx's two rows get dy where the largest was, 0 elsewhere. */
CPU_CLONES
static void pool_row_back(const float *dy, const uint8_t *which, int n, float *dx,
	int w, size_t block)
{
	const size_t steps[] = { 0, block, (size_t)w * block, (size_t)(w + 1) * block };

	for (size_t i = 0; i < (size_t)n * block; i += block)
		for (size_t c = i; c < i + block; c += 8) {
			masks gradient = *(const masks *)(dy + c), at;
			uint64_t narrow;

			memcpy(&narrow, which + c, sizeof narrow);
			at = WIDEN(narrow);
			for (int32_t a = 0; a < 4; a++)
				*(masks *)(dx + i + c + steps[a]) =
					gradient & (at == a);
		}
}

/* Windows that these rows can do; those that are left are done one by one. */
static bool in_rows(const struct kf_act *x, const struct kf_act *y, int k)
{
	return k == 2 && x->block == y->block && x->block % 8 == 0;
}

/* A value's place in an image. */
static size_t place(const struct kf_act *a, int c, int h, int w)
{
	return (((size_t)(c / a->block) * (size_t)a->h + (size_t)h) * (size_t)a->w +
		       (size_t)w) *
		(size_t)a->block +
		(size_t)(c % a->block);
}

/* The first of the largest in the window at x, counted by rows of k. */
static int largest(const float *x, const struct kf_act *a, int k)
{
	int best = 0;

	for (int i = 1; i < k * k; i++)
		if (x[(i / k * a->w + i % k) * a->block] >
			x[(best / k * a->w + best % k) * a->block])
			best = i;
	return best;
}

static void pool_windows(const struct kf_act *x, struct kf_act *y, uint8_t *which,
	int k)
{
	for (int h = 0; h < y->h; h++)
		for (int w = 0; w < y->w; w++)
			for (int c = 0; c < y->c; c++) {
				const float *window = x->f + place(x, c, h * k, w * k);
				size_t to = place(y, c, h, w);
				int at = largest(window, x, k);

				y->f[to] = window[(at / k * x->w + at % k) * x->block];
				which[to] =
					x->activation == KF_RELU && !(y->f[to] > 0) ?
					NOTHING :
					(uint8_t)at;
			}
}

/* dx is zero before; x is that of the way there where `which` cannot tell. */
static void pool_windows_back(const struct kf_act *x, const struct kf_act *dy,
	const uint8_t *which, struct kf_act *dx, int k)
{
	for (int h = 0; h < dy->h; h++)
		for (int w = 0; w < dy->w; w++)
			for (int c = 0; c < dy->c; c++) {
				size_t window = place(dx, c, h * k, w * k);
				size_t from = place(dy, c, h, w);
				int at = which[from];

				if (x && at != NOTHING)
					at = largest(x->f + window, x, k);
				if (at != NOTHING)
					dx->f[window +
						(size_t)((at / k * dx->w + at % k) *
							dx->block)] = dy->f[from];
			}
}

static int blocks(const struct kf_act *a)
{
	return (a->c + a->block - 1) / a->block;
}

static void pool(struct kf_backend *b, const struct cpu_due *due, int thread, int i,
	const struct kf_act *x, struct kf_act *y, void *marks)
{
	size_t row = (size_t)(y->w * y->block), from = (size_t)(x->w * x->block);
	uint8_t *which = marks;

	(void)b, (void)thread, (void)i;
	if (!in_rows(x, y, due->plan->layer->kernel)) {
		pool_windows(x, y, which, due->plan->layer->kernel);
		return;
	}
	for (int c = 0; c < blocks(y); c++)
		for (int h = 0; h < y->h; h++) {
			size_t at = (size_t)(c * y->h + h) * row;

			pool_row(x->f + (size_t)(c * x->h + 2 * h) * from, x->w,
				y->f + at, which + at, y->w, (size_t)y->block,
				x->activation == KF_RELU);
		}
}

static void pool_back(struct kf_backend *b, const struct cpu_due *due, int thread,
	int i, struct kf_act *dy, struct kf_act *dx)
{
	size_t row = (size_t)(dy->w * dy->block), to;
	const uint8_t *which = cpu_marks(due, i, thread);
	int k = due->plan->layer->kernel;
	struct kf_act x;

	if (!dx)
		return;
	to = (size_t)(dx->w * dx->block);
	if (!in_rows(dx, dy, k) || dx->h % k || dx->w % k)
		memset(dx->f, 0, cpu_act_floats(dx) * sizeof *dx->f);
	if (!in_rows(dx, dy, k)) {
		if (due->plan->back_reads_x)
			x = cpu_values(b, due->x, i, thread);
		pool_windows_back(due->plan->back_reads_x ? &x : NULL, dy, which, dx,
			k);
		return;
	}
	for (int c = 0; c < blocks(dy); c++)
		for (int h = 0; h < dy->h; h++) {
			size_t at = (size_t)(c * dy->h + h) * row;

			pool_row_back(dy->f + at, which + at, dy->w,
				dx->f + (size_t)(c * dx->h + 2 * h) * to, dx->w,
				(size_t)dy->block);
		}
}

static void make_pooling(struct kf_backend *b, struct kf_plan *plan)
{
	const int *s = plan->layer->out;
	struct kf_act y = { .n = 1,
		.c = s[0],
		.h = s[1],
		.w = s[2],
		.block = cpu_block(b, s[0], s[1], s[2]) };

	plan->back_reads_x = plan->layer->kernel > SIDE_MAX;
	if (!cpu_make_places(plan, cpu_act_floats(&y)))
		cpu_fail(b, "out of memory");
}

const struct cpu_kind cpu_pooling = { .make = make_pooling,
	.there = pool,
	.back = pool_back };

/* -- convolution ----------------------------------------------------------------------- */

struct convolution {
	struct cpu_shape shape;         /* of one image */
	struct cpu_convolution *way[3]; /* by direction; made when first needed */
};

static void make_convolution(struct kf_backend *b, struct kf_plan *plan)
{
	struct convolution *v = plan->state = calloc(1, sizeof *v);
	const int64_t *w = plan->weight->shape;

	if (!v || !cpu_make_places(plan, 0)) {
		cpu_fail(b, "out of memory");
		return;
	}
	v->shape.x = image_layout(b, 1, plan->layer->in);
	v->shape.y = image_layout(b, 1, plan->layer->out);
	v->shape.weights = layout((int)w[0], (int)w[1], (int)w[2], (int)w[3], 1);
	v->shape.relu = plan->layer->activation == KF_RELU;
}

static void free_convolution(struct kf_plan *plan)
{
	struct convolution *v = plan->state;

	for (int i = 0; v && i < 3; i++)
		cpu_free_convolution(v->way[i]);
	free(v);
}

static void begin_convolution(struct kf_backend *b, struct kf_plan *plan,
	enum cpu_direction direction, const struct kf_mem *weights)
{
	struct convolution *v = plan->state;

	if (!v->way[direction])
		v->way[direction] = cpu_new_convolution(b, direction, &v->shape,
			v->way[CPU_FORWARD]);
	if (!cpu(b)->failed)
		cpu_begin(b, v->way[direction], weights->f + plan->weight->offset);
}

static void convolve(struct kf_backend *b, const struct cpu_due *due, int thread, int i,
	const struct kf_act *x, struct kf_act *y, void *marks)
{
	const struct convolution *v = due->plan->state;

	(void)i, (void)marks;
	cpu_convolve(b, v->way[CPU_FORWARD], thread, x->f,
		due->weights->f + due->plan->bias->offset, y->f);
	if (y->activation != KF_RELU)
		cpu_activate(y->f, cpu_act_floats(y), y->activation);
}

static void convolve_back(struct kf_backend *b, const struct cpu_due *due, int thread,
	int i, struct kf_act *dy, struct kf_act *dx)
{
	const struct convolution *v = due->plan->state;
	struct kf_act x = cpu_values(b, due->x, i, thread), y;

	if (!cpu_slope_known(dy, due->plan->layer->activation)) {
		y = cpu_values(b, due->y, i, thread);
		cpu_slope(dy, &y);
	}
	cpu_convolve(b, v->way[CPU_BY_WEIGHTS], thread, x.f, NULL, dy->f);
	if (dx)
		cpu_convolve(b, v->way[CPU_BY_DATA], thread, dx->f, NULL, dy->f);
}

static void end_convolution(struct kf_backend *b, struct kf_plan *plan,
	struct kf_mem *grads)
{
	struct convolution *v = plan->state;

	cpu_end(b, v->way[CPU_BY_WEIGHTS], grads->f + plan->weight->offset,
		grads->f + plan->bias->offset);
}

const struct cpu_kind cpu_convolution = { make_convolution, free_convolution,
	.there = convolve, .back = convolve_back, .begin = begin_convolution,
	.end = end_convolution };
