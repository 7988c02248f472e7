/*
 * Arrays of the host's that come one after another, such as batches: while the device works
 * on one, the next is copied to it.
 */
#ifndef KF_CUDA_SHOW_H
#define KF_CUDA_SHOW_H

#include "internal.h"

/* As struct kf_backend_ops describes it. */
struct kf_mem *cuda_show(struct kf_backend *b, struct kf_mem *m, void *host,
	enum kf_dtype dtype, size_t n);

void cuda_free_shown(struct kf_backend *b, struct shown *s);

#endif
