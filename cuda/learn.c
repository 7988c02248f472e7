/* Losses and update rules. */
#include "learn.h"

#include "batch.h"
#include "memory.h"

void cuda_regression(struct kf_backend *b, const struct kf_loss *loss, struct kf_act *p,
	const struct kf_mem *targets, const uint32_t *rows, double present,
	struct kf_act *dp, struct kf_mem *losses, size_t slot)
{
	struct rows at;

	if (cuda(b)->failed)
		return;
	at = cuda_stage_rows(b, rows, p->v.n);
	if (!cuda(b)->failed)
		cuda_check(b,
			launch_regression(*loss, p->v.f, p->v.n, p->v.c, targets->f, at,
				present, dp ? dp->v.f : NULL, losses->f + slot),
			"the loss");
}

void cuda_cross_entropy(struct kf_backend *b, struct kf_act *p,
	const struct kf_mem *labels, const uint32_t *rows, double present,
	struct kf_act *dp, struct kf_mem *losses, struct kf_mem *hits, size_t slot)
{
	struct rows at;

	if (cuda(b)->failed)
		return;
	at = cuda_stage_rows(b, rows, p->v.n);
	if (!cuda(b)->failed)
		cuda_check(b,
			launch_cross_entropy(p->v.f, p->v.n, p->v.c, labels->f, at,
				present, dp ? dp->v.f : NULL, losses->f + slot,
				hits->f + slot),
			"the loss");
}

void cuda_update(struct kf_backend *b, const struct kf_update *u,
	struct kf_mem *weights, const struct kf_mem *grads, struct kf_mem *state1,
	struct kf_mem *state2, size_t offset, size_t n)
{
	if (!cuda(b)->failed)
		cuda_check(b,
			launch_update(u, weights->f + offset, grads->f + offset,
				state1 ? state1->f + offset : NULL,
				state2 ? state2->f + offset : NULL, n),
			"the update");
}

void cuda_average(struct kf_backend *b, struct kf_mem *to, const struct kf_mem *from,
	float part, size_t offset, size_t n)
{
	if (!cuda(b)->failed)
		cuda_check(b, launch_average(to->f + offset, from->f + offset, part, n),
			"averaging");
}
