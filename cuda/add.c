/* The sum of two layers' outputs. */
#include "memory.h"

static void forward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	const struct kf_flow *f)
{
	(void)pass, (void)weights;
	cuda_check(b,
		launch_add(f->x->v, f->other->v, f->y->v, plan->layer->activation),
		"adding");
}

static void backward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights, struct kf_mem *grads,
	const struct kf_flow *f)
{
	(void)pass, (void)weights, (void)grads;
	cuda_check(b,
		launch_add_backward(f->dy->v, f->y->v, plan->layer->activation,
			f->dx ? f->dx->v.f : NULL, f->sum_dx,
			f->d_other ? f->d_other->v.f : NULL, f->sum_other),
		"adding");
}

const struct cuda_layer cuda_add = { NULL, forward, backward };
