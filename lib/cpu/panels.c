/* Dense layers' products, by inner loops for each instruction set. */
#define _GNU_SOURCE
#include "cpu/panels.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "cpu/activation.h"
#include "cpu/learn.h"
#include "cpu/memory.h"

enum {
	PANEL = 64, /* inputs */
	STRIP = 5,  /* rows of a tile of outer products; divides net1's 100 */
	GROUP = 18, /* panels that a piece of the forward product goes through: their */
		    /* inputs of 128 rows take 384 KiB of the second cache */
	BLOCK = 128,
	SPAN = 256
};

/* -- inner loops ------------------------------------------------------------------- */

struct kernels {
	void (*dots)(const float *x, const float *const *w, int panels, float *y,
		size_t y_row, int rows, int units);
	void (*outer)(const float *a, const float *b, size_t n, float *c);
	void (*scale_bytes)(const uint8_t *v, float *to);
};

/* For any processor, by vectors of GCC and clang. */
typedef float floats4 __attribute__((vector_size(16), aligned(4)));

static inline void sum4(float *total, const floats4 *v)
{
	for (int i = 0; i < 4; i++)
		total[i] = (v[i][0] + v[i][1]) + (v[i][2] + v[i][3]);
}

#define NAMED(f) f##_plain
#define TARGET
#define VECTOR floats4
#define LANES 4
#define LOAD(p) (*(const floats4 *)(p))
#define STORE(p, v) (*(floats4 *)(p) = (v))
#define ALL(f) ((f) - (floats4){ 0 })
#define FMA(a, b, c) ((a) * (b) + (c))
#define BYTES(p) ((floats4){ (p)[0], (p)[1], (p)[2], (p)[3] })
#define OVER_255(v) ((v) / 255)
#define SUM4 sum4
#define UNITS 2
#define COLUMNS 2
#include "cpu/panel_kernels.h"

static const struct kernels plain = { dots_plain, outer_plain, scale_bytes_plain };

#if defined(__x86_64__)

#define AVX2 __attribute__((target("avx2,fma")))

AVX2 static inline void sum4_avx2(float *total, const __m256 *v)
{
	__m256 sum =
		_mm256_hadd_ps(_mm256_hadd_ps(v[0], v[1]), _mm256_hadd_ps(v[2], v[3]));

	_mm_storeu_ps(total,
		_mm_add_ps(_mm256_castps256_ps128(sum), _mm256_extractf128_ps(sum, 1)));
}

/* v / 255 by its remainder: for each byte what a division gives, in a fraction of its
 * time. */
AVX2 static inline __m256 over_255_avx2(__m256 v)
{
	const __m256 part = _mm256_set1_ps(1.0F / 255);
	__m256 q = _mm256_mul_ps(v, part);

	return _mm256_fmadd_ps(_mm256_fnmadd_ps(q, _mm256_set1_ps(255), v), part, q);
}

#define NAMED(f) f##_avx2
#define TARGET AVX2
#define VECTOR __m256
#define LANES 8
#define LOAD _mm256_loadu_ps
#define STORE _mm256_storeu_ps
#define ALL _mm256_set1_ps
#define FMA _mm256_fmadd_ps
#define BYTES(p) \
	_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(p))))
#define OVER_255(v) over_255_avx2(v)
#define SUM4 sum4_avx2
#define UNITS 3
#define COLUMNS 2
#include "cpu/panel_kernels.h"

static const struct kernels avx2 = { dots_avx2, outer_avx2, scale_bytes_avx2 };

#define AVX512 __attribute__((target("avx512f,avx512dq")))

/* Pairs of lanes, then pairs of pairs, then the four quarters of the vector. */
AVX512 static inline void sum4_avx512(float *total, const __m512 *v)
{
	__m512 a = _mm512_add_ps(_mm512_unpacklo_ps(v[0], v[1]),
		_mm512_unpackhi_ps(v[0], v[1]));
	__m512 b = _mm512_add_ps(_mm512_unpacklo_ps(v[2], v[3]),
		_mm512_unpackhi_ps(v[2], v[3]));
	__m512 sum = _mm512_add_ps(_mm512_shuffle_ps(a, b, _MM_SHUFFLE(1, 0, 1, 0)),
		_mm512_shuffle_ps(a, b, _MM_SHUFFLE(3, 2, 3, 2)));
	__m256 half = _mm256_add_ps(_mm512_castps512_ps256(sum),
		_mm512_extractf32x8_ps(sum, 1));

	_mm_storeu_ps(total,
		_mm_add_ps(_mm256_castps256_ps128(half),
			_mm256_extractf128_ps(half, 1)));
}

