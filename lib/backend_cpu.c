/*
 * The CPU backend: memory, dense layers by oneDNN's matrix product, dropout,
 * loss and updates by OpenMP loops.  Convolution and pooling are in
 * backend_cpu_image.c.
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

#include "rng.h"

#define ALIGNMENT 64
/* Loops over fewer floats than this are not worth waking a thread. */
#define PARALLEL_MIN ((size_t)1 << 15)

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

/* Floats of one row, the filling included. */
static size_t row_floats(const struct kf_act *a)
{
	size_t blocks = ((size_t)a->c + (size_t)a->block - 1) / (size_t)a->block;

	return blocks * (size_t)a->block * (size_t)a->h * (size_t)a->w;
}

size_t cpu_act_floats(const struct kf_act *a)
{
	return (size_t)a->n * row_floats(a);
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

/* -- activations ------------------------------------------------------------------- */

void cpu_activate(float *y, size_t n, enum kf_activation f)
{
	if (f == KF_LINEAR)
		return;
#pragma omp parallel for schedule(static) if (n >= PARALLEL_MIN)
	for (size_t i = 0; i < n; i++)
		y[i] = f == KF_RELU ? (y[i] > 0 ? y[i] : 0) :
			f == KF_TANH ? tanhf(y[i]) : 1 / (1 + expf(-y[i]));
}

void cpu_activation_gradient(float *dy, const float *y, size_t n,
	enum kf_activation f)
{
	if (f == KF_RELU) {
#pragma omp parallel for simd schedule(static) if (n >= PARALLEL_MIN)
		for (size_t i = 0; i < n; i++)
			dy[i] = y[i] > 0 ? dy[i] : 0;
	} else if (f == KF_TANH) {
#pragma omp parallel for simd schedule(static) if (n >= PARALLEL_MIN)
		for (size_t i = 0; i < n; i++)
			dy[i] *= 1 - y[i] * y[i];
	} else if (f == KF_SIGMOID) {
#pragma omp parallel for simd schedule(static) if (n >= PARALLEL_MIN)
		for (size_t i = 0; i < n; i++)
			dy[i] *= y[i] * (1 - y[i]);
	}
}

/* -- dense layers ------------------------------------------------------------------ */

/* What a dense layer keeps where its input is not plain: x and dx flattened. */
struct flat {
	float *x, *dx;
};

static void make_dense(struct kf_backend *b, struct kf_plan *plan)
{
	if (!(plan->state = calloc(1, sizeof(struct flat))))
		cpu_fail(b, "out of memory");
}

static void free_dense(struct kf_plan *plan)
{
	struct flat *flat = plan->state;

	if (flat) {
		free(flat->x);
		free(flat->dx);
	}
	free(flat);
}

/* x in NCHW order. */
static const float *flatten(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_act *x)
{
	struct flat *flat = plan->state;

	if (x->block == 1)
		return x->f;
	if (!flat->x)
		flat->x = cpu_floats(b, cpu_act_floats(x));
	if (flat->x)
		cpu_to_plain(b, x, flat->x);
	return flat->x;
}

/* c (m, n) = op(a) op(b), row-major; lda and ldb are those of a, b as stored */
static void gemm(struct kf_backend *h, char op_a, char op_b, size_t m, size_t n,
	size_t k, const float *a, size_t lda, const float *b, size_t ldb, float *c)
{
	if (cpu(h)->failed)
		return;
	if (dnnl_sgemm(op_a, op_b, (dnnl_dim_t)m, (dnnl_dim_t)n, (dnnl_dim_t)k, 1, a,
		(dnnl_dim_t)lda, b, (dnnl_dim_t)ldb, 0, c, (dnnl_dim_t)n) !=
		dnnl_success)
		cpu_fail(h, "oneDNN: a product of %zu x %zu x %zu failed", m, n, k);
}

static void dense(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	const struct kf_act *x, struct kf_act *y)
{
	size_t n = (size_t)plan->n, in = (size_t)kf_layer_inputs(plan->layer);
	size_t out = (size_t)kf_layer_outputs(plan->layer);
	const float *w = weights->f + plan->weight->offset;
	const float *bias = weights->f + plan->bias->offset;
	const float *flat = flatten(b, plan, x);

	(void)pass;
	if (cpu(b)->transposed)
		gemm(b, 'N', 'N', n, out, in, flat, in, w, out, y->f);
	else
		gemm(b, 'N', 'T', n, out, in, flat, in, w, in, y->f);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < out; j++)
			y->f[i * out + j] += bias[j];
	cpu_activate(y->f, n * out, plan->layer->activation);
}

static void dense_back(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	struct kf_mem *grads, const struct kf_act *x, const struct kf_act *y,
	struct kf_act *dy, struct kf_act *dx)
{
	struct flat *flat = plan->state;
	size_t n = (size_t)plan->n, in = (size_t)kf_layer_inputs(plan->layer);
	size_t out = (size_t)kf_layer_outputs(plan->layer);
	const float *w = weights->f + plan->weight->offset;
	const float *from = x->block == 1 ? x->f : flat->x; /* of the forward pass */
	float *dw = grads->f + plan->weight->offset, *to;
	float *db = grads->f + plan->bias->offset;

