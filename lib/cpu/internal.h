/* What the files of the CPU backend share. */
#ifndef KF_CPU_INTERNAL_H
#define KF_CPU_INTERNAL_H

#include <dnnl.h>

#include "net/backend.h"
#include "cpu/onednn.h"

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

struct kf_mem {
	float *f;
	size_t n;
	bool shown; /* f is the caller's */
};

/*
 * What is still to be computed: the output of plan from x or, where there is a dy,
 * the gradient by x.  See chain.c.
 */
struct cpu_due {
	struct kf_plan *plan; /* NULL: nothing is due */
	struct kf_pass pass;
	const struct kf_mem *weights;
	struct kf_mem *grads;
	const struct kf_act *x, *y;
	struct kf_act *dy;
};

/*
 * A batch of n images.  Channels are stored in blocks as oneDNN's layouts
 * nChw8c and nChw16c have them: (n, ceil(c / block), h, w, block), the last
 * block filled with zeros; block 1 is plain NCHW.  A dense layer's output is
 * (n, features, 1, 1) with block 1.
 */
struct kf_act {
	int n, c, h, w, block;
	float *f;    /* the values: in room, or another's; NULL: none yet */
	float *room; /* NULL until it is needed, and where there is a lender */
	const struct kf_act *lender;   /* whose room it uses */
	enum kf_activation activation; /* the last that made the values */
	bool sloped;          /* a gradient, by what that activation was given */
	bool storing, stored; /* what is due is being, or was, computed into room */
	struct cpu_due due;
};

struct kf_plan {
	const struct kf_layer *layer;
	const struct kf_param *weight, *bias; /* NULL without */
	int n;
	const struct cpu_kind *kind;
	void *state; /* what the kind keeps */
	/* of layers that are done image by image: */
	size_t marks_bytes; /* for an image, what back must know of the way there */
	void *marks;        /* of the batch, if it */
	bool keeps_marks;
	bool back_reads_x;       /* after it began to write dx */
	struct cpu_place *place; /* (threads) */
};

/*
 * How a kind of layer is done: a batch at once, by forward and backward as in
 * kf_backend_ops, or an image in a thread of a team, by there and back.
 */
struct cpu_kind {
	void (*make)(struct kf_backend *b, struct kf_plan *plan);
	void (*free)(struct kf_plan *plan);
	void (*forward)(struct kf_backend *b, struct kf_plan *plan,
		const struct kf_mem *weights, const struct kf_act *x, struct kf_act *y);
	void (*backward)(struct kf_backend *b, struct kf_plan *plan,
		const struct kf_mem *weights, struct kf_mem *grads,
		const struct kf_act *x, const struct kf_act *y, struct kf_act *dy,
		struct kf_act *dx);

	/* y from x, which hold image i of the batch, and its marks. */
	void (*there)(struct kf_backend *b, const struct cpu_due *due, int thread,
		int i, const struct kf_act *x, struct kf_act *y, void *marks);
	/* dx, unless it is NULL, from dy, which it spoils; adds to the gradients. */
	void (*back)(struct kf_backend *b, const struct cpu_due *due, int thread, int i,
		struct kf_act *dy, struct kf_act *dx);
	/* NULL, or before a team begins, and after it went back. */
	void (*begin)(struct kf_backend *b, struct kf_plan *plan,
		enum cpu_direction direction, const struct kf_mem *weights);
	void (*end)(struct kf_backend *b, struct kf_plan *plan, struct kf_mem *grads);
};

extern const struct cpu_kind cpu_dense, cpu_dropout;       /* layers.c */
extern const struct cpu_kind cpu_convolution, cpu_pooling; /* image.c */

struct cpu {
	struct kf_backend base; /* first: the handle is this */
	int block;              /* channels in a block */
	bool recompute;         /* rather than store */
	unsigned long run;      /* counts what teams did image by image */
	dnnl_engine_t engine;
	dnnl_stream_t stream;
	bool failed;
	struct kf_err first;
};

static inline struct cpu *cpu(struct kf_backend *b)
{
	return (struct cpu *)b;
}

/* Keeps the first failure for sync. */
void cpu_fail(struct kf_backend *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Whether a dense layer's weights are stored (in, out), not (out, in). */
bool cpu_transposed(struct kf_backend *b, const struct kf_param *weight);

/* n floats on a cache line's boundary, zero; NULL after a failure. */
float *cpu_floats(struct kf_backend *b, size_t n);

/* The block of an image of that shape between two layers. */
int cpu_block(struct kf_backend *b, int c, int h, int w);

/* Floats in a batch, the filling included. */
size_t cpu_act_floats(const struct kf_act *a);

/* Points the batch at memory for its values; false after a failure. */
bool cpu_room(struct kf_backend *b, const struct kf_act *a);

/* -- image by image: chain.c -- */

/* A plan's places, with so many bytes of marks an image; false: out of memory. */
bool cpu_make_places(struct kf_plan *plan, size_t marks);
void cpu_free_places(struct kf_plan *plan);

/* In a thread of a team: image i of a, f being NULL after a failure. */
struct kf_act cpu_values(struct kf_backend *b, const struct kf_act *a, int i,
	int thread);
/* The same, on the way back: what due's layer marked in image i. */
const void *cpu_marks(const struct cpu_due *due, int i, int thread);

/* Whether a layer's gradient by x is already one by what x's activation was given. */
bool cpu_slopes(const struct kf_plan *plan, const struct kf_act *x);

/* On the way back: leaves the gradient by x due, where x itself was. */
void cpu_leave_back(struct kf_backend *b, const struct cpu_due *due, struct kf_act *dx);

/* Computes and stores what is due of a, for those who want the whole batch. */
void cpu_settle(struct kf_backend *b, const struct kf_act *a);

/* Copies between layouts: a's, and plain NCHW. */
void cpu_to_plain(struct kf_backend *b, const struct kf_act *a, float *plain);
void cpu_from_plain(struct kf_backend *b, const float *plain, struct kf_act *a);

/* f in place over n floats. */
void cpu_activate(float *y, size_t n, enum kf_activation f);

/* Whether a gradient by f(x) needs no f(x) to become one by x. */
static inline bool cpu_slope_known(const struct kf_act *dy, enum kf_activation f)
{
	return dy->sloped || f == KF_LINEAR;
}

/* dy = dy f'(x), which y = f(x) tells, unless dy is that already. */
void cpu_slope(struct kf_act *dy, const struct kf_act *y);

/* Operations of the table, as struct kf_backend_ops describes them. */
void cpu_squared_error(struct kf_backend *b, const struct kf_act *p,
	const struct kf_mem *targets, const uint32_t *rows, double present,
	struct kf_act *dp, struct kf_mem *losses, size_t slot);
void cpu_cross_entropy(struct kf_backend *b, const struct kf_act *p,
	const struct kf_mem *labels, const uint32_t *rows, struct kf_act *dp,
	struct kf_mem *losses, struct kf_mem *hits, size_t slot);
void cpu_update(struct kf_backend *b, const struct kf_update *u, struct kf_mem *weights,
	const struct kf_mem *grads, struct kf_mem *state1, struct kf_mem *state2,
	size_t n);

#endif
