/*
 * The CPU backend: the handle, memory, batches, and the table of operations.
 * Layers are in layers.c and image.c, how they are done
 * image by image in chain.c, losses and update rules in
 * learn.c, what is oneDNN's own in onednn.c.
 */
#define _GNU_SOURCE
#include "cpu/internal.h"

#include <math.h>
#include <omp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#include "base/large.h"

#define ALIGNMENT 64
#define PIECE ((size_t)1 << 18) /* of what threads copy or clear together */

void cpu_fail(struct kf_backend *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
#pragma omp critical(fail)
	if (!cpu(b)->failed) {
		vsnprintf(cpu(b)->first.msg, sizeof cpu(b)->first.msg, fmt, ap);
		cpu(b)->failed = true;
	}
	va_end(ap);
}

static int cpu_sync(struct kf_backend *b, struct kf_err *err)
{
	if (!cpu(b)->failed)
		return 0;
	*err = cpu(b)->first;
	return -1;
}

static void cpu_close(struct kf_backend *b)
{
	dnnl_stream_destroy(cpu(b)->stream);
	dnnl_engine_destroy(cpu(b)->engine);
	free(b);
}

/* -- memory ---------------------------------------------------------------------- */

float *cpu_floats(struct kf_backend *b, size_t n)
{
	size_t bytes = (n * sizeof(float) + ALIGNMENT) / ALIGNMENT * ALIGNMENT;
	float *f = aligned_alloc(ALIGNMENT, bytes);

	if (!f) {
		cpu_fail(b, "out of memory for %zu MiB", bytes >> 20);
		return NULL;
	}
	kf_large(f, bytes);
#pragma omp parallel for schedule(static) if (n >= CPU_PARALLEL_MIN)
	for (size_t at = 0; at < bytes; at += PIECE)
		memset((char *)f + at, 0, bytes - at < PIECE ? bytes - at : PIECE);
	return f;
}

static struct kf_mem *cpu_adopt(struct kf_backend *b, float *host, size_t n)
{
	struct kf_mem *m = malloc(sizeof *m);

	if (!host || !m) {
		cpu_fail(b, "out of memory");
		free(host);
		free(m);
		return NULL;
	}
	*m = (struct kf_mem){ .f = host, .n = n };
	return m;
}

static struct kf_mem *cpu_alloc(struct kf_backend *b, size_t n)
{
	return cpu_adopt(b, cpu_floats(b, n), n);
}

static struct kf_mem *cpu_show(struct kf_backend *b, struct kf_mem *m,
	const float *host, size_t n)
{
	if (!m && !(m = malloc(sizeof *m))) {
		cpu_fail(b, "out of memory");
		return NULL;
	}
	*m = (struct kf_mem){ .f = (float *)host, .n = n, .shown = true };
	return m;
}

static void cpu_free(struct kf_backend *b, struct kf_mem *m)
{
	(void)b;
	if (m && !m->shown)
		free(m->f);
	free(m);
}

static void copy(void *to, const void *from, size_t bytes)
{
#pragma omp parallel for schedule(static) if (bytes >= 4 * PIECE)
	for (size_t at = 0; at < bytes; at += PIECE)
		memcpy((char *)to + at, (const char *)from + at,
			bytes - at < PIECE ? bytes - at : PIECE);
}

static void cpu_write(struct kf_backend *b, struct kf_mem *m, size_t offset,
	const float *src, size_t n)
{
	if (!cpu(b)->failed)
		copy(m->f + offset, src, n * sizeof *src);
}

static void cpu_read(struct kf_backend *b, const struct kf_mem *m, size_t offset,
	float *dst, size_t n)
{
	if (!cpu(b)->failed)
		copy(dst, m->f + offset, n * sizeof *dst);
}

static void cpu_copy(struct kf_backend *b, struct kf_mem *dst, const struct kf_mem *src,
	size_t n)
{
	if (!cpu(b)->failed)
		copy(dst->f, src->f, n * sizeof *dst->f);
}

