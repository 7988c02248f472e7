/*
 * Dense layers' weights and products.
 *
 * Weights (out, in) are stored in panels of PANEL inputs: (panels, out, PANEL), the last
 * panel only as wide as inputs are left.  So every product reads and writes each panel
 * once and from end to end, and a panel's gradient is complete while it is in cache, where
 * the update can be made at once.
 *
 * Work is cut into pieces of a size that does not depend on the number of threads, and
 * sums of pieces are added in a fixed order: so neither do the results.  A piece of the
 * forward product has at most 1152 inputs, 128 rows and 256 units, and one of the backward
 * products is a panel: so many threads find work in large layers alone.
 */
#ifndef KF_CPU_PANELS_H
#define KF_CPU_PANELS_H

#include "cpu/internal.h"

/* The sizes of a dense layer's products. */
struct cpu_sizes {
	size_t n, in, out; /* rows, inputs, outputs */
};

/* Copy a parameter, as struct kf_backend_ops describes it: to panels and back, if it is
 * the weights of a dense layer. */
void cpu_write_param(struct kf_backend *b, struct kf_mem *arena,
	const struct kf_param *p, const float *src);
void cpu_read_param(struct kf_backend *b, const struct kf_mem *arena,
	const struct kf_param *p, float *dst);

/* The rows of x (n, in): of f or, if that is NULL, of bytes that stand for v / 255.  They
 * are consecutive, unless there are rows. */
struct cpu_rows {
	const float *f;
	const uint8_t *bytes;
	const uint32_t *rows; /* (n) */
};

/* y (n, out) = f(x times w + bias), without a bias if that is NULL. */
void cpu_panels_forward(struct kf_backend *b, const struct cpu_sizes *s,
	const struct cpu_rows *x, const float *w, const float *bias,
	enum kf_activation f, float *y);

/* What the backward product works on. */
struct cpu_backward {
	const float *dy; /* (n, out) */
	struct cpu_rows x;
	float *w;  /* changed by a step only */
	float *dx; /* (n, in), NULL where it is not wanted; may be x.f */
	bool add;  /* dx += the gradient, else = */
	/* The gradient of w is stored in dw or, where that is NULL, makes a step of w with
	 * the states that the rule keeps. */
	float *dw;
	const struct kf_update *update;
	float *state[2];
};

void cpu_panels_backward(struct kf_backend *b, const struct cpu_sizes *s,
	const struct cpu_backward *a);

#endif
