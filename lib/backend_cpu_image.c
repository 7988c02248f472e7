/*
 * Convolution and pooling on the CPU.
 *
 * Each thread works on an image or two at a time.  Where pooling follows a
 * convolution, as in most nets, it takes them while they are in the cache, and so
 * does the convolution the gradient on the way back: what lies between the two,
 * the largest batches of a net, is neither written to memory nor kept.  Therefore
 * a convolution's output, and pooling's gradient, are computed only when it is
 * known who takes them: see struct cpu_due.
 */
#define _GNU_SOURCE
#include "backend_cpu.h"
#include "backend_cpu_onednn.h"

#include <omp.h>
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

/* The images of a from `first` on. */
static struct kf_act slice(const struct kf_act *a, int first, int n)
{
	struct kf_act s = *a;

	if (s.f)
		s.f += cpu_act_floats(a) / (size_t)a->n * (size_t)first;
	s.n = n;
	return s;
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
#define NARROW(m) ((words)__builtin_shufflevector((bytes)(m), (bytes)(m), \
	0, 4, 8, 12, 16, 20, 24, 28, 0, 0, 0, 0, 0, 0, 0, 0, \
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))[0]
#define WIDEN(w) ((masks)__builtin_shufflevector((bytes)(words){ w }, (bytes){ 0 }, \
	0, 32, 32, 32, 1, 32, 32, 32, 2, 32, 32, 32, 3, 32, 32, 32, \
	4, 32, 32, 32, 5, 32, 32, 32, 6, 32, 32, 32, 7, 32, 32, 32))

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
			pool_eight(x + 2 * i + c, steps, y + i + c, which + i + c, relu);
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
				*(masks *)(dx + i + c + steps[a]) = gradient & (at == a);
		}
}

/* Windows that these rows can do; those that are left are done one by one. */
static bool in_rows(const struct kf_act *x, const struct kf_act *y, int k)
{
	return k == 2 && x->block == y->block && x->block % 8 == 0;
}

/* A value's place in the batch. */
static size_t place(const struct kf_act *a, int row, int c, int h, int w)
{
	int blocks = (a->c + a->block - 1) / a->block;

	return ((((size_t)row * (size_t)blocks + (size_t)(c / a->block)) * (size_t)a->h +
		(size_t)h) * (size_t)a->w + (size_t)w) * (size_t)a->block +
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
	for (int i = 0; i < y->n; i++)
		for (int h = 0; h < y->h; h++)
			for (int w = 0; w < y->w; w++)
				for (int c = 0; c < y->c; c++) {
					const float *window = x->f +
						place(x, i, c, h * k, w * k);
					size_t to = place(y, i, c, h, w);
					int at = largest(window, x, k);

					y->f[to] = window[(at / k * x->w + at % k) *
						x->block];
					which[to] = (uint8_t)at;
				}
}

/* dx is zero before. */
static void pool_windows_back(const struct kf_act *x, const struct kf_act *y,
	const struct kf_act *dy, const uint8_t *which, struct kf_act *dx, int k)
{
	bool relu = x->activation == KF_RELU;

	for (int i = 0; i < y->n; i++)
		for (int h = 0; h < y->h; h++)
			for (int w = 0; w < y->w; w++)
				for (int c = 0; c < y->c; c++) {
					size_t window = place(x, i, c, h * k, w * k);
					size_t from = place(y, i, c, h, w);
					int at = k <= SIDE_MAX ? which[from] :
						largest(x->f + window, x, k);

					if (!relu || y->f[from] > 0)
						dx->f[window + (size_t)((at / k * x->w +
							at % k) * x->block)] = dy->f[from];
				}
}

/* Blocks of channels in a batch: each is an image of its own. */
static int images(const struct kf_act *a)
{
	return a->n * ((a->c + a->block - 1) / a->block);
}

/* A batch in one thread. */
static void pool_batch(const struct kf_act *x, struct kf_act *y, uint8_t *which, int k)
{
	size_t row = (size_t)(y->w * y->block), from = (size_t)(x->w * x->block);

	if (!in_rows(x, y, k)) {
		pool_windows(x, y, which, k);
		return;
	}
	for (int i = 0; i < images(y); i++)
		for (int h = 0; h < y->h; h++) {
			size_t at = (size_t)(i * y->h + h) * row;

			pool_row(x->f + (size_t)(i * x->h + 2 * h) * from, x->w,
				y->f + at, which + at, y->w, (size_t)y->block,
				x->activation == KF_RELU);
		}
}

