/* Batch norm. */
#include "memory.h"
#include "ranks.h"

static void make(struct kf_backend *b, struct kf_plan *plan)
{
	struct cuda *c = cuda(b);
	size_t channels = (size_t)plan->layer->out[0];
	double *own = cuda_bytes(b,
		2 * channels * sizeof(double) + 3 * channels * sizeof(float));
	float *moments = own ? (float *)(own + 2 * channels) : NULL;

	cuda_grow(b, (void **)&c->sums, &c->sums_channels, 2 * channels,
		BIAS_SLICES * sizeof *c->sums);
	plan->own = own;
	if (!own)
		return;
	plan->totals = own;
	plan->moments =
		(struct moments){ moments, moments + channels, moments + 2 * channels };
}

/* Values of a channel in the whole batch. */
static double count_values(const struct kf_plan *plan, const struct kf_share *s)
{
	const int *shape = plan->layer->out;

	return (double)(s->comm ? s->all : plan->n) * shape[1] * shape[2];
}

/* The moments of the batch. */
static void find_moments(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_share *s, struct view x)
{
	double *sums = cuda(b)->sums;
	int channels = plan->layer->out[0];
	cudaError_t status;

	if (s->comm) {
		cuda_check(b,
			launch_own_moments(x, (double)plan->n / s->all, sums,
				plan->totals),
			"a rank's moments");
		cuda_sum_doubles(b, s, plan->totals, 2 * (size_t)channels);
		status = launch_shared_moments(plan->totals, channels,
			count_values(plan, s), plan->moments);
	} else {
		status = launch_moments(x, sums, plan->moments);
	}
	cuda_check(b, status, "a batch's moments");
}

static void forward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	const struct kf_flow *f)
{
	const struct kf_layer *l = plan->layer;
	struct moments m = plan->moments;

	if (pass->train) {
		find_moments(b, plan, &pass->share, f->x->v);
	} else {
		m.mean = weights->f + plan->mean->offset;
		cuda_check(b,
			launch_scale(weights->f + plan->variance->offset, l->out[0],
				m.scale),
			"batch norm's scale");
	}
	cuda_check(b,
		launch_normalize(f->x->v, m.mean, m.scale,
			weights->f + plan->weight->offset,
			weights->f + plan->bias->offset, l->activation, f->y->v),
		"batch norm");
}

/* The row of an idle rank is not of the batch: its dx is 0, as its dy is. */
static void set_dx(struct kf_backend *b, struct kf_plan *plan, const struct kf_share *s,
	const struct kf_mem *weights, const struct kf_flow *f)
{
	size_t values = (size_t)plan->n * (size_t)kf_layer_outputs(plan->layer);
	cudaError_t status = cudaSuccess;

	if (!s->idle)
		status = launch_norm_backward(f->x->v, plan->moments,
			weights->f + plan->weight->offset, plan->totals,
			count_values(plan, s), f->dy->v, f->dx->v, f->sum_dx);
	else if (!f->sum_dx)
		status = cudaMemsetAsync(f->dx->v.f, 0, values * sizeof(float), 0);
	cuda_check(b, status, "batch norm");
}

static void backward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights, struct kf_mem *grads,
	const struct kf_flow *f)
{
	struct norm_gradients g = { grads->f + plan->weight->offset,
		grads->f + plan->bias->offset, grads->f + plan->mean->offset,
		grads->f + plan->variance->offset };

	cuda_check(b,
		launch_norm_gradients(f->x->v, plan->moments, f->y->v, f->dy->v,
			plan->layer->activation, cuda(b)->sums, g, plan->totals),
		"batch norm's gradients");
	if (pass->share.comm)
		cuda_sum_doubles(b, &pass->share, plan->totals,
			2 * (size_t)plan->layer->out[0]);
	if (f->dx)
		set_dx(b, plan, &pass->share, weights, f);
}

const struct cuda_layer cuda_batchnorm = { make, forward, backward };
