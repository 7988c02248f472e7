/*
 * The CPU backend's types, which all its files share.  From the bottom up:
 *
 *   team.c        how many threads work
 *   memory.c      arenas of floats, and the first failure
 *   onednn.c, onednn_describe.c, onednn_conv.c
 *                 changes of layout and convolutions, by oneDNN
 *   batch.c       batches between layers: their layout and memory, filling them
 *   chain.c       layers that work image by image, one after another
 *   activation.c  activations over arrays
 *   channels.c    loops over an image, channel by channel
 *   few_channels.c
 *                 the gradient at the input of a convolution that sees an image
 *   learn.c       losses and update rules
 *   panels.c      dense layers' weights and products
 *   dense.c, ...  a file for each kind of layer, with its table of operations
 *   backend.c     the backend's table of operations, and opening it
 */
#ifndef KF_CPU_INTERNAL_H
#define KF_CPU_INTERNAL_H

#include <dnnl.h>

#include "net/backend.h"

/* For inner loops in static functions: compiled for several instruction sets, selected at
 * load time. */
#if defined(__x86_64__) && defined(__GNUC__)
#define CPU_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CPU_CLONES
#endif

/* Vectors of eight floats, and of what comparing them yields: all ones or all zeros. */
typedef float cpu_floats8 __attribute__((vector_size(32), aligned(4)));
typedef int32_t cpu_masks8 __attribute__((vector_size(32), aligned(4)));

/* Loops over fewer floats than this are not worth waking another thread. */
#define CPU_PARALLEL_MIN ((size_t)1 << 15)

/* See cpu/team.h. */
struct cpu_team {
	int working; /* threads */
	double since,
		processor; /* when it was last judged, and processors' time then */
	double resting_until, rest; /* seconds */
};

struct cpu {
	struct kf_backend base; /* first: the handle is this */
	int block;              /* channels in a block */
	int threads; /* of a team, as OpenMP gives it; memory is for so many */
	struct cpu_team team;
	bool recompute, bf16;              /* see kf_backend_options */
	const struct cpu_kernels *kernels; /* of dense layers' products */
	unsigned long sweep; /* counts parallel passes over a batch, for chain.c */
	float *workspace;    /* (workspace_floats), of one operation at a time */
	size_t workspace_floats;
	dnnl_engine_t engine;
	dnnl_stream_t stream;
	bool failed;
	struct kf_err first; /* the first failure */
};

static inline struct cpu *cpu(struct kf_backend *b)
{
	return (struct cpu *)b;
}

/*
 * What is summed over a batch is summed in groups of images first, and then group by group:
 * so the result does not depend on which thread took which, nor on how many threads there
 * are, as long as they are not more than groups.
 */
#define CPU_GROUPS 16

static inline int cpu_groups(struct kf_backend *b)
{
	return cpu(b)->threads > CPU_GROUPS ? cpu(b)->threads : CPU_GROUPS;
}

/* Images in each group of a batch of n, the last groups having fewer or none. */
static inline int cpu_group_size(struct kf_backend *b, int n)
{
	return (n + cpu_groups(b) - 1) / cpu_groups(b);
}

struct kf_mem {
	union {
		float *f;
		const uint8_t *u;
	};
	size_t n;
	bool bytes; /* it is u, images of bytes that stand for v / 255 */
	bool shown; /* the values are the caller's */
};

/*
 * The layout of an image.  Channels are stored in blocks, as in oneDNN's nChw8c and
 * nChw16c: (ceil(c / block), h, w, block), with the last block padded with zeros.
 * Block 1 is plain (c, h, w).  A dense layer's output is (features, 1, 1) with block 1.
 */
struct cpu_layout {
	int c, h, w, block;
};

/* A deferred operation: it computes plan's output from x or, unless dy is NULL, dx
 * from dy. */
struct cpu_deferred {
	struct kf_plan *plan;
	struct kf_pass pass;
	const struct kf_mem *weights;
	struct kf_mem *grads;
	struct kf_act *x, *other, *y, *dy;
};

/*
 * Where the values of a batch are.
 *
 *   ROWS      rows of data, not copied yet: only in a net's input
 *   READY     at f: written, taken from data, or computed by a layer that works on
 *             complete batches.  f is NULL until then
 *   DEFERRED  not computed yet: `deferred` is the operation that does so, of a layer
 *             that works image by image
 *   STORING   DEFERRED, while a team of threads computes them to f
 *   STORED    at f, computed image by image; `deferred` stays, as the gradient is to
 *             follow the same chain of layers
 *
 * A layer that takes rows reads them where they are, and for all others they are copied
 * to f.  forward() of an image layer makes its output DEFERRED, whatever its state was.
 * cpu_materialize() makes it STORED by way of STORING, and with it those outputs
 * in the chain below that backward will read; the others stay DEFERRED.  A
 * gradient that backward() left DEFERRED becomes READY.
 */
