/*
 * The inner loops of dense layers' products, for each instruction set.
 *
 * Factors come in words of four bytes.  A word is a float or, where factors are rounded to
 * bf16, a pair of such numbers whose products are added up: along a row of a panel in
 * `dots`, and of two rows in `outer`.
 */
#ifndef KF_CPU_PANEL_KERNELS_H
#define KF_CPU_PANEL_KERNELS_H

#include "cpu/internal.h"

enum {
	PANEL = 64, /* inputs in a panel */
	STRIP = 5   /* rows of a tile of `outer`; divides net1's 100 units */
};

/*
 * What will be read soon: bytes `from` to `to` of some rows, which are too far apart for
 * the processor to guess it.  The loops below ask for one line of the cache after another,
 * while they multiply.
 */
struct cpu_ahead {
	const char *const *row;
	size_t rows; /* left */
	size_t at, from, to;
};

static inline void cpu_fetch_line(struct cpu_ahead *a)
{
	if (a->rows == 0)
		return;
	__builtin_prefetch(*a->row + a->at);
	a->at += 64;
	if (a->at < a->to)
		return;
	a->at = a->from;
	a->row++;
	a->rows--;
}

struct cpu_kernels {
	/*
	 * y (rows, units) = x (tiles of 4 rows, panels, 4, PANEL) times the units of w,
	 * which has a pointer to the first of them in each panel, and one more that may be
	 * read.  y_row is how far the rows of y are apart.
	 */
	void (*dots)(const float *x, const float *const *w, int panels, float *y,
		size_t y_row, int rows, int units, struct cpu_ahead *ahead);
	/* c (STRIP, PANEL) = a (n, STRIP) transposed, times b (n, PANEL); n counts rows
	 * of words. */
	void (*outer)(const float *a, const float *b, size_t n, float *c,
		struct cpu_ahead *ahead);
	/* to (PANEL) = v / 255, as floats */
	void (*scale_bytes)(const uint8_t *v, float *to);

	/* For factors in bf16, else NULL.  words (n / 2) = v (n) rounded, n being a
	 * multiple of PANEL; and words (n) = pairs of a (n) and b (n), or zeros if that is
	 * NULL.  words may be v or a. */
	void (*round)(float *words, const float *v, size_t n);
	void (*pair)(float *words, const float *a, const float *b, size_t n);
};

/* The fastest that this processor has and oneDNN may use; those for bf16 must be there, if
 * asked for. */
const struct cpu_kernels *cpu_kernels(bool bf16);

#endif