static void pool_batch_back(const struct kf_act *x, const struct kf_act *y,
	const struct kf_act *dy, const uint8_t *which, struct kf_act *dx, int k)
{
	size_t row = (size_t)(y->w * y->block), to = (size_t)(x->w * x->block);

	if (!in_rows(x, y, k) || x->h % k || x->w % k)
		memset(dx->f, 0, cpu_act_floats(dx) * sizeof *dx->f);
	if (!in_rows(x, y, k)) {
		pool_windows_back(x, y, dy, which, dx, k);
		return;
	}
	for (int i = 0; i < images(y); i++)
		for (int h = 0; h < y->h; h++) {
			size_t at = (size_t)(i * y->h + h) * row;

			pool_row_back(dy->f + at, which + at, y->w, dx->f +
				(size_t)(i * x->h + 2 * h) * to, x->w,
				(size_t)y->block);
		}
}

/* What is due for the images from `first` on, as many as dx has. */
static void pool_back_some(const struct cpu_due *due, int first, struct kf_act *dx)
{
	struct kf_act x = slice(due->x, first, dx->n), y = slice(due->y, first, dx->n);
	struct kf_act dy = slice(due->dy, first, dx->n);

	pool_batch_back(&x, &y, &dy, (uint8_t *)due->plan->state + (y.f - due->y->f),
		dx, due->plan->layer->kernel);
}

/* -- convolution ----------------------------------------------------------------------- */

struct convolution {
	int some;                       /* images at once in a thread */
	struct cpu_shape shape;         /* of so many */
	struct cpu_convolution *way[3]; /* by direction; made when first needed */
	float **between;                /* for each thread, y of so many images */
};

static void make_convolution(struct kf_backend *b, struct kf_plan *plan)
{
	struct convolution *v = calloc(1, sizeof *v);
	const int64_t *w = plan->weight->shape;
	int threads = omp_get_max_threads();

	if (!v || !(v->between = calloc((size_t)threads, sizeof *v->between))) {
		cpu_fail(b, "out of memory");
		free(v);
		return;
	}
	plan->state = v;
	v->some = plan->n % 2 || plan->n < 4 * threads ? 1 : 2;
	v->shape.x = image_layout(b, v->some, plan->layer->in);
	v->shape.y = image_layout(b, v->some, plan->layer->out);
	v->shape.weights = layout((int)w[0], (int)w[1], (int)w[2], (int)w[3], 1);
	v->shape.relu = plan->layer->activation == KF_RELU;
}

static void free_convolution(struct kf_plan *plan)
{
	struct convolution *v = plan->state;

	if (!v)
		return;
	for (int i = 0; i < 3; i++)
		cpu_free_convolution(v->way[i]);
	for (int i = 0; i < omp_get_max_threads(); i++)
		free(v->between[i]);
	free(v->between);
	free(v);
}

/* The plan's convolution, ready for a pass; NULL after a failure. */
static struct cpu_convolution *begin(struct kf_backend *b, struct kf_plan *plan,
	enum cpu_direction direction, const struct kf_mem *weights)
{
	struct convolution *v = plan->state;

	if (!v->way[direction])
		v->way[direction] = cpu_new_convolution(b, direction, &v->shape,
			v->way[CPU_FORWARD]);
	if (!cpu(b)->failed)
		cpu_begin(b, v->way[direction], weights->f + plan->weight->offset);
	return cpu(b)->failed ? NULL : v->way[direction];
}

/* A thread's place for so many images of y that are not kept. */
static struct kf_act between(struct kf_backend *b, const struct kf_plan *plan,
	const struct kf_act *y, int thread)
{
	struct convolution *v = plan->state;
	struct kf_act s = *y;

	s.n = v->some;
	if (!v->between[thread])
		v->between[thread] = cpu_floats(b, cpu_act_floats(&s));
	s.f = v->between[thread];
	return s;
}

/* y, or where there is pooling behind it, what that makes of it. */
static void convolve_batch(struct kf_backend *b, const struct cpu_due *due,
	const struct kf_act *y, const struct kf_plan *pooling, const struct kf_act *pooled)
{
	struct kf_plan *plan = due->plan;
	struct convolution *v = plan->state;
	struct cpu_convolution *forward = begin(b, plan, CPU_FORWARD, due->weights);
	const float *bias = due->weights->f + plan->bias->offset;

	if (!forward)
		return;
#pragma omp parallel for schedule(static)
	for (int i = 0; i < plan->n; i += v->some) {
		int thread = omp_get_thread_num();
		struct kf_act from = slice(due->x, i, v->some), to = pooling ?
			between(b, plan, y, thread) : slice(y, i, v->some), last;

		if (!to.f)
			continue;
		cpu_convolve(b, forward, thread, from.f, bias, to.f);
		if (y->activation != KF_RELU)
			cpu_activate(to.f, cpu_act_floats(&to), y->activation);
		if (!pooling)
			continue;
		last = slice(pooled, i, v->some);
		pool_batch(&to, &last, (uint8_t *)pooling->state + (last.f - pooled->f),
			pooling->layer->kernel);
	}
}