	(void)pass;
	cpu_activation_gradient(dy->f, y->f, n * out, plan->layer->activation);
	memset(db, 0, out * sizeof *db);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < out; j++)
			db[j] += dy->f[i * out + j];
	if (cpu(b)->transposed)
		gemm(b, 'T', 'N', in, out, n, from, in, dy->f, out, dw);
	else
		gemm(b, 'T', 'N', out, in, n, dy->f, out, from, in, dw);
	if (!dx)
		return;
	to = dx->f;
	if (dx->block != 1) {
		if (!flat->dx && !(flat->dx = cpu_floats(b, cpu_act_floats(dx))))
			return;
		to = flat->dx;
	}
	if (cpu(b)->transposed)
		gemm(b, 'N', 'T', n, in, out, dy->f, out, w, out, to);
	else
		gemm(b, 'N', 'N', n, in, out, dy->f, out, w, in, to);
	if (to != dx->f)
		cpu_from_plain(b, to, dx);
}

static const struct cpu_kind dense_kind = { make_dense, free_dense, dense, dense_back };

/* -- dropout ----------------------------------------------------------------------- */

/* Which values were kept, in the layout of the batch. */
static void make_drop(struct kf_backend *b, struct kf_plan *plan)
{
	const int *s = plan->layer->out;
	struct kf_act a = { plan->n, s[0], s[1], s[2],
		cpu_block(b, s[0], s[1], s[2]), NULL, NULL };

	if (!(plan->state = calloc(cpu_act_floats(&a), 1)))
		cpu_fail(b, "out of memory");
}

static void free_drop(struct kf_plan *plan)
{
	free(plan->state);
}

/*
 * Draws the marks of one channel of one row, count values that follow one
 * another in NCHW order from `index` on and lie `stride` apart in memory.
 */
static void draw_marks(unsigned char *kept, size_t stride, size_t count,
	uint64_t index, uint32_t limit, uint32_t layer, const struct kf_pass *pass)
{
	enum { BLOCKS = 64 };
	uint32_t bits[4 * BLOCKS];

	for (size_t done = 0; done < count;) {
		uint64_t first = index + done;
		size_t skip = first % 4, n = 4 * BLOCKS - skip;

		if (n > count - done)
			n = count - done;
		kf_philox_blocks(pass->seed, KF_RNG_DROPOUT, layer, pass->step,
			first / 4, (skip + n + 3) / 4, bits);
		for (size_t i = 0; i < n; i++)
			kept[(done + i) * stride] = bits[skip + i] >= limit;
		done += n;
	}
}

static void draw_all_marks(struct kf_plan *plan, const struct kf_act *a,
	const struct kf_pass *pass)
{
	uint32_t limit = (uint32_t)(plan->layer->drop * 0x1p32);
	size_t area = (size_t)a->h * (size_t)a->w, row = row_floats(a);
	size_t c_count = (size_t)a->c, block = (size_t)a->block;
	unsigned char *kept = plan->state;

#pragma omp parallel for collapse(2) schedule(static)
	for (size_t i = 0; i < (size_t)a->n; i++)
		for (size_t c = 0; c < c_count; c++)
			draw_marks(kept + i * row + c / block * block * area + c % block,
				block, area, (i * c_count + c) * area, limit,
				(uint32_t)plan->layer->index, pass);
}

/* Training: what is kept is scaled, so that the mean stays. */
static void drop(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	const struct kf_act *x, struct kf_act *y)
{
	float scale = (float)(1 / (1 - plan->layer->drop));
	const unsigned char *kept = plan->state;
	size_t n = cpu_act_floats(x);

	(void)b;
	(void)weights;
	if (!pass->train) {
		memcpy(y->f, x->f, n * sizeof *y->f);
		return;
	}
	draw_all_marks(plan, x, pass);
#pragma omp parallel for simd schedule(static) if (n >= PARALLEL_MIN)
	for (size_t i = 0; i < n; i++)
		y->f[i] = kept[i] ? x->f[i] * scale : 0;
}

static void drop_back(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	struct kf_mem *grads, const struct kf_act *x, const struct kf_act *y,
	struct kf_act *dy, struct kf_act *dx)
{
	float scale = (float)(1 / (1 - plan->layer->drop));
	const unsigned char *kept = plan->state;
	size_t n = cpu_act_floats(x);

	(void)b, (void)pass, (void)weights, (void)grads, (void)y;
	if (!dx)
		return;
#pragma omp parallel for simd schedule(static) if (n >= PARALLEL_MIN)
	for (size_t i = 0; i < n; i++)
		dx->f[i] = kept[i] ? dy->f[i] * scale : 0;
}

static const struct cpu_kind drop_kind = { make_drop, free_drop, drop, drop_back };

/* -- layers ------------------------------------------------------------------------ */

