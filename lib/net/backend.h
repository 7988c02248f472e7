/*
 * The interface between nets and a device: a handle with a table of operations.  A
 * backend is a plugin, backend_<name>.so, opened by name.
 *
 * There are two kinds of memory.  A kf_mem is an array of floats: data, losses, or an
 * arena of parameters, of their gradients or of an optimizer state; or, for images alone,
 * of bytes that stand for v / 255 and that only take reads.  A kf_act is a
 * batch of activations between two layers, or of their gradients, in a layout that
 * the backend chooses; it flattens in NCHW order.  dx stands for the loss's gradient
 * with respect to x.
 *
 * Most operations return nothing.  The first failure sticks in the backend, later
 * operations do nothing useful but are safe, and sync reports the failure.
 *
 * A backend may defer the work on an act until something reads it; so even the acts
 * that an operation only reads are not const.
 */
#ifndef KF_BACKEND_H
#define KF_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/comm.h"
#include "net/layers.h"
#include "net/loss.h"
#include "net/optim.h"
#include "stream/tensor.h"

struct kf_mem;
struct kf_act;
struct kf_plan;

struct kf_backend {
	const struct kf_backend_ops *op;
	char device[128]; /* for the log: "cpu (oneDNN 2.6.3, 2 threads)" */
};

/* A step of an update rule, of weights with the states that the rule keeps, else NULL. */
struct kf_step {
	struct kf_update update;
	struct kf_mem *weights, *state[2];
	bool *made; /* (params): true where a layer made the step */
};

/* What this process has of a batch that several ranks share out among them: all zeros where
 * it has all of it. */
struct kf_share {
	struct kf_comm *comm; /* the ranks, or NULL */
	int first; /* where its rows begin in the batch: random numbers go by that */
	int all;   /* rows of the batch, on all ranks */
	bool idle; /* it has none, and goes through the pass with one that does not count */
};

/* The parameters of a pass through the layers, besides weights and data. */
struct kf_pass {
	bool train;    /* keeps what backward needs; dropout is active */
	uint64_t seed; /* of the layers' random numbers */
	uint32_t step; /* counts training batches */
	/* Backward may make this step of a layer's parameters as soon as it has their
	 * gradients, which it need not store then.  NULL: gradients are stored. */
	const struct kf_step *make;
	struct kf_share share;
};

/*
 * What a layer works on in a pass.  Gradients are with respect to the act of the same
 * name; a layer sets dx, unless it is NULL, or adds to it.
 */
struct kf_flow {
	struct kf_act *x, *y; /* input and output */
	struct kf_act *other; /* an add's other input, else NULL */
	struct kf_act *dy, *dx, *d_other;
	bool sum_dx, sum_other; /* dx and d_other hold a gradient already: add to it */
};

/*
 * How an image is transformed on its way into a batch: the value at (x, y) is sampled
 * from the original at (m[0] x + m[1] y + m[2], m[3] x + m[4] y + m[5]), by bilinear
 * interpolation; coordinates outside are clamped to the nearest edge.  Then, unless
 * contrast is 1 and brightness 0, v becomes (v - 1/2) contrast + 1/2 + brightness,
 * clamped to [0, 1].  At last, the pixels of the image from (hole[0], hole[1]) to just
 * before (hole[2], hole[3]) become 1/2.
 */
struct kf_warp {
	float m[6];
	float contrast, brightness;
	int hole[4];
};

struct kf_backend_ops {
	void (*close)(struct kf_backend *b);

	/* Waits until all work is done; 0, or -1 with the first failure. */
	int (*sync)(struct kf_backend *b, struct kf_err *err);
	/* The same of what has failed so far, without waiting. */
	int (*check)(struct kf_backend *b, struct kf_err *err);