enum cpu_state { CPU_READY, CPU_ROWS, CPU_DEFERRED, CPU_STORING, CPU_STORED };

/* A batch of n images. */
struct kf_act {
	int n;
	struct cpu_layout layout;
	enum cpu_state state;
	struct cpu_deferred deferred;  /* unless READY or ROWS */
	const struct kf_mem *data;     /* if ROWS, */
	const uint32_t *rows;          /* (n) of data */
	float *f;                      /* (n, layout): own, the lender's or borrowed */
	float *own;                    /* NULL until it is needed */
	struct kf_act *lender;         /* whose memory it uses instead, or NULL */
	enum kf_activation activation; /* of the layer that computes the values */
	bool shared;                   /* has several readers */
	/* A gradient: with respect to that activation's input, not its output. */
	bool wrt_preactivation;
};

enum cpu_direction { CPU_FORWARD, CPU_BACKWARD_WEIGHTS, CPU_BACKWARD_DATA };
enum { CPU_DIRECTIONS = CPU_BACKWARD_DATA + 1 };

/* When a layer's backward reads its input x: never, or only before it writes dx, or
 * still while it does. */
enum cpu_reads_x { CPU_NEVER, CPU_BEFORE_DX, CPU_WHILE_DX };

struct kf_plan {
	const struct kf_layer *layer;
	const struct kf_param *weight, *bias; /* NULL if it has none */
	const struct kf_param *mean, *variance;
	int n;
	const struct cpu_layer *ops;
	void *state;            /* the layer's own, or NULL */
	struct cpu_layout x, y; /* of the input and the output */

	/* Of layers that work image by image: */
	enum cpu_reads_x reads_x;
	size_t mask_bytes; /* of an image's mask; 0 if it has none */
	void *masks;       /* (n, mask_bytes): valid if stores_masks */
	bool stores_masks; /* else each thread's scratch has one image's mask */
	struct cpu_scratch *scratch; /* (threads) */
};

/*
 * A kind of layer.  It works either on complete batches, by forward and backward as in
 * struct kf_backend_ops, or image by image in the threads of a team, by image_forward
 * and image_backward; what it lacks is NULL.
 */
struct cpu_layer {
	void (*make)(struct kf_backend *b, struct kf_plan *plan);
	void (*free)(struct kf_plan *plan); /* of plan->state; may be NULL */
	bool only_in_training;              /* otherwise its output is its input */
	bool takes_rows;                    /* reads x that is in state ROWS */
	/* If x is a relu's output, its dx is with respect to the relu's input. */
	bool absorbs_relu;

	void (*forward)(struct kf_backend *b, struct kf_plan *plan,
		const struct kf_mem *weights, const struct kf_flow *f);
	void (*backward)(struct kf_backend *b, struct kf_plan *plan,
		const struct kf_pass *pass, const struct kf_mem *weights,
		struct kf_mem *grads, const struct kf_flow *f);

	/*
	 * Of a layer that works image by image, but needs something of the complete
	 * batch before: called before it is deferred, with the flow of the pass.  NULL
	 * in most.
	 */
	void (*survey)(struct kf_backend *b, struct kf_plan *plan,
		const struct kf_pass *pass, const struct kf_mem *weights,
		const struct kf_flow *f);
	void (*survey_backward)(struct kf_backend *b, struct kf_plan *plan,
		const struct kf_mem *weights, struct kf_mem *grads,
		const struct kf_flow *f);

	/*
	 * Image i of the batch, in thread number `thread`: sets y from x, and in mask
	 * what backward will need.
	 */
	void (*image_forward)(struct kf_backend *b, const struct cpu_deferred *d,
		int thread, int i, float *x, float *y, void *mask);
	/* Sets dx, unless it is NULL, from dy, which it may overwrite; adds to the
	 * parameters' gradients. */
	void (*image_backward)(struct kf_backend *b, const struct cpu_deferred *d,
		int thread, int i, float *dy, float *dx);
	/* Called before a team runs in a direction, and after backward; may be NULL. */
	void (*begin)(struct kf_backend *b, struct kf_plan *plan,
		enum cpu_direction direction, const struct kf_mem *weights);
	void (*end)(struct kf_backend *b, struct kf_plan *plan, struct kf_mem *grads);
};

/* The layers' operations: cpu_dense, ... */
#define CPU_LAYER(NAME, word, ...) extern const struct cpu_layer cpu_##word;
KF_LAYER_KINDS(CPU_LAYER)
#undef CPU_LAYER

#endif