static struct kf_plan *cpu_plan(struct kf_backend *b, const struct kf_layer *layer,
	const struct kf_param *params, int n)
{
	static const struct cpu_kind *const kinds[] = { [KF_DENSE] = &dense_kind,
		[KF_CONV] = &cpu_convolution, [KF_POOL] = &cpu_pooling,
		[KF_DROP] = &drop_kind };
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

/* -- loss and update ------------------------------------------------------------- */

static void cpu_squared_error(struct kf_backend *b, const struct kf_act *p,
	const struct kf_mem *targets, const uint32_t *rows, double present,
	struct kf_act *dp, struct kf_mem *losses, size_t slot)
{
	size_t m = (size_t)p->c; /* a row of the last dense layer */
	float scale = (float)(2 / present);
	double sum = 0;

	if (cpu(b)->failed)
		return;
	for (int i = 0; i < p->n; i++) {
		const float *out = p->f + (size_t)i * m;
		const float *target = targets->f + rows[i] * m;

		for (size_t j = 0; j < m; j++) {
			float d = isnan(target[j]) ? 0 : out[j] - target[j];

			sum += (double)d * d;
			if (dp)
				dp->f[(size_t)i * m + j] = scale * d;
		}
	}
	losses->f[slot] = (float)(sum / present);
}

/* One row: dp becomes softmax(p), less 1 at the label, times scale. */
static double row_entropy(const float *p, size_t classes, size_t label, float scale,
	float *dp)
{
	double largest = p[0], sum = 0;

	for (size_t j = 1; j < classes; j++)
		largest = p[j] > largest ? p[j] : largest;
	for (size_t j = 0; j < classes; j++)
		sum += exp(p[j] - largest);
	for (size_t j = 0; dp && j < classes; j++)
		dp[j] = scale * (float)(exp(p[j] - largest) / sum - (j == label));
	return log(sum) + largest - p[label];
}

static void cpu_cross_entropy(struct kf_backend *b, const struct kf_act *p,
	const struct kf_mem *labels, const uint32_t *rows, struct kf_act *dp,
	struct kf_mem *losses, struct kf_mem *hits, size_t slot)
{
	size_t classes = (size_t)p->c;
	double sum = 0;
	int hit = 0;

	if (cpu(b)->failed)
		return;
	for (int i = 0; i < p->n; i++) {
		const float *out = p->f + (size_t)i * classes;
		size_t label = (size_t)labels->f[rows[i]], best = 0;

		for (size_t j = 1; j < classes; j++)
			if (out[j] > out[best])
				best = j;
		hit += best == label;
		sum += row_entropy(out, classes, label, 1 / (float)p->n,
			dp ? dp->f + (size_t)i * classes : NULL);
	}
	losses->f[slot] = (float)(sum / p->n);
	hits->f[slot] = (float)hit;
}

static void cpu_update(struct kf_backend *b, const struct kf_update *u,
	struct kf_mem *weights, const struct kf_mem *grads, struct kf_mem *state1,
	struct kf_mem *state2, size_t n)
{
	const float rate = u->rate, eps = u->epsilon;
	const float decay = u->decay, fresh = u->fresh;
	const float decay2 = u->decay2, fresh2 = u->fresh2;
	const float weight_decay = u->weight_decay;
	const float *restrict g;
	float *restrict w, *restrict s, *restrict s2;

	if (cpu(b)->failed)
		return;
	w = weights->f;
	g = grads->f;
	s = state1 ? state1->f : NULL;
	s2 = state2 ? state2->f : NULL;

/* The body runs for each i, with the gradient in d, in all threads, in vectors. */
#define EACH(body) \
	_Pragma("omp parallel for simd schedule(static) if (n >= PARALLEL_MIN)") \
	for (size_t i = 0; i < n; i++) { \
		float d = g[i] + weight_decay * w[i]; \
		body \
	} \
	break

	switch (u->rule) {
	case KF_SGD:
		EACH(w[i] -= rate * d;);
	case KF_MOMENTUM:
		EACH(s[i] = decay * s[i] - rate * d;
			w[i] += s[i];);
	case KF_NESTEROV:
		EACH(float step = rate * d;
			s[i] = decay * s[i] - step;
			w[i] += decay * s[i] - step;);
	case KF_ADAGRAD:
		EACH(s[i] += d * d;
			w[i] -= rate * d / sqrtf(s[i] + eps););
	case KF_RMSPROP:
		EACH(s[i] = decay * s[i] + fresh * d * d;
			w[i] -= rate * d / sqrtf(s[i] + eps););
	case KF_ADADELTA:
		EACH(s[i] = decay * s[i] + fresh * d * d;
			float step = d * sqrtf(s2[i] + eps) / sqrtf(s[i] + eps);
			w[i] -= rate * step;
			s2[i] = decay * s2[i] + fresh * step * step;);
	case KF_ADAM:
		EACH(s[i] = decay * s[i] + fresh * d;
			s2[i] = decay2 * s2[i] + fresh2 * d * d;
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
