/* The expected place under the softmax of a map. */
#include "memory.h"

static struct extent image(const struct kf_plan *plan)
{
	return (struct extent){ plan->layer->image[0], plan->layer->image[1] };
}

static void forward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	const struct kf_flow *f)
{
	(void)pass, (void)weights;
	cuda_check(b, launch_softargmax(f->x->v, image(plan), f->y->v.f), "softargmax");
}

static void backward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights, struct kf_mem *grads,
	const struct kf_flow *f)
{
	(void)pass, (void)weights, (void)grads;
	if (f->dx)
		cuda_check(b,
			launch_softargmax_backward(f->x->v, image(plan), f->dy->v.f,
				f->dx->v, f->sum_dx),
			"softargmax");
}

const struct cuda_layer cuda_softargmax = { NULL, forward, backward };