/*
 * Of a narrow layer, for AVX-512: oneDNN's product for the forward pass takes half
 * the time with weights stored so.  For a wide one PyTorch's way is as fast.
 */
bool cpu_transposed(struct kf_backend *b, const struct kf_param *weight)
{
	return cpu(b)->block == 16 && weight->rank == 2 && weight->shape[0] < 256;
}

/* to (columns, rows) = from (rows, columns) transposed */
static void transpose(float *to, const float *from, size_t rows, size_t columns)
{
	for (size_t i = 0; i < rows; i++)
		for (size_t j = 0; j < columns; j++)
			to[j * rows + i] = from[i * columns + j];
}

static void cpu_write_param(struct kf_backend *b, struct kf_mem *arena,
	const struct kf_param *p, const float *src)
{
	if (!cpu_transposed(b, p))
		cpu_write(b, arena, p->offset, src, p->count);
	else if (!cpu(b)->failed)
		transpose(arena->f + p->offset, src, (size_t)p->shape[0],
			(size_t)p->shape[1]);
}

static void cpu_read_param(struct kf_backend *b, const struct kf_mem *arena,
	const struct kf_param *p, float *dst)
{
	if (!cpu_transposed(b, p))
		cpu_read(b, arena, p->offset, dst, p->count);
	else if (!cpu(b)->failed)
		transpose(dst, arena->f + p->offset, (size_t)p->shape[1],
			(size_t)p->shape[0]);
}

/* -- batches --------------------------------------------------------------------- */

/* A single pixel a channel needs no blocks, and few channels would waste them. */
int cpu_block(struct kf_backend *b, int c, int h, int w)
{
	return c < cpu(b)->block || h * w == 1 ? 1 : cpu(b)->block;
}

size_t cpu_act_floats(const struct kf_act *a)
{
	size_t blocks = ((size_t)a->c + (size_t)a->block - 1) / (size_t)a->block;

	return (size_t)a->n * blocks * (size_t)a->block * (size_t)a->h * (size_t)a->w;
}

static struct kf_act *new_act(struct kf_backend *b, int n, const int shape[3],
	int block)
{
	struct kf_act *a = calloc(1, sizeof *a);

	if (!a) {
		cpu_fail(b, "out of memory");
		return NULL;
	}
	*a = (struct kf_act){ .n = n,
		.c = shape[0],
		.h = shape[1],
		.w = shape[2],
		.block = block };
	return a;
}

static struct kf_act *cpu_act(struct kf_backend *b, const struct kf_plan *plan,
	const struct kf_act *lender)
{
	const int *shape = plan->layer->out;
	struct kf_act *a;

	if (cpu(b)->failed)
		return NULL;
	a = new_act(b, plan->n, shape, cpu_block(b, shape[0], shape[1], shape[2]));
	if (!a)
		return NULL;
	a->activation = plan->layer->activation;
	if (lender && lender->n >= a->n)
		a->lender = lender;
	return a;
}

static struct kf_act *cpu_input(struct kf_backend *b, int n, const int shape[3])
{
	return new_act(b, n, shape, cpu_block(b, shape[0], shape[1], shape[2]));
}

static void cpu_free_act(struct kf_backend *b, struct kf_act *a)
{
	(void)b;
	if (a)
		free(a->room);
	free(a);
}

/* Where values lie is the backend's own affair, hence the cast. */
bool cpu_room(struct kf_backend *b, const struct kf_act *act)
{
	struct kf_act *a = (struct kf_act *)act;

	if (a->lender)
		a->f = cpu_room(b, a->lender) ? a->lender->room : NULL;
	else if (a->room || (a->room = cpu_floats(b, cpu_act_floats(a))))
		a->f = a->room;
	return a->f != NULL;
}

static int clamp(int v, int max)
{
	return v < 0 ? 0 : v > max ? max : v;
}

/* One channel (h, w); the formula is that of struct kf_warp. */
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
			if (warp->contrast != 1) {
				v = (v - 0.5f) * warp->contrast + 0.5f;
				v = v < 0 ? 0 : v > 1 ? 1 : v;
			}
			to[y * w + x] = v;
		}
}

