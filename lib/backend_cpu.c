/*
 * The CPU backend: matrix products by oneDNN, the rest by OpenMP loops.  The
 * only file that knows either.
 *
 * Activations are row-major (n, features).  A dense layer's weights are stored
 * (in, out) where the processor has AVX-512 and (out, in), as PyTorch has
 * them, elsewhere: for net1 each is there about a third faster than the other.
 */
#define _GNU_SOURCE
#include "backend.h"

#include <dnnl.h>
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
/* Loops over fewer floats than this are not worth waking a thread. */
#define PARALLEL_MIN ((size_t)1 << 15)

struct kf_mem {
	float *f;
	size_t n;
};

struct kf_act {
	int n;         /* rows */
	size_t row;    /* floats in one */
	float *f;      /* (n, row): own, or rows of a kf_mem */
	float *own;    /* memory for them, NULL until it is needed */
};

struct kf_plan {
	const struct kf_layer *layer;
	const struct kf_param *weight, *bias;
	int n;
};

struct cpu {
	struct kf_backend base;  /* first: the handle is this */
	bool transposed;         /* dense weights are stored (in, out) */
	bool failed;
	struct kf_err first;
};

static struct cpu *cpu(struct kf_backend *b)
{
	return (struct cpu *)b;
}

__attribute__((format(printf, 2, 3)))
static void fail(struct kf_backend *b, const char *fmt, ...)
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
	free(b);
}

/* -- memory ---------------------------------------------------------------------- */

static float *floats(struct kf_backend *b, size_t n)
{
	size_t bytes = (n * sizeof(float) + ALIGNMENT) / ALIGNMENT * ALIGNMENT;
	float *f = aligned_alloc(ALIGNMENT, bytes);

	if (!f) {
		fail(b, "out of memory for %zu MiB", bytes >> 20);
		return NULL;
	}
	memset(f, 0, bytes);
	return f;
}

static struct kf_mem *cpu_adopt(struct kf_backend *b, float *host, size_t n)
{
	struct kf_mem *m = malloc(sizeof *m);

	if (!host || !m) {
		fail(b, "out of memory");
		free(host);
		free(m);
		return NULL;
	}
	*m = (struct kf_mem){ host, n };
	return m;
}

static struct kf_mem *cpu_alloc(struct kf_backend *b, size_t n)
{
	return cpu_adopt(b, floats(b, n), n);
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

static struct kf_act *new_act(struct kf_backend *b, int n, size_t row)
{
	struct kf_act *a = calloc(1, sizeof *a);

	if (!a) {
		fail(b, "out of memory");
		return NULL;
	}
	a->n = n;
	a->row = row;
	return a;
}

static struct kf_act *cpu_act(struct kf_backend *b, const struct kf_plan *plan)
{
	struct kf_act *a;

