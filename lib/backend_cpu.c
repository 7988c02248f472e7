/*
 * The CPU backend: the handle, memory, batches, and the table of operations.
 * Layers are in backend_cpu_layers.c and backend_cpu_image.c, losses and update
 * rules in backend_cpu_learn.c.
 *
 * A dense layer's weights are stored (in, out) where the processor has AVX-512
 * and (out, in), as PyTorch has them, elsewhere: for net1 each is there about a
 * third faster than the other.
 */
#define _GNU_SOURCE
#include "backend_cpu.h"

#include <math.h>
#include <omp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#define ALIGNMENT 64
void cpu_fail(struct kf_backend *b, const char *fmt, ...)
{
	va_list ap;

	if (cpu(b)->failed)
		return;
	cpu(b)->failed = true;
	va_start(ap, fmt);
	vsnprintf(cpu(b)->first.msg, sizeof cpu(b)->first.msg, fmt, ap);
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
	memset(f, 0, bytes);
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
	*m = (struct kf_mem){ host, n };
	return m;
}

static struct kf_mem *cpu_alloc(struct kf_backend *b, size_t n)
{
	return cpu_adopt(b, cpu_floats(b, n), n);
}

static void cpu_free(struct kf_backend *b, struct kf_mem *m)
{
	(void)b;
	if (m)
		free(m->f);
	free(m);
}

static void cpu_write(struct kf_backend *b, struct kf_mem *m, size_t offset,
	const float *src, size_t n)
{
	if (!cpu(b)->failed)
		memcpy(m->f + offset, src, n * sizeof *src);
}

static void cpu_read(struct kf_backend *b, const struct kf_mem *m, size_t offset,
	float *dst, size_t n)
{
	if (!cpu(b)->failed)
		memcpy(dst, m->f + offset, n * sizeof *dst);
}

static void cpu_copy(struct kf_backend *b, struct kf_mem *dst,
	const struct kf_mem *src, size_t n)
{
	if (!cpu(b)->failed)
		memcpy(dst->f, src->f, n * sizeof *dst->f);
}

static bool stored_transposed(struct kf_backend *b, const struct kf_param *p)
{
	return p->rank == 2 && cpu(b)->transposed;
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
	if (cpu(b)->failed)
		return;
	if (stored_transposed(b, p))
		transpose(arena->f + p->offset, src, (size_t)p->shape[0],
			(size_t)p->shape[1]);
	else
		memcpy(arena->f + p->offset, src, p->count * sizeof *src);
}

static void cpu_read_param(struct kf_backend *b, const struct kf_mem *arena,
	const struct kf_param *p, float *dst)
{
	if (cpu(b)->failed)
		return;
	if (stored_transposed(b, p))
		transpose(dst, arena->f + p->offset, (size_t)p->shape[1],
			(size_t)p->shape[0]);
	else
		memcpy(dst, arena->f + p->offset, p->count * sizeof *dst);
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
	*a = (struct kf_act){ n, shape[0], shape[1], shape[2], block, NULL, NULL };
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
	if (a && lender && lender->n >= a->n)
		a->f = lender->own;
	else if (a)
		a->f = a->own = cpu_floats(b, cpu_act_floats(a));
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
		free(a->own);
	free(a);
}

static bool consecutive(const uint32_t *rows, int n)
{
	for (int i = 1; i < n; i++)
		if (rows[i] != rows[0] + (uint32_t)i)
			return false;
	return true;
}

/* Points the batch at memory of its own. */
static bool own(struct kf_backend *b, struct kf_act *a)
{
	if (!a->own)
		a->own = cpu_floats(b, cpu_act_floats(a));
	a->f = a->own;
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
			int x0 = clamp((int)left, w - 1), x1 = clamp((int)left + 1, w - 1);
			int y0 = clamp((int)top, h - 1), y1 = clamp((int)top + 1, h - 1);

			a = from[y0 * w + x0] + rx * (from[y0 * w + x1] -
				from[y0 * w + x0]);
			b = from[y1 * w + x0] + rx * (from[y1 * w + x1] -
				from[y1 * w + x0]);
			v = a + ry * (b - a);
			if (warp->contrast != 1) {
				v = (v - 0.5f) * warp->contrast + 0.5f;
				v = v < 0 ? 0 : v > 1 ? 1 : v;
			}
			to[y * w + x] = v;
		}
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

		if (!warps)
			memcpy(out, in, row * sizeof *to);
		for (int c = 0; warps && c < a->c; c++)
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
	if (a->block == 1 && !warps && consecutive(rows, a->n)) {
		a->f = m->f + rows[0] * row;
		return;
	}
	if (!own(b, a))
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
	if (cpu(b)->failed || (!a->f && !own(b, a)))
		return;
	if (a->block == 1)
		memcpy(a->f, src, cpu_act_floats(a) * sizeof *src);
	else
		cpu_from_plain(b, src, a);
}

static void cpu_read_act(struct kf_backend *b, const struct kf_act *a, float *dst)
{
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
		[KF_CONV] = &cpu_convolution, [KF_POOL] = &cpu_pooling,
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
	plan->kind->free(plan);
	free(plan);
}

static void cpu_forward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	const struct kf_act *x, struct kf_act *y)
{
	if (!cpu(b)->failed)
		plan->kind->forward(b, plan, pass, weights, x, y);
}

static void cpu_backward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	struct kf_mem *grads, const struct kf_act *x, const struct kf_act *y,
	struct kf_act *dy, struct kf_act *dx)
{
	if (!cpu(b)->failed)
		plan->kind->backward(b, plan, pass, weights, grads, x, y, dy, dx);
}

/* -- opening --------------------------------------------------------------------- */

static const struct kf_backend_ops operations = {
	.close = cpu_close,
	.sync = cpu_sync,
	.alloc = cpu_alloc,
	.adopt = cpu_adopt,
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
	/* threads that start later inherit the mode of the one that starts them */
#pragma omp parallel
	flush_denormals();
	c->base.op = &operations;
	c->transposed = (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core) ==
		dnnl_cpu_isa_avx512_core;
	c->block = c->transposed ? 16 : 8; /* floats in a vector register */
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