/* Nothing yet: what comes behind tells how. */
static void convolve(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	const struct kf_act *x, struct kf_act *y)
{
	(void)b, (void)pass;
	y->due = (struct cpu_due){ .plan = plan, .weights = weights, .x = x };
}

static void settle_convolution(struct kf_backend *b, const struct cpu_due *due,
	struct kf_act *y)
{
	convolve_batch(b, due, y, NULL, NULL);
}

/* Whether the activation's slope is known without y. */
static bool sloped_by_pooling(enum kf_activation f)
{
	return f == KF_RELU || f == KF_LINEAR;
}

static void convolve_back(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	struct kf_mem *grads, const struct kf_act *x, const struct kf_act *y,
	struct kf_act *dy, struct kf_act *dx)
{
	struct convolution *v = plan->state;
	bool pooled = dy->due.plan && sloped_by_pooling(y->activation);
	struct cpu_convolution *by_weights, *by_data = NULL;

	(void)pass;
	if (!pooled) {
		cpu_settle(b, dy);
		cpu_settle(b, y);
		cpu_slope(dy, y);
	}
	by_weights = begin(b, plan, CPU_BY_WEIGHTS, weights);
	if (!by_weights || (dx && (!cpu_room(b, dx) ||
		!(by_data = begin(b, plan, CPU_BY_DATA, weights)))))
		return;
#pragma omp parallel for schedule(static)
	for (int i = 0; i < plan->n; i += v->some) {
		int thread = omp_get_thread_num();
		struct kf_act from = slice(x, i, v->some), to = pooled ?
			between(b, plan, y, thread) : slice(dy, i, v->some);

		if (!to.f)
			continue;
		if (pooled)
			pool_back_some(&dy->due, i, &to);
		cpu_convolve(b, by_weights, thread, from.f, NULL, to.f);
		if (!by_data)
			continue;
		from = slice(dx, i, v->some);
		cpu_convolve(b, by_data, thread, from.f, NULL, to.f);
	}
	cpu_end(b, by_weights, grads->f + plan->weight->offset,
		grads->f + plan->bias->offset);
}

const struct cpu_kind cpu_convolution = { make_convolution, free_convolution,
	convolve, convolve_back, settle_convolution };

/* -- pooling as a layer ----------------------------------------------------------------- */

static void make_pooling(struct kf_backend *b, struct kf_plan *plan)
{
	const int *s = plan->layer->out;
	struct kf_act y = { .n = plan->n, .c = s[0], .h = s[1], .w = s[2],
		.block = cpu_block(b, s[0], s[1], s[2]) };

	if (!(plan->state = malloc(cpu_act_floats(&y))))
		cpu_fail(b, "out of memory");
}

static void free_pooling(struct kf_plan *plan)
{
	free(plan->state);
}

/* From a convolution image by image, while they are in the cache, where it can. */
static void pool(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	const struct kf_act *x, struct kf_act *y)
{
	int k = plan->layer->kernel;

	(void)weights;
	if (!cpu_room(b, y))
		return;
	if (x->due.plan && k <= SIDE_MAX &&
		(!pass->train || sloped_by_pooling(x->activation))) {
		convolve_batch(b, &x->due, x, plan, y);
		return;
	}
	cpu_settle(b, x);
	if (cpu(b)->failed)
		return;
#pragma omp parallel for schedule(static)
	for (int i = 0; i < plan->n; i++) {
		struct kf_act from = slice(x, i, 1), to = slice(y, i, 1);

		pool_batch(&from, &to, (uint8_t *)plan->state + (to.f - y->f), k);
	}
}

/* Nothing yet: the convolution below has it done image by image. */
static void pool_back(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	struct kf_mem *grads, const struct kf_act *x, const struct kf_act *y,
	struct kf_act *dy, struct kf_act *dx)
{
	(void)b, (void)pass, (void)weights, (void)grads;
	if (!dx)
		return;
	dx->sloped = x->activation == KF_RELU;
	dx->due = (struct cpu_due){ .plan = plan, .x = x, .y = y, .dy = dy };
}

static void settle_pooling(struct kf_backend *b, const struct cpu_due *due,
	struct kf_act *dx)
{
	(void)b;
#pragma omp parallel for schedule(static)
	for (int i = 0; i < due->plan->n; i++) {
		struct kf_act to = slice(dx, i, 1);

		pool_back_some(due, i, &to);
	}
}

const struct cpu_kind cpu_pooling = { make_pooling, free_pooling, pool, pool_back,
	settle_pooling };
