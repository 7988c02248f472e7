/* Layers that work image by image, one after another. */
#ifndef KF_CPU_CHAIN_H
#define KF_CPU_CHAIN_H

#include "cpu/internal.h"

/*
 * For make() of such a layer: allocates a scratch for each thread.  mask_bytes is the
 * size of the mask that forward leaves for backward for each image, or 0.  A lack of
 * memory sticks in the backend; cpu_chain_free in any case.
 */
void cpu_chain_make(struct kf_backend *b, struct kf_plan *plan, size_t mask_bytes);
/* The make() of a layer that has no more to do, and no mask. */
void cpu_chain_make_plain(struct kf_backend *b, struct kf_plan *plan);
void cpu_chain_free(struct kf_backend *b, struct kf_plan *plan);

/* forward() and backward() of such a layer: record what is to be done. */
void cpu_chain_forward(const struct cpu_deferred *d, struct kf_act *y);
void cpu_chain_backward(struct kf_backend *b, const struct cpu_deferred *d,
	struct kf_act *dx, bool sum);

/* Computes a batch if it is DEFERRED, for a reader of the complete batch. */
void cpu_materialize(struct kf_backend *b, struct kf_act *a);

/* The same, and calls visit for each image, in the thread that computed it while it is
 * in the cache. */
typedef void cpu_visit(struct kf_backend *b, void *context, int i, float *image);
void cpu_materialize_and(struct kf_backend *b, struct kf_act *a, cpu_visit *visit,
	void *context);

/* In a thread of a team: image i of a, computed if necessary; NULL after a failure. */
float *cpu_values(struct kf_backend *b, const struct kf_act *a, int i, int thread);

/* In a thread of a team: memory for an image of the layer's output; NULL on failure. */
float *cpu_chain_scratch(struct kf_backend *b, const struct kf_plan *plan);

/* For image_backward(): the mask that image_forward() made for image i. */
const void *cpu_mask(const struct cpu_deferred *d, int i, int thread);

/* Whether plan's dx is the gradient with respect to x's pre-activation. */
bool cpu_gives_preactivation(const struct kf_plan *plan, const struct kf_act *x);

#endif
