/* Dense layers' products, by inner loops for each instruction set. */
#define _GNU_SOURCE
#include "cpu/panels.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/activation.h"
#include "cpu/learn.h"
#include "cpu/memory.h"
#include "cpu/panel_kernels.h"

enum {
	GROUP = 18, /* panels that a piece of the forward product goes through: 64 rows */
		    /* of them take 288 KiB of the second cache, and a tile's weights */
		    /* 23 KiB of the first */
	BLOCK = 128, /* the most rows of a piece */
	SPAN = 256   /* the most units */
};

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
static void pack_row(const struct cpu_kernels *k, const struct cpu_sizes *s,
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

/* -- words ------------------------------------------------------------------------- */

/* Words in a row of a panel, for `dots`, and rows of words for `outer`. */
static size_t row_words(const struct cpu_kernels *k)
{
	return k->round ? PANEL / 2 : PANEL;
}

static size_t word_rows(const struct cpu_kernels *k, size_t n)
{
	return k->pair ? pieces(n, 2) : n;
}

/* words (word_rows, PANEL) = v (n, PANEL), for `outer`; words may be v. */
static void pair_rows(const struct cpu_kernels *k, float *words, const float *v,
	size_t n)
{
	for (size_t i = 0; k->pair && i < n; i += 2)
		k->pair(words + i / 2 * PANEL, v + i * PANEL,
			i + 1 < n ? v + (i + 1) * PANEL : NULL, PANEL);
}

/* to (STRIP) = the values at v, v + column, ..., of which there are `columns`, and zeros
 * behind. */
static void cut_strip(float *to, const float *v, size_t columns, size_t column)
{
	for (size_t i = 0; i < STRIP; i++)
		to[i] = i < columns ? v[i * column] : 0;
}

/* to (strips, word_rows, STRIP) = the words of v, of which row r and column c are at
 * r * row + c * column: n rows, and columns in strips. */
static void cut_strips(const struct cpu_kernels *k, float *to, const float *v, size_t n,
	size_t row, size_t columns, size_t column)
{
	size_t step = k->pair ? 2 : 1;

	for (size_t c = 0; c < columns; c += STRIP)
		for (size_t r = 0; r < n; r += step, to += STRIP) {
			float pair[2][PANEL] = { { 0 } };
			const float *at = v + r * row + c * column;

			cut_strip(k->pair ? pair[0] : to, at, columns - c, column);
			if (!k->pair)
				continue;
			if (r + 1 < n)
				cut_strip(pair[1], at + row, columns - c, column);
			k->pair(pair[0], pair[0], pair[1], PANEL);
			memcpy(to, pair[0], STRIP * sizeof *to);
		}
}

/* A panel of `units` from the first, all PANEL inputs wide: in place, or in spare (units,
 * PANEL). */
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

/* The words of such a panel for `dots`, and for `outer`, likewise. */
static const float *panel_rows(const struct cpu_kernels *k, const struct cpu_sizes *s,
	const float *w, size_t p, size_t first, size_t units, float *spare)
{
	const float *at = panel(s, w, p, first, units, spare);

	if (!k->round)
		return at;
	k->round(spare, at, units * PANEL);
	return spare;
}

static const float *panel_pairs(const struct cpu_kernels *k, const struct cpu_sizes *s,
	const float *w, size_t p, float *spare)
{
	const float *at = panel(s, w, p, 0, s->out, spare);

	if (!k->pair)
		return at;
	pair_rows(k, spare, at, s->out);
	return spare;
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

/* Floats for a piece's weights where they cannot be used in place: all in bf16, else those
 * of the last panel, which may be narrow. */
static size_t spare_weights(const struct cpu_kernels *k, const struct cut *c)
{
	return (k->round ? c->panels + 1 : 2) * c->units * PANEL / 2;
}

/* to (tiles of 4 rows, panels, 4, row_words) = the panels from `first` on of some rows of
 * x; the last row fills up the last tile. */
static void pack_tiles(const struct cpu_kernels *k, const struct cpu_sizes *s,
	const struct cpu_rows *x, size_t row, size_t rows, size_t first, size_t panels,
	float *to)
{
	for (size_t tile = 0; tile < rows; tile += 4)
		for (size_t p = first; p < first + panels; p++)
			for (size_t i = tile; i < tile + 4; i++, to += row_words(k)) {
				pack_row(k, s, x, row + least(i, rows - 1), p, to);
				if (k->round)
					k->round(to, to, PANEL);
			}
}

/* One piece: the sums over a group of panels, of some rows and units. */
static void forward_piece(const struct cpu_kernels *k, const struct cpu_sizes *s,
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
	float *packed = spare + spare_weights(k, c);

	for (size_t p = 0; p < panels; p++)
		at[p] = panel_rows(k, s, w, first + p, unit, units,
			k->round ? spare + p * units * row_words(k) : spare);
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
	const struct cpu_kernels *k = cpu_kernels(b);
	struct cut c = cut(s);
	size_t count = c.groups * c.blocks * c.spans, total = s->n * s->out;
	struct memory m;

	if (!get_memory(b, c.groups * total,
		    spare_weights(k, &c) + (c.rows + 3) * c.panels * PANEL, &m))
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
static void outer_products(const struct cpu_kernels *k, const float *a, const float *b,
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
	const struct cpu_kernels *k = cpu_kernels(b);
	size_t units = pieces(s->out, STRIP), rows = a->dx ? pieces(s->n, STRIP) : 0;
	size_t n = word_rows(k, s->n), out = word_rows(k, s->out);
	size_t by_unit = units * STRIP * n, by_row = rows * STRIP * out;
	struct memory m;

	/* dy in both orders; a panel of x, of dx, of the gradient and of the weights */
	if (!get_memory(b, by_unit + by_row,
		    (s->n + rows * STRIP + units * STRIP + s->out) * PANEL, &m))
		return;
	cut_strips(k, m.shared, a->dy, s->n, s->out, s->out, 1);
	if (a->dx)
		cut_strips(k, m.shared + by_unit, a->dy, s->out, 1, s->n, s->out);
#pragma omp parallel for schedule(dynamic)
	for (size_t p = 0; p < pieces(s->in, PANEL); p++) {
		float *x = own_memory(&m), *dx = x + s->n * PANEL;
		float *g = dx + rows * STRIP * PANEL,
		      *spare = g + units * STRIP * PANEL;

		for (size_t i = 0; i < s->n; i++)
			pack_row(k, s, &a->x, i, p, x + i * PANEL);
		pair_rows(k, x, x, s->n);
		outer_products(k, m.shared, x, n, units, g);
		if (a->dx) {
			outer_products(k, m.shared + by_unit,
				panel_pairs(k, s, a->w, p, spare), out, rows, dx);
			put_panel(s, a->dx, p, dx, a->add);
		}
		use_gradient(s, a, p, g);
	}
}