static bool changes(const struct kf_warp *warp)
{
	static const float same[6] = { 1, 0, 0, 0, 1, 0 };

	return memcmp(warp->m, same, sizeof same) || warp->contrast != 1;
}

/* Rows of m into to (n, c, h, w) of a's shape. */
static void gather(const struct kf_act *a, float *to, const float *from,
	const uint32_t *rows, const struct kf_warp *warps)
{
	size_t area = (size_t)a->h * (size_t)a->w, row = (size_t)a->c * area;

#pragma omp parallel for schedule(static)
	for (int i = 0; i < a->n; i++) {
		float *out = to + (size_t)i * row;
		const float *in = from + rows[i] * row;

		if (!warps || !changes(&warps[i])) {
			memcpy(out, in, row * sizeof *to);
			continue;
		}
		for (int c = 0; c < a->c; c++)
			warp_channel(out + (size_t)c * area, in + (size_t)c * area,
				a->h, a->w, &warps[i]);
	}
}

/* Plain rows that follow one another are used where they are. */
static void cpu_take(struct kf_backend *b, struct kf_act *a, const struct kf_mem *m,
	const uint32_t *rows, const struct kf_warp *warps)
{
	size_t row = (size_t)a->c * (size_t)a->h * (size_t)a->w;
	float *plain;

	if (cpu(b)->failed)
		return;
	if (a->block == 1 && !warps && kf_consecutive(rows, a->n)) {
		a->f = m->f + rows[0] * row;
		return;
	}
	if (!cpu_room(b, a))
		return;
	if (a->block == 1) {
		gather(a, a->f, m->f, rows, warps);
		return;
	}
	plain = cpu_floats(b, (size_t)a->n * row);
	if (!plain)
		return;
	gather(a, plain, m->f, rows, warps);
	cpu_from_plain(b, plain, a);
	free(plain);
}

static void cpu_write_act(struct kf_backend *b, struct kf_act *a, const float *src)
{
	if (cpu(b)->failed || !cpu_room(b, a))
		return;
	if (a->block == 1)
		memcpy(a->f, src, cpu_act_floats(a) * sizeof *src);
	else
		cpu_from_plain(b, src, a);
	a->sloped = false;
	a->due.plan = NULL;
}

static void cpu_read_act(struct kf_backend *b, const struct kf_act *a, float *dst)
{
	cpu_settle(b, a);
	if (cpu(b)->failed)
		return;
	if (a->block == 1)
		memcpy(dst, a->f, cpu_act_floats(a) * sizeof *dst);
	else
		cpu_to_plain(b, a, dst);
}

/* -- layers ------------------------------------------------------------------------ */

static struct kf_plan *cpu_plan(struct kf_backend *b, const struct kf_layer *layer,
	const struct kf_param *params, int n)
{
	static const struct cpu_kind *const kinds[] = { [KF_DENSE] = &cpu_dense,
		[KF_CONV] = &cpu_convolution,
		[KF_POOL] = &cpu_pooling,
		[KF_DROP] = &cpu_dropout };
	struct kf_plan *plan = calloc(1, sizeof *plan);

	if (!plan) {
		cpu_fail(b, "out of memory");
		return NULL;
	}
	plan->layer = layer;
	plan->weight = layer->weight < 0 ? NULL : &params[layer->weight];
	plan->bias = layer->bias < 0 ? NULL : &params[layer->bias];
	plan->n = n;
	plan->kind = kinds[layer->kind];
	plan->kind->make(b, plan);
	return plan;
}

static void cpu_free_plan(struct kf_backend *b, struct kf_plan *plan)
{
	(void)b;
	if (plan->kind->free)
		plan->kind->free(plan);
	cpu_free_places(plan);
	free(plan);
}