AVX512 static inline __m512 over_255_avx512(__m512 v)
{
	const __m512 part = _mm512_set1_ps(1.0F / 255);
	__m512 q = _mm512_mul_ps(v, part);

	return _mm512_fmadd_ps(_mm512_fnmadd_ps(q, _mm512_set1_ps(255), v), part, q);
}

#define NAMED(f) f##_avx512
#define TARGET AVX512
#define VECTOR __m512
#define LANES 16
#define LOAD _mm512_loadu_ps
#define STORE _mm512_storeu_ps
#define ALL _mm512_set1_ps
#define FMA _mm512_fmadd_ps
#define BYTES(p) \
	_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(p))))
#define OVER_255(v) over_255_avx512(v)
#define SUM4 sum4_avx512
#define UNITS 5
#define COLUMNS 4
#include "cpu/panel_kernels.h"

static const struct kernels avx512 = { dots_avx512, outer_avx512, scale_bytes_avx512 };

static bool has(dnnl_cpu_isa_t isa)
{
	return (dnnl_get_effective_cpu_isa() & isa) == isa;
}

/* What oneDNN may use, too, so that the environment limits both alike. */
static const struct kernels *kernels(void)
{
	if (has(dnnl_cpu_isa_avx512_core))
		return &avx512;
	return has(dnnl_cpu_isa_avx2) && __builtin_cpu_supports("fma") ? &avx2 : &plain;
}

#else

static const struct kernels *kernels(void)
{
	return &plain;
}

#endif

/* -- layout ------------------------------------------------------------------------ */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t pieces(size_t n, size_t most)
{
	return (n + most - 1) / most;
}

static size_t width(size_t in, size_t panel)
{
	return least(PANEL, in - panel * PANEL);
}

static void to_panels(float *panels, const float *w, size_t in, size_t out)
{
	for (size_t p = 0; p * PANEL < in; p++)
		for (size_t j = 0; j < out; j++, panels += width(in, p))
			memcpy(panels, w + j * in + p * PANEL,
				width(in, p) * sizeof *w);
}

static void from_panels(float *w, const float *panels, size_t in, size_t out)
{
	for (size_t p = 0; p * PANEL < in; p++)
		for (size_t j = 0; j < out; j++, panels += width(in, p))
			memcpy(w + j * in + p * PANEL, panels,
				width(in, p) * sizeof *w);
}

/* Weights of a dense layer are stored in panels. */
static bool in_panels(const struct kf_param *p)
{
	return p->rank == 2;
}

void cpu_write_param(struct kf_backend *b, struct kf_mem *arena,
	const struct kf_param *p, const float *src)
{
	if (!in_panels(p))
		cpu_write(b, arena, p->offset, src, p->count);
	else if (!cpu(b)->failed)
		to_panels(arena->f + p->offset, src, (size_t)p->shape[1],
			(size_t)p->shape[0]);
}

void cpu_read_param(struct kf_backend *b, const struct kf_mem *arena,
	const struct kf_param *p, float *dst)
{
	if (!in_panels(p))
		cpu_read(b, arena, p->offset, dst, p->count);
	else if (!cpu(b)->failed)
		from_panels(dst, arena->f + p->offset, (size_t)p->shape[1],
			(size_t)p->shape[0]);
}

/* to (rows, PANEL) = from (rows, wide), with zeros behind. */
static void widen(float *to, const float *from, size_t from_row, size_t rows,
	size_t wide)
{
	if (wide == PANEL) { /* a copy of constant size needs no call */
		for (size_t i = 0; i < rows; i++, to += PANEL, from += from_row)
			memcpy(to, from, PANEL * sizeof *to);
		return;
	}
	for (size_t i = 0; i < rows; i++, to += PANEL, from += from_row) {
		memcpy(to, from, wide * sizeof *to);
		memset(to + wide, 0, (PANEL - wide) * sizeof *to);
	}
}

/* to (PANEL) = one row of a panel of x. */
static void pack_row(const struct kernels *k, const struct cpu_sizes *s,
	const struct cpu_rows *x, size_t row, size_t p, float *to)
{
	size_t at = (x->rows ? x->rows[row] : row) * s->in + p * PANEL;
	size_t wide = width(s->in, p);

	if (x->f)
		widen(to, x->f + at, 0, 1, wide);
	else if (wide == PANEL)
		k->scale_bytes(x->bytes + at, to);
	else
		for (size_t i = 0; i < PANEL; i++)
			to[i] = i < wide ? (float)x->bytes[at + i] / 255 : 0;
}

