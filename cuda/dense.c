/* Dense layers by cuBLAS's matrix product. */
#include "activation.h"
#include "batch.h"
#include "cublas.h"
#include "memory.h"

static void make(struct kf_backend *b, struct kf_plan *plan)
{
	struct view x = cuda_batch(NULL, plan->n, plan->layer->in);

	if (cuda_is_plain(&x))
		return;
	plan->own = cuda_bytes(b,
		(size_t)plan->n * sizeof *plan->flat *
			(size_t)kf_layer_inputs(plan->layer));
	plan->flat = plan->own;
}

static void forward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	const struct kf_flow *f)
{
	size_t n = (size_t)plan->n, in = (size_t)kf_layer_inputs(plan->layer);
	size_t out = (size_t)kf_layer_outputs(plan->layer);

	(void)pass;
	if (plan->flat)
		cuda_check(b,
			launch_copy_rows(f->x->v, (struct rows){ NULL, 0 },
				cuda_plain(plan->flat, plan->n, plan->layer->in)),
			"flattening");
	cuda_gemm(b, N, T, n, out, in, plan->flat ? plan->flat : f->x->v.f, in,
		weights->f + plan->weight->offset, in, 0, f->y->v.f, out);
	cuda_bias(b, plan, weights, f->y, plan->n, 1);
}

static void backward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights, struct kf_mem *grads,
	const struct kf_flow *f)
{
	size_t n = (size_t)plan->n, in = (size_t)kf_layer_inputs(plan->layer);
	size_t out = (size_t)kf_layer_outputs(plan->layer);
	const float *x = plan->flat ? plan->flat : f->x->v.f, *dy = f->dy->v.f;

	(void)pass;
	cuda_bias_backward(b, plan, grads, f->y, f->dy, plan->n, 1);
	cuda_gemm(b, T, N, out, in, n, dy, out, x, in, 0,
		grads->f + plan->weight->offset, in);
	if (!f->dx)
		return;
	/* the flattened input is no longer needed */
	cuda_gemm(b, N, N, n, in, out, dy, out, weights->f + plan->weight->offset, in,
		f->sum_dx && !plan->flat, plan->flat ? plan->flat : f->dx->v.f, in);
	if (plan->flat)
		cuda_check(b,
			launch_gradient(cuda_plain(plan->flat, plan->n,
						plan->layer->in),
				f->dx->v, f->sum_dx),
			"unflattening");
}

const struct cuda_layer cuda_dense = { make, forward, backward };
