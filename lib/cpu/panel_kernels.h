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

struct cpu_kernels {
	/*
	 * y (rows, units) = x (tiles of 4 rows, panels, 4, PANEL) times the units of w,
	 * which has a pointer to the first of them in each panel, and one more that may be
	 * read.  y_row is how far the rows of y are apart.
	 */
	void (*dots)(const float *x, const float *const *w, int panels, float *y,
		size_t y_row, int rows, int units);
	/* c (STRIP, PANEL) = a (n, STRIP) transposed, times b (n, PANEL); n counts rows
	 * of words. */
	void (*outer)(const float *a, const float *b, size_t n, float *c);
	/* to (PANEL) = v / 255, as floats */
	void (*scale_bytes)(const uint8_t *v, float *to);

	/* For factors in bf16, else NULL.  words (n / 2) = v (n) rounded, n being a
	 * multiple of PANEL; and words (n) = pairs of a (n) and b (n), or zeros if that is
	 * NULL.  words may be v or a. */
	void (*round)(float *words, const float *v, size_t n);
	void (*pair)(float *words, const float *a, const float *b, size_t n);
};

const struct cpu_kernels *cpu_kernels(struct kf_backend *b);

#endif
