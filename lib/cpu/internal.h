/*
 * The CPU backend's types, which all its files share.  From the bottom up:
 *
 *   memory.c      arenas of floats, and the first failure
 *   onednn.c      convolutions and changes of layout, by oneDNN
 *   batch.c       batches between layers: their memory and layout, rows of data
 *   chain.c       layers that work image by image, one after another
 *   activation.c  activations over arrays
 *   dense.c, conv.c, pool.c, dropout.c
 *                 the layers, a row of operations each
 *   learn.c       losses and update rules
 *   backend.c     the table of operations, and opening
 */
#ifndef KF_CPU_INTERNAL_H
#define KF_CPU_INTERNAL_H

#include <dnnl.h>

#include "net/backend.h"

/* For inner loops: compiled for several instruction sets, picked when loaded. */
#if defined(__x86_64__) && defined(__GNUC__)
#define CPU_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CPU_CLONES
#endif

/* Eight floats side by side, and what comparing them gives: all ones or zeros. */
typedef float cpu_floats8 __attribute__((vector_size(32), aligned(4)));
typedef int32_t cpu_masks8 __attribute__((vector_size(32), aligned(4)));

/* Loops over fewer floats than this are not worth waking a thread. */
#define CPU_PARALLEL_MIN ((size_t)1 << 15)

struct cpu {
	struct kf_backend base; /* first: the handle is this */
	int block;              /* channels in a block */
	bool recompute;         /* rather than store: kf_backend_options */
	unsigned long sweep;    /* counts the teams' passes over a batch in chain.c */
	dnnl_engine_t engine;
	dnnl_stream_t stream;
	bool failed;
	struct kf_err first; /* failure */
};

static inline struct cpu *cpu(struct kf_backend *b)
{
	return (struct cpu *)b;
}

struct kf_mem {
	float *f;
	size_t n;
	bool shown; /* f is the caller's */
};

/*
 * The layout of an image.  Channels are stored in blocks as oneDNN's nChw8c and
 * nChw16c have them: (ceil(c / block), h, w, block), where zeros fill the last
 * block; block 1 is plain (c, h, w).  A dense layer's output is (features, 1, 1)
 * with block 1.
 */
struct cpu_layout {
	int c, h, w, block;
};

/* An operation that is put off: the output of plan from x or, if there is a dy, the
 * gradient by x. */
struct cpu_deferred {
	struct kf_plan *plan;
	struct kf_pass pass;
	const struct kf_mem *weights;
	struct kf_mem *grads;
	struct kf_act *x, *y, *dy;
};

/*
 * Where the values of a batch are.
 *
 *   READY     at f: written, taken from data, or computed by a layer that works on
 *             whole batches.  f is NULL before the first of these
 *   DEFERRED  nowhere yet: a layer that works image by image left word, in
 *             `deferred`, of how to compute them
 *   STORING   DEFERRED, while a team of threads computes them into memory
 *   STORED    at f, computed image by image; `deferred` still says how, as the
 *             gradient is to follow the same chain of layers
 *
 * forward() of an image layer makes its output DEFERRED, whatever it was.
 * cpu_materialize() makes it STORED by way of STORING, and with it those outputs
 * in the chain below that backward will read; the others stay DEFERRED.  A
 * gradient that backward() left DEFERRED becomes READY.
 */
enum cpu_state { CPU_READY, CPU_DEFERRED, CPU_STORING, CPU_STORED };

/* A batch of n images. */
struct kf_act {
	int n;
	struct cpu_layout layout;
	enum cpu_state state;
	struct cpu_deferred deferred;  /* unless READY */
	float *f;                      /* (n, layout): in own memory or another's */
	float *own;                    /* NULL until it is needed */
	struct kf_act *lender;         /* whose memory it uses instead, or NULL */
	enum kf_activation activation; /* the last that made the values */
	/* Of a gradient: it is by what that activation was given, not by its result. */
	bool by_preactivation;
};

enum cpu_direction { CPU_FORWARD, CPU_BACKWARD_WEIGHTS, CPU_BACKWARD_DATA };
enum { CPU_DIRECTIONS = CPU_BACKWARD_DATA + 1 };

/* Whether a layer's backward reads x, the layer's input. */
enum cpu_reads_x { CPU_NEVER, CPU_BEFORE_DX /* is written */, CPU_WHILE_DX /* is */ };

struct kf_plan {
	const struct kf_layer *layer;
	const struct kf_param *weight, *bias; /* NULL without */
	int n;
	const struct cpu_layer *ops;
	void *state;            /* what the layer keeps */
	struct cpu_layout x, y; /* of an image of its input and output */

	/* Of layers that work image by image: */
	enum cpu_reads_x reads_x;
	size_t mask_bytes; /* of an image's mask, if there is one */
	void *masks;       /* (n): of the whole batch, while */
	bool stores_masks; /* they are stored; else a thread's scratch has one */
	struct cpu_scratch *scratch; /* (threads) */
};

/*
 * A kind of layer.  It works either on whole batches, by forward and backward as
 * in struct kf_backend_ops, or image by image, each in a thread of a team, by
 * image_forward and image_backward; the other two are NULL.
 */
struct cpu_layer {
	void (*make)(struct kf_backend *b, struct kf_plan *plan);
	void (*free)(struct kf_plan *plan); /* what make made; NULL if nothing */
	bool only_in_training;              /* otherwise its output is its input */
	/* After a relu, its gradient by x is already that by what the relu was given. */
	bool absorbs_relu;

	void (*forward)(struct kf_backend *b, struct kf_plan *plan,
		const struct kf_mem *weights, struct kf_act *x, struct kf_act *y);
	void (*backward)(struct kf_backend *b, struct kf_plan *plan,
		const struct kf_mem *weights, struct kf_mem *grads, struct kf_act *x,
		struct kf_act *y, struct kf_act *dy, struct kf_act *dx);

	/*
	 * Image i of the batch, by thread number `thread`: y from x, and in mask what
	 * backward must know of it.
	 */
	void (*image_forward)(struct kf_backend *b, const struct cpu_deferred *d,
		int thread, int i, float *x, float *y, void *mask);
	/* dx, unless it is NULL, from dy, which it overwrites; adds to gradients. */
	void (*image_backward)(struct kf_backend *b, const struct cpu_deferred *d,
		int thread, int i, float *dy, float *dx);
	/* Before a team begins in a direction, and after it went backward; or NULL. */
	void (*begin)(struct kf_backend *b, struct kf_plan *plan,
		enum cpu_direction direction, const struct kf_mem *weights);
	void (*end)(struct kf_backend *b, struct kf_plan *plan, struct kf_mem *grads);
};

/* The layers' operations: cpu_dense, ... */
#define CPU_LAYER(NAME, word, ...) extern const struct cpu_layer cpu_##word;
KF_LAYER_KINDS(CPU_LAYER)
#undef CPU_LAYER

#endif
