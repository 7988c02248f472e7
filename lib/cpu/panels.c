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
		    /* of them take 288 KiB of the second cache, 128 rows 576 KiB, */
		    /* and a tile's weights 23 KiB of the first */
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

/* to (PANEL) = from (wide), with zeros behind. */
static void widen(float *to, const float *from, size_t wide)
{
	if (wide == PANEL) { /* a copy of constant size needs no call */
		memcpy(to, from, PANEL * sizeof *to);
		return;
	}
	memcpy(to, from, wide * sizeof *to);
	memset(to + wide, 0, (PANEL - wide) * sizeof *to);
}

/* Where the rows of x are: each at row, in values of this many bytes. */
struct input {
	const char *const *row; /* (n) */
	size_t value;           /* that of a float, or 1 */
};

/* Floats that the pointers of n rows take. */
static size_t pointers(size_t n)
{
	return pieces(n * sizeof(char *), sizeof(float));
}

/* Stores the pointers in memory. */
static struct input find_rows(const struct cpu_sizes *s, const struct cpu_rows *x,
	float *memory)
{
	size_t value = x->f ? sizeof(float) : 1;
	const char *first = x->f ? (const char *)x->f : (const char *)x->bytes;
	const char **row = (const char **)(void *)memory;

	for (size_t i = 0; i < s->n; i++)
		row[i] = first + (x->rows ? x->rows[i] : i) * s->in * value;
	return (struct input){ row, value };
}

/* Some rows of the panels from `first` to before `end`, for who will read them soon. */
static struct cpu_ahead look_ahead(const struct cpu_sizes *s, const struct input *x,
	size_t row, size_t rows, size_t first, size_t end)
{
	size_t from = first * PANEL * x->value;

	return (struct cpu_ahead){ .row = x->row + row,
		.rows = rows,
		.at = from,
		.from = from,
		.to = least(end * PANEL, s->in) * x->value };
}

/* to (PANEL) = one row of a panel of x. */
static void pack_row(const struct cpu_kernels *k, const struct cpu_sizes *s,
	const struct input *x, size_t row, size_t p, float *to)
{
	const char *at = x->row[row] + p * PANEL * x->value;
	const uint8_t *bytes = (const uint8_t *)at;
	size_t wide = width(s->in, p);

	if (x->value > 1)
		widen(to, (const float *)(const void *)at, wide);
	else if (wide == PANEL)
		k->scale_bytes(bytes, to);
	else
		for (size_t i = 0; i < PANEL; i++)
			to[i] = i < wide ? (float)bytes[i] / 255 : 0;
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
	for (size_t i = 0; i < units; i++)
		widen(spare + i * PANEL, at + i * wide, wide);
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
	float *pointers, *shared, *own;
	size_t each;
};