/* A panel of `units` from the first, all PANEL inputs wide: in place, or in spare. */
static const float *panel(const struct cpu_sizes *s, const float *w, size_t p,
	size_t first, size_t units, float *spare)
{
	size_t wide = width(s->in, p);
	const float *at = w + p * PANEL * s->out + first * wide;

	if (wide == PANEL)
		return at;
	widen(spare, at, wide, units, wide);
	return spare;
}

/* to (strips, n, STRIP) = v, of which row r and column c are at r * row + c * column: n
 * rows, and columns in strips, the last filled up with zeros. */
static void cut_strips(float *to, const float *v, size_t n, size_t row, size_t columns,
	size_t column)
{
	for (size_t c = 0; c < columns; c += STRIP)
		for (size_t r = 0; r < n; r++)
			for (size_t i = c; i < c + STRIP; i++)
				*to++ = i < columns ? v[r * row + i * column] : 0;
}

/* -- memory ------------------------------------------------------------------------ */

/* Floats for all threads, then some for each: they are the backend's, as products do not
 * overlap. */
struct memory {
	float *shared, *own;
	size_t each;
};

static bool get_memory(struct kf_backend *b, size_t shared, size_t each,
	struct memory *m)
{
	each = pieces(each, PANEL) * PANEL; /* threads share no line of the cache */
	shared = pieces(shared, PANEL) * PANEL;
	m->shared = cpu_workspace(b, shared + (size_t)cpu(b)->threads * each);
	m->own = m->shared ? m->shared + shared : NULL;
	m->each = each;
	return m->shared != NULL;
}

static float *own_memory(const struct memory *m)
{
	return m->own + (size_t)omp_get_thread_num() * m->each;
}

/* -- forward ----------------------------------------------------------------------- */

/*
 * How the product is cut: groups of panels, blocks of rows and blocks of units.  Narrow
 * layers have more pieces by smaller blocks of rows.
 */
struct cut {
	size_t panels, rows, units;   /* the most in a piece */
	size_t groups, blocks, spans; /* how many there are of them */
};

static struct cut cut(const struct cpu_sizes *s)
{
	size_t panels = pieces(s->in, PANEL);
	struct cut c = { .rows = s->out > BLOCK ? BLOCK : BLOCK / 2 };

	c.panels = pieces(panels, pieces(panels, GROUP));
	c.units = pieces(s->out, pieces(s->out, SPAN));
	c.groups = pieces(panels, c.panels);
	c.blocks = pieces(s->n, c.rows);
	c.spans = pieces(s->out, c.units);
	return c;
}

/* to (tiles of 4 rows, panels, 4, PANEL) = the panels from `first` on of some rows of x;
 * the last row fills up the last tile. */
static void pack_tiles(const struct kernels *k, const struct cpu_sizes *s,
	const struct cpu_rows *x, size_t row, size_t rows, size_t first, size_t panels,
	float *to)
{
	for (size_t tile = 0; tile < rows; tile += 4)
		for (size_t p = first; p < first + panels; p++)
			for (size_t i = tile; i < tile + 4; i++, to += PANEL)
				pack_row(k, s, x, row + least(i, rows - 1), p, to);
}

/* One piece: the sums over a group of panels, of some rows and units. */
static void forward_piece(const struct kernels *k, const struct cpu_sizes *s,
	const struct cut *c, size_t piece, const struct cpu_rows *x, const float *w,
	float *sums /* (groups, n, out) */, float *spare)
{
	size_t span = piece % c->spans, block = piece / c->spans % c->blocks;
	size_t group = piece / c->spans / c->blocks;
	size_t row = block * c->rows, rows = least(c->rows, s->n - row);
	size_t unit = span * c->units, units = least(c->units, s->out - unit);
	size_t first = group * c->panels;
	size_t panels = least(c->panels, pieces(s->in, PANEL) - first);
	const float *at[GROUP + 1];
	float *packed = spare + c->units * PANEL;

	for (size_t p = 0; p < panels; p++)
		at[p] = panel(s, w, first + p, unit, units, spare);
	at[panels] = at[panels - 1];
	pack_tiles(k, s, x, row, rows, first, panels, packed);
	k->dots(packed, at, (int)panels, sums + (group * s->n + row) * s->out + unit,
		s->out, (int)rows, (int)units);
}

/* y (count) = the sum of all groups. */
CPU_CLONES
static void add_groups(float *y, const float *sums, size_t groups, size_t stride,
	size_t count)
{
	memcpy(y, sums, count * sizeof *y);
	for (size_t g = 1; g < groups; g++)
		for (size_t i = 0; i < count; i++)
			y[i] += sums[g * stride + i];
}

