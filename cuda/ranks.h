/* Sums over the ranks that share a batch out: on the device, if the engine that joins them can
 * do that, else on the host. */
#ifndef KF_CUDA_RANKS_H
#define KF_CUDA_RANKS_H

#include "internal.h"

/* As struct kf_backend_ops describes them. */
void cuda_sum(struct kf_backend *b, struct kf_comm *comm, struct kf_mem *grads,
	size_t offset, size_t n);
void cuda_finish_sums(struct kf_backend *b, struct kf_comm *comm);

/* Sums n doubles on the device, in the order of the default stream; those of an idle rank are
 * taken as zeros. */
void cuda_sum_doubles(struct kf_backend *b, const struct kf_share *s, double *v,
	size_t n);

void cuda_close_exchange(struct exchange *x);

#endif
