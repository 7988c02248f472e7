/* Layers that work image by image, one after another. */
#ifndef KF_CPU_CHAIN_H
#define KF_CPU_CHAIN_H

#include "cpu/internal.h"

/*
 * For such a layer's make(): a scratch for each thread and, if backward must know
 * something of each image, that many bytes of mask; false if out of memory.
 */
bool cpu_chain_make(struct kf_plan *plan, size_t mask_bytes);
void cpu_chain_free(struct kf_plan *plan);

/* forward() and backward() of such a layer: leave word of what is to be done. */
void cpu_chain_forward(const struct cpu_deferred *d, struct kf_act *y);
void cpu_chain_backward(struct kf_backend *b, const struct cpu_deferred *d,
	struct kf_act *dx);

/* Computes what a batch was DEFERRED for, for those who read the whole batch. */
void cpu_materialize(struct kf_backend *b, struct kf_act *a);

/* In a thread of a team: image i of a, computed if need be; NULL after a failure. */
float *cpu_values(struct kf_backend *b, const struct kf_act *a, int i, int thread);

/* For image_backward(): the mask that image_forward() made of image i. */
const void *cpu_mask(const struct cpu_deferred *d, int i, int thread);

/* Whether plan's backward gives the gradient by what x's activation was given. */
bool cpu_gives_preactivation(const struct kf_plan *plan, const struct kf_act *x);

#endif