static void cpu_forward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	const struct kf_act *x, struct kf_act *y)
{
	if (cpu(b)->failed)
		return;
	if (plan->layer->kind == KF_DROP && !pass->train) {
		y->f = x->f;
		y->due = x->due;
		y->stored = x->stored;
	} else if (plan->kind->there) {
		y->stored = false;
		y->due = (struct cpu_due){ .plan = plan,
			.pass = *pass,
			.weights = weights,
			.x = x };
	} else {
		cpu_settle(b, x);
		if (!cpu(b)->failed)
			plan->kind->forward(b, plan, weights, x, y);
	}
}

static void cpu_backward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights, struct kf_mem *grads,
	const struct kf_act *x, const struct kf_act *y, struct kf_act *dy,
	struct kf_act *dx)
{
	if (cpu(b)->failed)
		return;
	if (dx) {
		dx->sloped = cpu_slopes(plan, x);
		dx->due.plan = NULL;
	}
	if (plan->kind->there) {
		cpu_leave_back(b,
			&(struct cpu_due){ .plan = plan,
				.pass = *pass,
				.weights = weights,
				.grads = grads,
				.x = x,
				.y = y,
				.dy = dy },
			dx);
		return;
	}
	cpu_settle(b, dy);
	if (!cpu(b)->failed)
		plan->kind->backward(b, plan, weights, grads, x, y, dy, dx);
}

/* -- opening --------------------------------------------------------------------- */

static const struct kf_backend_ops operations = {
	.close = cpu_close,
	.sync = cpu_sync,
	.alloc = cpu_alloc,
	.adopt = cpu_adopt,
	.show = cpu_show,
	.free = cpu_free,
	.write = cpu_write,
	.read = cpu_read,
	.copy = cpu_copy,
	.write_param = cpu_write_param,
	.read_param = cpu_read_param,
	.plan = cpu_plan,
	.free_plan = cpu_free_plan,
	.act = cpu_act,
	.free_act = cpu_free_act,
	.input = cpu_input,
	.take = cpu_take,
	.write_act = cpu_write_act,
	.read_act = cpu_read_act,
	.forward = cpu_forward,
	.backward = cpu_backward,
	.squared_error = cpu_squared_error,
	.cross_entropy = cpu_cross_entropy,
	.update = cpu_update,
};

/*
 * Denormals as zero, in the calling thread: the velocities of dead units
 * become denormal within 60 epochs, which slows some processors down.
 */
static void flush_denormals(void)
{
#if defined(__SSE2__)
	_mm_setcsr(_mm_getcsr() | 0x8040);
#elif defined(__aarch64__)
	uint64_t fpcr;

	__asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
	__asm__ volatile("msr fpcr, %0" : : "r"(fpcr | (uint64_t)1 << 24));
#endif
}

static struct kf_backend *cpu_open(const struct kf_backend_options *options,
	struct kf_err *err)
{
	const dnnl_version_t *v = dnnl_version();
	struct cpu *c = calloc(1, sizeof *c);
	int threads;

	if (!c) {
		kf_fail(err, "out of memory");
		return NULL;
	}
	if (options->threads > 0)
		omp_set_num_threads(options->threads);
	threads = omp_get_max_threads();
	/*
	 * Threads that start later inherit the mode of the one that starts them;
	 * clang's OpenMP also brings that one back to its mode before the region.
	 */
	flush_denormals();
#pragma omp parallel
	flush_denormals();
	c->base.op = &operations;
	c->recompute = options->recompute;
	/* floats in a vector register */
	c->block = (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core) ==
			dnnl_cpu_isa_avx512_core ?
		16 :
		8;
	if (dnnl_engine_create(&c->engine, dnnl_cpu, 0) != dnnl_success ||
		dnnl_stream_create(&c->stream, c->engine, dnnl_stream_default_flags) !=
			dnnl_success) {
		kf_fail(err, "oneDNN does not start");
		free(c);
		return NULL;
	}
	snprintf(c->base.device, sizeof c->base.device,
		"cpu (oneDNN %d.%d.%d, %d thread%s)", v->major, v->minor, v->patch,
		threads, threads == 1 ? "" : "s");
	return &c->base;
}

__attribute__((visibility("default")))
const struct kf_plugin kf_plugin = { KF_PLUGIN_ABI, cpu_open };