	if (cpu(b)->failed)
		return NULL;
	a = new_act(b, plan->n, (size_t)kf_layer_outputs(plan->layer));
	if (a)
		a->f = a->own = floats(b, (size_t)a->n * a->row);
	return a;
}

static struct kf_act *cpu_input(struct kf_backend *b, int n, size_t row)
{
	return new_act(b, n, row);
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

/* Rows that follow one another are used where they are. */
static void cpu_take(struct kf_backend *b, struct kf_act *a, const struct kf_mem *m,
	const uint32_t *rows)
{
	if (cpu(b)->failed)
		return;
	if (consecutive(rows, a->n)) {
		a->f = m->f + rows[0] * a->row;
		return;
	}
	if (!a->own && !(a->own = floats(b, (size_t)a->n * a->row)))
		return;
	a->f = a->own;
#pragma omp parallel for schedule(static)
	for (int i = 0; i < a->n; i++)
		memcpy(a->f + (size_t)i * a->row, m->f + rows[i] * a->row,
			a->row * sizeof *a->f);
}

static void cpu_write_act(struct kf_backend *b, struct kf_act *a, const float *src)
{
	if (cpu(b)->failed)
		return;
	if (!a->own && !(a->own = floats(b, (size_t)a->n * a->row)))
		return;
	a->f = a->own;
	memcpy(a->f, src, (size_t)a->n * a->row * sizeof *src);
}

static void cpu_read_act(struct kf_backend *b, const struct kf_act *a, float *dst)
{
	if (!cpu(b)->failed)
		memcpy(dst, a->f, (size_t)a->n * a->row * sizeof *dst);
}

/* -- layers ---------------------------------------------------------------------- */

static struct kf_plan *cpu_plan(struct kf_backend *b, const struct kf_layer *layer,
	const struct kf_param *params, int n)
{
	struct kf_plan *plan = calloc(1, sizeof *plan);

	if (!plan) {
		fail(b, "out of memory");
		return NULL;
	}
	plan->layer = layer;
	plan->weight = &params[layer->weight];
	plan->bias = &params[layer->bias];
	plan->n = n;
	return plan;
}

static void cpu_free_plan(struct kf_backend *b, struct kf_plan *plan)
{
	(void)b;
	free(plan);
}

/* c (m, n) = op(a) op(b), row-major; lda and ldb are those of a, b as stored */
static void gemm(struct kf_backend *h, char op_a, char op_b, size_t m, size_t n,
	size_t k, const float *a, size_t lda, const float *b, size_t ldb, float *c)
{
	if (dnnl_sgemm(op_a, op_b, (dnnl_dim_t)m, (dnnl_dim_t)n, (dnnl_dim_t)k, 1, a,
		(dnnl_dim_t)lda, b, (dnnl_dim_t)ldb, 0, c, (dnnl_dim_t)n) !=
		dnnl_success)
		fail(h, "oneDNN: a product of %zu x %zu x %zu failed", m, n, k);
}

/* y (n, out) = f(y + bias), bias and activation in one pass */
static void add_bias(float *y, const float *bias, enum kf_activation f, size_t n,
	size_t out)
{
#pragma omp parallel for schedule(static) if (n * out >= PARALLEL_MIN)
	for (size_t i = 0; i < n; i++) {
		float *row = y + i * out;

		for (size_t j = 0; j < out; j++)
			row[j] += bias[j];
		if (f == KF_RELU)
			for (size_t j = 0; j < out; j++)
				row[j] = row[j] > 0 ? row[j] : 0;
	}
}

static void cpu_forward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	const struct kf_act *x, struct kf_act *y)
{
	size_t n = (size_t)plan->n, in = x->row, out = y->row;
	const float *w;

	(void)pass;
	if (cpu(b)->failed)
		return;
	w = weights->f + plan->weight->offset;
	if (cpu(b)->transposed)
		gemm(b, 'N', 'N', n, out, in, x->f, in, w, out, y->f);
	else
		gemm(b, 'N', 'T', n, out, in, x->f, in, w, in, y->f);
	add_bias(y->f, weights->f + plan->bias->offset, plan->layer->activation, n,
		out);
}

/*
 * dy (n, out) becomes the gradient before the activation, whose derivative
 * is known from y; db (out) its sum over the rows.
 */
static void activation_gradient(float *dy, const float *y, float *db,
	enum kf_activation f, size_t n, size_t out)
{
	memset(db, 0, out * sizeof *db);
	for (size_t i = 0; i < n; i++) {
		float *d = dy + i * out;

		if (f == KF_RELU)
			for (size_t j = 0; j < out; j++)
				d[j] = y[i * out + j] > 0 ? d[j] : 0;
		for (size_t j = 0; j < out; j++)
			db[j] += d[j];
	}
}

static void cpu_backward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	struct kf_mem *grads, const struct kf_act *x, const struct kf_act *y,
	struct kf_act *dy, struct kf_act *dx)
{
	size_t n = (size_t)plan->n, in = x->row, out = y->row;
	const float *w;
	float *dw;

	(void)pass;
	if (cpu(b)->failed)
		return;
	w = weights->f + plan->weight->offset;
	dw = grads->f + plan->weight->offset;
	activation_gradient(dy->f, y->f, grads->f + plan->bias->offset,
		plan->layer->activation, n, out);
	if (cpu(b)->transposed) {
		gemm(b, 'T', 'N', in, out, n, x->f, in, dy->f, out, dw);
		if (dx)
			gemm(b, 'N', 'T', n, in, out, dy->f, out, w, out, dx->f);
	} else {
		gemm(b, 'T', 'N', out, in, n, dy->f, out, x->f, in, dw);
		if (dx)
			gemm(b, 'N', 'N', n, in, out, dy->f, out, w, in, dx->f);
	}
}

