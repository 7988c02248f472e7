/* Batches between layers: their layout and memory, and filling them with data. */
#ifndef KF_CUDA_BATCH_H
#define KF_CUDA_BATCH_H

#include "internal.h"

/* Views of f as n rows of a shape, in (n, c, h, w) order and in that of batches. */
struct view cuda_plain(float *f, int n, const int shape[3]);
struct view cuda_batch(float *f, int n, const int shape[3]);
/* Whether a batch's order is the same as (n, c, h, w). */
bool cuda_is_plain(const struct view *v);

/* Points a batch at its own memory, allocated on first use; false on failure. */
bool cuda_own(struct kf_backend *b, struct kf_act *a);

/* n row numbers, which are copied to the device only if they are not consecutive. */
struct rows cuda_stage_rows(struct kf_backend *b, const uint32_t *rows, int n);

/* As struct kf_backend_ops describes them. */
struct kf_act *cuda_act(struct kf_backend *b, const struct kf_plan *plan,
	struct kf_act *lender);
struct kf_act *cuda_input(struct kf_backend *b, int n, const int shape[3]);
void cuda_free_act(struct kf_backend *b, struct kf_act *a);
void cuda_take(struct kf_backend *b, struct kf_act *a, const struct kf_mem *m,
	const uint32_t *rows, const struct kf_warp *warps);
void cuda_write_act(struct kf_backend *b, struct kf_act *a, const float *src);
void cuda_read_act(struct kf_backend *b, struct kf_act *a, float *dst);

#endif
