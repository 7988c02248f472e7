/* Dense layers by cuBLAS's matrix product. */
#include "activation.h"
#include "batch.h"
#include "cublas.h"
#include "memory.h"

static void make(struct kf_backend *b, struct kf_plan *plan)
{
	struct view x = cuda_batch(NULL, plan->n, plan->layer->in);

	if (!cuda_is_plain(&x))
		plan->flat = cuda_bytes(b,
			(size_t)plan->n * sizeof *plan->flat *
				(size_t)kf_layer_inputs(plan->layer));
}

static void forward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights, struct kf_act *x,
	struct kf_act *y)
{
	size_t n = (size_t)plan->n, in = (size_t)kf_layer_inputs(plan->layer);
	size_t out = (size_t)kf_layer_outputs(plan->layer);

	(void)pass;
	if (plan->flat)
		cuda_check(b,
			launch_copy_rows(x->v, (struct rows){ NULL, 0 },
				cuda_plain(plan->flat, plan->n, plan->layer->in)),
			"flattening");
	cuda_gemm(b, N, T, n, out, in, plan->flat ? plan->flat : x->v.f, in,
		weights->f + plan->weight->offset, in, 0, y->v.f, out);
	cuda_check(b,
		launch_bias(y->v.f, weights->f + plan->bias->offset, plan->n, (int)out,
			1, plan->layer->activation),
		"the bias");
}

static void backward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights, struct kf_mem *grads,
	struct kf_act *x, struct kf_act *y, struct kf_act *dy, struct kf_act *dx)
{
	size_t n = (size_t)plan->n, in = (size_t)kf_layer_inputs(plan->layer);
	size_t out = (size_t)kf_layer_outputs(plan->layer);

	(void)pass;
	cuda_bias_backward(b, plan, grads, y, dy, plan->n, 1);
	cuda_gemm(b, T, N, out, in, n, dy->v.f, out, plan->flat ? plan->flat : x->v.f,
		in, 0, grads->f + plan->weight->offset, in);
	if (!dx)
		return;
	/* the flattened input is no longer needed */
	cuda_gemm(b, N, N, n, in, out, dy->v.f, out, weights->f + plan->weight->offset,
		in, 0, plan->flat ? plan->flat : dx->v.f, in);
	if (plan->flat)
		cuda_check(b,
			launch_copy_rows(cuda_plain(plan->flat, plan->n,
						 plan->layer->in),
				(struct rows){ NULL, 0 }, dx->v),
			"unflattening");
}

const struct cuda_layer cuda_dense = { make, forward, backward };