/* -- loss and update ------------------------------------------------------------- */

static void cpu_squared_error(struct kf_backend *b, const struct kf_act *p,
	const struct kf_mem *targets, const uint32_t *rows, double present,
	struct kf_act *dp, struct kf_mem *losses, size_t slot)
{
	float scale = (float)(2 / present);
	double sum = 0;

	if (cpu(b)->failed)
		return;
	for (int i = 0; i < p->n; i++) {
		const float *out = p->f + (size_t)i * p->row;
		const float *target = targets->f + rows[i] * p->row;

		for (size_t j = 0; j < p->row; j++) {
			float d = isnan(target[j]) ? 0 : out[j] - target[j];

			sum += (double)d * d;
			if (dp)
				dp->f[(size_t)i * p->row + j] = scale * d;
		}
	}
	losses->f[slot] = (float)(sum / present);
}

static void cpu_update(struct kf_backend *b, const struct kf_update *u,
	struct kf_mem *weights, const struct kf_mem *grads, struct kf_mem *state1,
	struct kf_mem *state2, size_t n)
{
	const float rate = u->rate, eps = u->epsilon;
	const float decay = u->decay, fresh = u->fresh;
	const float decay2 = u->decay2, fresh2 = u->fresh2;
	const float *restrict g;
	float *restrict w, *restrict s, *restrict s2;

	if (cpu(b)->failed)
		return;
	w = weights->f;
	g = grads->f;
	s = state1 ? state1->f : NULL;
	s2 = state2 ? state2->f : NULL;

/* The body runs for each i, in all threads, in vectors. */
#define EACH(body) \
	_Pragma("omp parallel for simd schedule(static) if (n >= PARALLEL_MIN)") \
	for (size_t i = 0; i < n; i++) { \
		body \
	} \
	break

	switch (u->rule) {
	case KF_SGD:
		EACH(w[i] -= rate * g[i];);
	case KF_MOMENTUM:
		EACH(s[i] = decay * s[i] - rate * g[i];
			w[i] += s[i];);
	case KF_NESTEROV:
		EACH(float step = rate * g[i];
			s[i] = decay * s[i] - step;
			w[i] += decay * s[i] - step;);
	case KF_ADAGRAD:
		EACH(s[i] += g[i] * g[i];
			w[i] -= rate * g[i] / sqrtf(s[i] + eps););
	case KF_RMSPROP:
		EACH(s[i] = decay * s[i] + fresh * g[i] * g[i];
			w[i] -= rate * g[i] / sqrtf(s[i] + eps););
	case KF_ADADELTA:
		EACH(s[i] = decay * s[i] + fresh * g[i] * g[i];
			float step = g[i] * sqrtf(s2[i] + eps) / sqrtf(s[i] + eps);
			w[i] -= rate * step;
			s2[i] = decay * s2[i] + fresh * step * step;);
	case KF_ADAM:
		EACH(s[i] = decay * s[i] + fresh * g[i];
			s2[i] = decay2 * s2[i] + fresh2 * g[i] * g[i];
			w[i] -= rate * s[i] / (sqrtf(s2[i]) + eps););
	case KF_RULES:
		break;
	}
#undef EACH
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

static struct kf_backend *cpu_open(int threads, struct kf_err *err)
{
	const dnnl_version_t *v = dnnl_version();
	struct cpu *c = calloc(1, sizeof *c);

	if (!c) {
		kf_fail(err, "out of memory");
		return NULL;
	}
	if (threads > 0)
		omp_set_num_threads(threads);
	threads = omp_get_max_threads();
	/* threads that start later inherit the mode of the one that starts them */
#pragma omp parallel
	flush_denormals();
	c->base.op = &operations;
	c->transposed = (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core) ==
		dnnl_cpu_isa_avx512_core;
	snprintf(c->base.device, sizeof c->base.device,
		"cpu (oneDNN %d.%d.%d, %d thread%s)", v->major, v->minor, v->patch,
		threads, threads == 1 ? "" : "s");
	return &c->base;
}

__attribute__((visibility("default")))
const struct kf_plugin kf_plugin = { KF_PLUGIN_ABI, cpu_open };
