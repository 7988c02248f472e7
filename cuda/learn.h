/* Losses and update rules, as struct kf_backend_ops describes them. */
#ifndef KF_CUDA_LEARN_H
#define KF_CUDA_LEARN_H

#include "internal.h"

void cuda_regression(struct kf_backend *b, const struct kf_loss *loss, struct kf_act *p,
	const struct kf_mem *targets, const uint32_t *rows, double present,
	struct kf_act *dp, struct kf_mem *losses, size_t slot);
void cuda_cross_entropy(struct kf_backend *b, struct kf_act *p,
	const struct kf_mem *labels, const uint32_t *rows, double present,
	struct kf_act *dp, struct kf_mem *losses, struct kf_mem *hits, size_t slot);
void cuda_update(struct kf_backend *b, const struct kf_update *u,
	struct kf_mem *weights, const struct kf_mem *grads, struct kf_mem *state1,
	struct kf_mem *state2, size_t offset, size_t n);
void cuda_average(struct kf_backend *b, struct kf_mem *to, const struct kf_mem *from,
	float part, size_t offset, size_t n);

#endif
