/*
 * What nets and training see of a device: a handle with a table of operations.  A
 * backend is a plugin, backend_<name>.so, opened by name.
 *
 * There are two kinds of memory.  A kf_mem is plain floats: data, losses, and
 * parameters, gradients and optimizer state in an arena each.  A kf_act is a batch
 * of activations between two layers, in a layout that the backend chooses; it
 * flattens in NCHW order.
 *
 * Operations return nothing.  The first failure sticks in the backend, what
 * follows it does nothing useful but is safe, and sync reports it.
 *
 * A backend may put off the work on an act until something reads it; so even the
 * acts that an operation only reads are not const.
 */
#ifndef KF_BACKEND_H
#define KF_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/layers.h"
#include "net/optim.h"

struct kf_mem;
struct kf_act;
struct kf_plan;

struct kf_backend {
	const struct kf_backend_ops *op;
	char device[128]; /* for the log: "cpu (oneDNN 2.6.3, 2 threads)" */
};

/* What a pass through the layers depends on besides weights and data. */
struct kf_pass {
	bool train;    /* training: keep what backward needs */
	uint64_t seed; /* of random numbers in the layers */
	uint32_t step; /* counts the batches trained on */
};

/*
 * How an image is changed on its way into a batch: the value at (x, y) is taken
 * from (m[0] x + m[1] y + m[2], m[3] x + m[4] y + m[5]) of the original, between
 * pixels by bilinear interpolation, outside from the nearest edge; then v
 * becomes (v - 1/2) contrast + 1/2, cut to [0, 1] unless contrast is 1.
 */
struct kf_warp {
	float m[6];
	float contrast;
};

struct kf_backend_ops {
	void (*close)(struct kf_backend *b);

	/* Waits for all that was asked for; -1 with the first failure. */
	int (*sync)(struct kf_backend *b, struct kf_err *err);

	/* n floats, zero; NULL on failure.  free takes NULL, too. */
	struct kf_mem *(*alloc)(struct kf_backend *b, size_t n);
	/* The same with the contents of host, from malloc, which it takes over. */
	struct kf_mem *(*adopt)(struct kf_backend *b, float *host, size_t n);
	/*
	 * Makes m, or a new one if it is NULL, stand for the n floats of host, which
	 * are only read and must not change until m is freed or shows others: a
	 * processor uses them in place.  NULL on failure, with m freed.
	 */
	struct kf_mem *(
		*show)(struct kf_backend *b, struct kf_mem *m, float *host, size_t n);
	void (*free)(struct kf_backend *b, struct kf_mem *m);
	void (*write)(struct kf_backend *b, struct kf_mem *m, size_t offset,
		const float *src, size_t n);
	void (*read)(struct kf_backend *b, const struct kf_mem *m, size_t offset,
		float *dst, size_t n);
	void (*copy)(struct kf_backend *b, struct kf_mem *dst, const struct kf_mem *src,
		size_t n);

	/* One parameter of an arena, on the host in PyTorch's shape. */
	void (*write_param)(struct kf_backend *b, struct kf_mem *arena,
		const struct kf_param *p, const float *src);
	void (*read_param)(struct kf_backend *b, const struct kf_mem *arena,
		const struct kf_param *p, float *dst);

	/*
	 * A layer for batches of n rows, and memory for what comes out of it.
	 * The plan keeps layer and params (all of the net's).
	 */
	struct kf_plan *(*plan)(struct kf_backend *b, const struct kf_layer *layer,
		const struct kf_param *params, int n);
	void (*free_plan)(struct kf_backend *b, struct kf_plan *plan);
	/* lender: NULL, or the same act of another batch size that outlives this
	 * one; its memory may be used, which overwrites its contents. */
	struct kf_act *(*act)(struct kf_backend *b, const struct kf_plan *plan,
		struct kf_act *lender);
	void (*free_act)(struct kf_backend *b, struct kf_act *a);