	/* n floats, zeroed; NULL on failure.  The caller frees them with free, which
	 * accepts NULL. */
	struct kf_mem *(*alloc)(struct kf_backend *b, size_t n);
	/* The same with the contents of host, which is from malloc: n values of KF_F32
	 * or KF_U8.  It takes ownership of host, also on failure. */
	struct kf_mem *(*adopt)(struct kf_backend *b, void *host, enum kf_dtype dtype,
		size_t n);
	/*
	 * Makes m, or a new kf_mem if it is NULL, refer to the n values of host, which
	 * are only read.  They stay the caller's and must not change until m is freed
	 * or shows others, as a CPU uses them in place.  NULL on failure, with m
	 * freed.
	 */
	struct kf_mem *(*show)(struct kf_backend *b, struct kf_mem *m, void *host,
		enum kf_dtype dtype, size_t n);
	void (*free)(struct kf_backend *b, struct kf_mem *m);
	void (*write)(struct kf_backend *b, struct kf_mem *m, size_t offset,
		const float *src, size_t n);
	void (*read)(struct kf_backend *b, const struct kf_mem *m, size_t offset,
		float *dst, size_t n);
	void (*copy)(struct kf_backend *b, struct kf_mem *dst, const struct kf_mem *src,
		size_t n);

	/* Copy one parameter of an arena from or to the host, in PyTorch's shape. */
	void (*write_param)(struct kf_backend *b, struct kf_mem *arena,
		const struct kf_param *p, const float *src);
	void (*read_param)(struct kf_backend *b, const struct kf_mem *arena,
		const struct kf_param *p, float *dst);

	/*
	 * A layer prepared for batches of n rows; NULL on failure.  The plan keeps
	 * layer and params (all of the net's), which must outlive it.
	 */
	struct kf_plan *(*plan)(struct kf_backend *b, const struct kf_layer *layer,
		const struct kf_param *params, int n);
	void (*free_plan)(struct kf_backend *b, struct kf_plan *plan);
	/* A plan's output, or its gradient; NULL on failure.  lender is NULL, or the
	 * same act for another batch size, which outlives this one: its memory may
	 * be shared, which overwrites its contents. */
	struct kf_act *(*act)(struct kf_backend *b, const struct kf_plan *plan,
		struct kf_act *lender);
	void (*free_act)(struct kf_backend *b, struct kf_act *a);

	/* A net's input, n rows of (c, h, w), or its gradient; NULL on failure.  take
	 * fills it with rows of m, each warped unless warps is NULL: with the same from bytes as from
	 * the floats (float)(v / 255.0). */
	struct kf_act *(*input)(struct kf_backend *b, int n, const int shape[3]);
	void (*take)(struct kf_backend *b, struct kf_act *a, const struct kf_mem *m,
		const uint32_t *rows /* (n) */, const struct kf_warp *warps /* (n) */);
	/* Copy a batch from or to the host, as (n, c, h, w). */
	void (*write_act)(struct kf_backend *b, struct kf_act *a, const float *src);
	void (*read_act)(struct kf_backend *b, struct kf_act *a, float *dst);

	/*
	 * y = layer(x), including the layer's activation; reads x, other and y of f.  The
	 * statistics in weights are what batch norm uses, unless it trains.
	 */
	void (*forward)(struct kf_backend *b, struct kf_plan *plan,
		const struct kf_pass *pass, const struct kf_mem *weights,
		const struct kf_flow *f);
	/*
	 * Sets the layer's part of grads, with the batch's statistics where those are,
	 * and dx and d_other, from dy, which it overwrites.  Where it makes pass->make
	 * instead of setting a parameter's gradient, it says so there.  A dense layer has
	 * set its gradients when it returns; those of others may come later in the pass.
	 */
	void (*backward)(struct kf_backend *b, struct kf_plan *plan,
		const struct kf_pass *pass, const struct kf_mem *weights,
		struct kf_mem *grads, const struct kf_flow *f);

