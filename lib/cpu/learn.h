/* Losses and update rules. */
#ifndef KF_CPU_LEARN_H
#define KF_CPU_LEARN_H

#include "cpu/internal.h"

/* One step of an update rule over n weights, in one thread. */
void cpu_update_floats(const struct kf_update *u, float *w, const float *g,
	float *state1, float *state2, size_t n);

/* As struct kf_backend_ops describes them. */
void cpu_regression(struct kf_backend *b, const struct kf_loss *loss, struct kf_act *p,
	const struct kf_mem *targets, const uint32_t *rows, double present,
	struct kf_act *dp, struct kf_mem *losses, size_t slot);
void cpu_cross_entropy(struct kf_backend *b, struct kf_act *p,
	const struct kf_mem *labels, const uint32_t *rows, double present,
	struct kf_act *dp, struct kf_mem *losses, struct kf_mem *hits, size_t slot);
void cpu_sum(struct kf_backend *b, struct kf_comm *comm, struct kf_mem *grads,
	size_t offset, size_t n);
void cpu_finish_sums(struct kf_backend *b, struct kf_comm *comm);
void cpu_update(struct kf_backend *b, const struct kf_update *u, struct kf_mem *weights,
	const struct kf_mem *grads, struct kf_mem *state1, struct kf_mem *state2,
	size_t offset, size_t n);
void cpu_average(struct kf_backend *b, struct kf_mem *to, const struct kf_mem *from,
	float part, size_t offset, size_t n);

#endif