void cpu_panels_forward(struct kf_backend *b, const struct cpu_sizes *s,
	const struct cpu_rows *x, const float *w, const float *bias,
	enum kf_activation f, float *y)
{
	const struct kernels *k = kernels();
	struct cut c = cut(s);
	size_t count = c.groups * c.blocks * c.spans, total = s->n * s->out;
	struct memory m;

	if (!get_memory(b, c.groups * total,
		    (c.units + (c.rows + 3) * c.panels) * PANEL, &m))
		return;
#pragma omp parallel for schedule(dynamic)
	for (size_t i = 0; i < count; i++)
		forward_piece(k, s, &c, i, x, w, m.shared, own_memory(&m));
#pragma omp parallel for schedule(static) if (c.groups * total >= CPU_PARALLEL_MIN)
	for (size_t at = 0; at < total; at += CPU_PARALLEL_MIN / 8)
		add_groups(y + at, m.shared + at, c.groups, total,
			least(CPU_PARALLEL_MIN / 8, total - at));
	cpu_add_bias(y, bias, s->n, s->out, f);
}

/* -- backward ---------------------------------------------------------------------- */

/* dx's columns of a panel, from tile (n, PANEL). */
static void put_panel(const struct cpu_sizes *s, float *dx, size_t p, const float *tile,
	bool add)
{
	size_t wide = width(s->in, p);

	for (size_t i = 0; i < s->n; i++, tile += PANEL) {
		float *to = dx + i * s->in + p * PANEL;

		if (add)
			cpu_add_to(to, tile, wide);
		else
			memcpy(to, tile, wide * sizeof *to);
	}
}

/* Uses a panel's gradient g (out, PANEL), which is overwritten. */
static void use_gradient(const struct cpu_sizes *s, const struct cpu_backward *a,
	size_t p, float *g)
{
	size_t wide = width(s->in, p), at = p * PANEL * s->out, n = wide * s->out;

	for (size_t j = 1; j < s->out && wide < PANEL; j++)
		memmove(g + j * wide, g + j * PANEL, wide * sizeof *g);
	if (a->dw)
		memcpy(a->dw + at, g, n * sizeof *g);
	else
		cpu_update_floats(a->update, a->w + at, g,
			a->state[0] ? a->state[0] + at : NULL,
			a->state[1] ? a->state[1] + at : NULL, n);
}

/* c (strips STRIP, PANEL) = a (strips, n, STRIP) times b (n, PANEL) */
static void outer_products(const struct kernels *k, const float *a, const float *b,
	size_t n, size_t strips, float *c)
{
	for (size_t i = 0; i < strips; i++)
		k->outer(a + i * n * STRIP, b, n, c + i * STRIP * PANEL);
}

/* What a panel needs is read before any of it is written: x may become dx, and the
 * weights change. */
void cpu_panels_backward(struct kf_backend *b, const struct cpu_sizes *s,
	const struct cpu_backward *a)
{
	const struct kernels *k = kernels();
	size_t units = pieces(s->out, STRIP), rows = a->dx ? pieces(s->n, STRIP) : 0;
	size_t by_unit = units * STRIP * s->n, by_row = rows * STRIP * s->out;
	struct memory m;

	/* dy in both orders; a panel of x, of dx, of the gradient and of the weights */
	if (!get_memory(b, by_unit + by_row,
		    (s->n + rows * STRIP + units * STRIP + s->out) * PANEL, &m))
		return;
	cut_strips(m.shared, a->dy, s->n, s->out, s->out, 1);
	if (a->dx)
		cut_strips(m.shared + by_unit, a->dy, s->out, 1, s->n, s->out);
#pragma omp parallel for schedule(dynamic)
	for (size_t p = 0; p < pieces(s->in, PANEL); p++) {
		float *x = own_memory(&m), *dx = x + s->n * PANEL;
		float *g = dx + rows * STRIP * PANEL,
		      *spare = g + units * STRIP * PANEL;

		for (size_t i = 0; i < s->n; i++)
			pack_row(k, s, &a->x, i, p, x + i * PANEL);
		outer_products(k, m.shared, x, s->n, units, g);
		if (a->dx) {
			outer_products(k, m.shared + by_unit,
				panel(s, a->w, p, 0, s->out, spare), s->out, rows, dx);
			put_panel(s, a->dx, p, dx, a->add);
		}
		use_gradient(s, a, p, g);
	}
}