	/*
	 * Errors of p (n, m) against rows of targets (.., m), NaN where missing.
	 * `present` is the number of the others, of all ranks that share the batch out,
	 * or infinite where none is to count, and the sum is over those of this one:
	 * losses[slot] = sum (p - t)^2 / present, whatever the loss.  Unless dp is NULL,
	 * dp = 2 g(p - t) / present, g being the loss's formula in net/loss.h, and 0
	 * where t is missing.
	 */
	void (*regression)(struct kf_backend *b, const struct kf_loss *loss,
		struct kf_act *p, const struct kf_mem *targets, const uint32_t *rows,
		double present, struct kf_act *dp, struct kf_mem *losses, size_t slot);

	/*
	 * Cross-entropy of the softmax of p (n, classes) with labels (..), which are
	 * class numbers: losses[slot] = -sum log softmax(p)[label] / present, and
	 * hits[slot] is the number of rows whose largest p is the label's.  present is n,
	 * unless ranks share the batch out.  dp may be NULL.
	 */
	void (*cross_entropy)(struct kf_backend *b, struct kf_act *p,
		const struct kf_mem *labels, const uint32_t *rows, double present,
		struct kf_act *dp, struct kf_mem *losses, struct kf_mem *hits,
		size_t slot);

	/*
	 * One step of an update rule over n floats of an arena from `offset` on; a state
	 * that the rule does not keep is NULL.
	 */
	void (*update)(struct kf_backend *b, const struct kf_update *u,
		struct kf_mem *weights, const struct kf_mem *grads,
		struct kf_mem *state1, struct kf_mem *state2, size_t offset, size_t n);

	/*
	 * Sums n gradients from `offset` on over the ranks, in place.  It may return
	 * while that goes on: what comes in between leaves them alone, and finish_sums
	 * waits for all that was begun.  The ranks call both alike.
	 */
	void (*sum)(struct kf_backend *b, struct kf_comm *comm, struct kf_mem *grads,
		size_t offset, size_t n);
	void (*finish_sums)(struct kf_backend *b, struct kf_comm *comm);

	/* to += part (from - to), for n floats from `offset` on: a moving average. */
	void (*average)(struct kf_backend *b, struct kf_mem *to,
		const struct kf_mem *from, float part, size_t offset, size_t n);
};

/* Whether rows are consecutive, so that they can be used in place. */
static inline bool kf_consecutive(const uint32_t *rows /* (n) */, int n)
{
	for (int i = 1; i < n; i++)
		if (rows[i] != rows[0] + (uint32_t)i)
			return false;
	return true;
}

#define KF_THREADS_MAX 1024

struct kf_backend_options {
	/* Of the CPU, at most KF_THREADS_MAX; 0 for as many as there are.  The system or
	 * OpenMP may lend fewer; `device` says how many are used. */
	int threads;
	/* Which of the machine's GPUs, modulo how many there are: a rank's number on its
	 * machine. */
	int device;
	bool tf32; /* a GPU's matrix products may round to 10-bit mantissas */
	/* Factors of matrix products and convolutions are rounded to bf16, to nearest and
	 * even, and products are summed as floats.  An error where the device cannot. */
	bool bf16;
	/* The CPU stores fewer activations in training and recomputes them: the same
	 * results with less memory in more time. */
	bool recompute;
};

/* Every plugin exports one as kf_plugin.  open returns NULL on failure. */
#define KF_PLUGIN_ABI 7

struct kf_plugin {
	int abi;
	struct kf_backend *(*open)(const struct kf_backend_options *, struct kf_err *);
};

/* The i-th backend's name, in order of preference; NULL after the last. */
const char *kf_backend_name(int i);

/*
 * Opens a backend by name.  "auto" stands for the one that KFKD_BACKEND names, else
 * the first of the names above whose plugin opens on this machine; see net/plugin.h.
 * options may be NULL.  The caller closes the backend with its close operation.  Returns
 * NULL on failure.
 */
struct kf_backend *kf_backend_open(const char *name,
	const struct kf_backend_options *options, struct kf_err *err);

#endif