	/* A batch of n rows of (c, h, w); take fills it with rows of m, each
	 * warped unless warps is NULL. */
	struct kf_act *(*input)(struct kf_backend *b, int n, const int shape[3]);
	void (*take)(struct kf_backend *b, struct kf_act *a, const struct kf_mem *m,
		const uint32_t *rows /* (n) */, const struct kf_warp *warps /* (n) */);
	/* From and to the host, (n, c, h, w). */
	void (*write_act)(struct kf_backend *b, struct kf_act *a, const float *src);
	void (*read_act)(struct kf_backend *b, struct kf_act *a, float *dst);

	/* y = layer(x), the layer's activation included. */
	void (*forward)(struct kf_backend *b, struct kf_plan *plan,
		const struct kf_pass *pass, const struct kf_mem *weights,
		struct kf_act *x, struct kf_act *y);
	/*
	 * From dy, the loss's gradient by y, which it overwrites: sets the layer's
	 * part of grads and, unless it is NULL, dx.
	 */
	void (*backward)(struct kf_backend *b, struct kf_plan *plan,
		const struct kf_pass *pass, const struct kf_mem *weights,
		struct kf_mem *grads, struct kf_act *x, struct kf_act *y,
		struct kf_act *dy, struct kf_act *dx);

	/*
	 * Squared error of p against the rows of targets (.., m), NaN being
	 * missing: losses[slot] = sum (p - t)^2 / present over the present ones,
	 * of which the caller knows the number, and unless dp is NULL
	 * dp = 2 (p - t) / present, 0 where missing.
	 */
	void (*squared_error)(struct kf_backend *b, struct kf_act *p,
		const struct kf_mem *targets, const uint32_t *rows, double present,
		struct kf_act *dp, struct kf_mem *losses, size_t slot);

	/*
	 * Cross-entropy of the softmax of p (n, classes) with labels (..), the
	 * numbers of classes: losses[slot] = -mean log softmax(p)[label], unless
	 * dp is NULL its gradient, and hits[slot] = rows whose largest p is at
	 * the label.
	 */
	void (*cross_entropy)(struct kf_backend *b, struct kf_act *p,
		const struct kf_mem *labels, const uint32_t *rows, struct kf_act *dp,
		struct kf_mem *losses, struct kf_mem *hits, size_t slot);

	/*
	 * One step of an update rule over a whole arena of n parameters; a state
	 * that the rule does not keep is NULL.
	 */
	void (*update)(struct kf_backend *b, const struct kf_update *u,
		struct kf_mem *weights, const struct kf_mem *grads,
		struct kf_mem *state1, struct kf_mem *state2, size_t n);
};

/* Whether rows follow one another: they need no copy of their own. */
static inline bool kf_consecutive(const uint32_t *rows /* (n) */, int n)
{
	for (int i = 1; i < n; i++)
		if (rows[i] != rows[0] + (uint32_t)i)
			return false;
	return true;
}

struct kf_backend_options {
	int threads; /* of the processor; 0 for as many as there are */
	bool tf32;   /* a GPU's matrix products may round to 10 bits */
	/* The processor stores less in training and computes it again: the same
	 * results in less memory and more time. */
	bool recompute;
};

/* What a plugin exports, under the name kf_plugin. */
#define KF_PLUGIN_ABI 4

struct kf_plugin {
	int abi;
	struct kf_backend *(*open)(const struct kf_backend_options *, struct kf_err *);
};

/* The names of backends, the preferred ones first; NULL after the last. */
const char *kf_backend_name(int i);

/*
 * Opens a backend by name, or by "auto" the one that KFKD_BACKEND names, else the
 * first of the names above that can run here: whose plugin opens.  Plugins
 * are looked for in the directory KFKD_PLUGINS, else in ../lib/kfkd next to the
 * running program's directory, and never unloaded.  options may be NULL.
 */
struct kf_backend *kf_backend_open(const char *name,
	const struct kf_backend_options *options, struct kf_err *err);

#endif
