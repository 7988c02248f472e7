/* What the files of the CPU backend share. */
#ifndef KF_BACKEND_CPU_H
#define KF_BACKEND_CPU_H

#include <dnnl.h>

#include "backend.h"

/* For inner loops: compiled for several instruction sets, picked when loaded. */
#if defined(__x86_64__) && defined(__GNUC__)
#define CPU_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CPU_CLONES
#endif

/* Loops over fewer floats than this are not worth waking a thread. */
#define CPU_PARALLEL_MIN ((size_t)1 << 15)

struct kf_mem {
	float *f;
	size_t n;
};

/*
 * A batch of n images.  Channels are stored in blocks as oneDNN's layouts
 * nChw8c and nChw16c have them: (n, ceil(c / block), h, w, block), the last
 * block filled with zeros; block 1 is plain NCHW.  A dense layer's output is
 * (n, features, 1, 1) with block 1.
 */
struct kf_act {
	int n, c, h, w, block;
	float *f;      /* own, or memory of another's */
	float *own;    /* NULL until it is needed */
};

struct kf_plan {
	const struct kf_layer *layer;
	const struct kf_param *weight, *bias; /* NULL without */
	int n;
	const struct cpu_kind *kind;
	void *state;   /* what the kind keeps */
};

/* How a kind of layer is done; all but make as in struct kf_backend_ops. */
struct cpu_kind {
	void (*make)(struct kf_backend *b, struct kf_plan *plan);
	void (*free)(struct kf_plan *plan);
	void (*forward)(struct kf_backend *b, struct kf_plan *plan,
		const struct kf_pass *pass, const struct kf_mem *weights,
		const struct kf_act *x, struct kf_act *y);
	void (*backward)(struct kf_backend *b, struct kf_plan *plan,
		const struct kf_pass *pass, const struct kf_mem *weights,
		struct kf_mem *grads, const struct kf_act *x,
		const struct kf_act *y, struct kf_act *dy, struct kf_act *dx);
};

extern const struct cpu_kind cpu_dense, cpu_dropout;        /* backend_cpu_layers.c */
extern const struct cpu_kind cpu_convolution, cpu_pooling;  /* backend_cpu_image.c */

struct cpu {
	struct kf_backend base;  /* first: the handle is this */
	bool transposed;         /* dense weights are stored (in, out) */
	int block;               /* channels in a block */
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

/* n floats on a cache line's boundary, zero; NULL after a failure. */
float *cpu_floats(struct kf_backend *b, size_t n);

/* The block of an image of that shape between two layers. */
int cpu_block(struct kf_backend *b, int c, int h, int w);

/* Floats in a batch, the filling included. */
size_t cpu_act_floats(const struct kf_act *a);

/* Copies between layouts: a's, and plain NCHW. */
void cpu_to_plain(struct kf_backend *b, const struct kf_act *a, float *plain);
void cpu_from_plain(struct kf_backend *b, const float *plain, struct kf_act *a);

/* f in place over n floats, and dy = dy f'(x), which y = f(x) tells. */
void cpu_activate(float *y, size_t n, enum kf_activation f);
void cpu_activation_gradient(float *dy, const float *y, size_t n,
	enum kf_activation f);

/* Operations of the table, as struct kf_backend_ops describes them. */
void cpu_squared_error(struct kf_backend *b, const struct kf_act *p,
	const struct kf_mem *targets, const uint32_t *rows, double present,
	struct kf_act *dp, struct kf_mem *losses, size_t slot);
void cpu_cross_entropy(struct kf_backend *b, const struct kf_act *p,
	const struct kf_mem *labels, const uint32_t *rows, struct kf_act *dp,
	struct kf_mem *losses, struct kf_mem *hits, size_t slot);
void cpu_update(struct kf_backend *b, const struct kf_update *u,
	struct kf_mem *weights, const struct kf_mem *grads, struct kf_mem *state1,
	struct kf_mem *state2, size_t n);

#endif