static bool get_memory(struct kf_backend *b, size_t pointers, size_t shared,
	size_t each, struct memory *m)
{
	pointers = pieces(pointers, PANEL) * PANEL;
	each = pieces(each, PANEL) * PANEL; /* threads share no line of the cache */
	shared = pieces(shared, PANEL) * PANEL;
	m->pointers =
		cpu_workspace(b, pointers + shared + (size_t)cpu(b)->threads * each);
	if (!m->pointers)
		return false;
	m->shared = m->pointers + pointers;
	m->own = m->shared + shared;
	m->each = each;
	return true;
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
	const struct input *x, size_t row, size_t rows, size_t first, size_t panels,
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

/* A piece of the product: a group of panels, a block of rows and a span of units. */
struct piece {
	size_t group, first, panels;
	size_t row, rows, unit, units;
};

static struct piece piece(const struct cpu_sizes *s, const struct cut *c, size_t i)
{
	struct piece p = { .unit = i % c->spans * c->units,
		.row = i / c->spans % c->blocks * c->rows,
		.group = i / c->spans / c->blocks };

	p.units = least(c->units, s->out - p.unit);
	p.rows = least(c->rows, s->n - p.row);
	p.first = p.group * c->panels;
	p.panels = least(c->panels, pieces(s->in, PANEL) - p.first);
	return p;
}

/* Sets the piece's sums of all groups' (groups, n, out), and has what is read of x for the
 * next one, if there is one, fetched meanwhile. */
static void forward_piece(const struct cpu_kernels *k, const struct cpu_sizes *s,
	const struct cut *c, const struct piece *p, const struct piece *next,
	const struct input *x, const float *w, float *sums, float *spare)
{
	const float *at[GROUP + 1];
	float *packed = spare + spare_weights(k, c);
	struct cpu_ahead ahead = { .rows = 0 };

	if (next)
		ahead = look_ahead(s, x, next->row, next->rows, next->first,
			next->first + next->panels);
	for (size_t i = 0; i < p->panels; i++)
		at[i] = panel_rows(k, s, w, p->first + i, p->unit, p->units,
			k->round ? spare + i * p->units * row_words(k) : spare);
	at[p->panels] = at[p->panels - 1];
	pack_tiles(k, s, x, p->row, p->rows, p->first, p->panels, packed);
	k->dots(packed, at, (int)p->panels,
		sums + (p->group * s->n + p->row) * s->out + p->unit, s->out,
		(int)p->rows, (int)p->units, &ahead);
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
	const struct cpu_kernels *k = cpu(b)->kernels;
	struct cut c = cut(s);
	size_t count = c.groups * c.blocks * c.spans, total = s->n * s->out;
	size_t threads = (size_t)cpu(b)->team.working;
	struct input in;
	struct memory m;

	if (!get_memory(b, pointers(s->n), c.groups * total,
		    spare_weights(k, &c) + (c.rows + 3) * c.panels * PANEL, &m))
		return;
	in = find_rows(s, x, m.pointers);
#pragma omp parallel for schedule(dynamic) num_threads(cpu(b)->team.working)
	for (size_t i = 0; i < count; i++) {
		struct piece p = piece(s, &c, i), next = piece(s, &c, i + threads);

		forward_piece(k, s, &c, &p, i + threads < count ? &next : NULL, &in, w,
			m.shared, own_memory(&m));
	}
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
	size_t n, size_t strips, float *c, struct cpu_ahead *ahead)
{
	for (size_t i = 0; i < strips; i++)
		k->outer(a + i * n * STRIP, b, n, c + i * STRIP * PANEL, ahead);
}

/* What all panels of a backward product share. */
struct backward {
	const struct cpu_kernels *k;
	const struct cpu_sizes *s;
	const struct cpu_backward *a;
	struct input x;
	size_t panels;
	size_t units, rows;   /* in strips of dy; rows are 0 if there is no dx */
	size_t n, out;        /* in rows of words */
	const float *by_unit; /* dy (units, n, STRIP) */
	const float *by_row;  /* dy (rows, out, STRIP) */
};

/* Floats for one panel of x, dx, the gradient and the weights. */
static size_t panel_memory(const struct backward *t)
{
	return (t->s->n + (t->rows + t->units) * STRIP + t->s->out) * PANEL;
}

/* What a panel needs is read before any of it is written: x may become dx, and the
 * weights change. */
static void backward_panel(const struct backward *t, size_t p, float *memory)
{
	float *x = memory, *dx = x + t->s->n * PANEL;
	float *g = dx + t->rows * STRIP * PANEL;
	float *spare = g + t->units * STRIP * PANEL;
	struct cpu_ahead ahead = { .rows = 0 };

	if (p + 1 < t->panels)
		ahead = look_ahead(t->s, &t->x, 0, t->s->n, p + 1, p + 2);
	for (size_t i = 0; i < t->s->n; i++)
		pack_row(t->k, t->s, &t->x, i, p, x + i * PANEL);
	pair_rows(t->k, x, x, t->s->n);
	outer_products(t->k, t->by_unit, x, t->n, t->units, g, &ahead);
	if (t->a->dx) {
		outer_products(t->k, t->by_row,
			panel_pairs(t->k, t->s, t->a->w, p, spare), t->out, t->rows, dx,
			&ahead);
		put_panel(t->s, t->a->dx, p, dx, t->a->add);
	}
	use_gradient(t->s, t->a, p, g);
}

void cpu_panels_backward(struct kf_backend *b, const struct cpu_sizes *s,
	const struct cpu_backward *a)
{
	const struct cpu_kernels *k = cpu(b)->kernels;
	struct backward t = { .k = k,
		.s = s,
		.a = a,
		.panels = pieces(s->in, PANEL),
		.units = pieces(s->out, STRIP),
		.rows = a->dx ? pieces(s->n, STRIP) : 0,
		.n = word_rows(k, s->n),
		.out = word_rows(k, s->out) };
	size_t by_unit = t.units * STRIP * t.n, by_row = t.rows * STRIP * t.out;
	struct memory m;

	if (!get_memory(b, pointers(s->n), by_unit + by_row, panel_memory(&t), &m))
		return;
	t.x = find_rows(s, &a->x, m.pointers);
	cut_strips(k, m.shared, a->dy, s->n, s->out, s->out, 1);
	if (a->dx)
		cut_strips(k, m.shared + by_unit, a->dy, s->out, 1, s->n, s->out);
	t.by_unit = m.shared;
	t.by_row = m.shared + by_unit;
	/* a thread goes through a few in turn, as it has the next one fetched */
#pragma omp parallel for schedule(dynamic, 4) num_threads(cpu(b)->team.working)
	for (size_t p = 0; p < t.panels; p++)
		backward_panel(&t, p, own_memory(&m));
}
