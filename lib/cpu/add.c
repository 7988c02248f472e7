/* The sum of two batches: y = f(x + other). */
#include <string.h>

#include "cpu/activation.h"
#include "cpu/batch.h"
#include "cpu/chain.h"
#include "cpu/memory.h"

static void survey(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	const struct kf_flow *f)
{
	(void)plan, (void)pass, (void)weights;
	cpu_materialize(b, f->other);
}

CPU_CLONES
static void add(float *y, const float *x, const float *other, size_t n, bool relu)
{
	for (size_t i = 0; i < n; i++) {
		float v = x[i] + other[i];

		y[i] = relu && !(v > 0) ? 0 : v;
	}
}

static void forward(struct kf_backend *b, const struct cpu_deferred *d, int thread,
	int i, float *x, float *y, void *mask)
{
	enum kf_activation f = d->plan->layer->activation;
	size_t n = cpu_image_floats(&d->plan->y);

	(void)b, (void)thread, (void)mask;
	add(y, x, cpu_image(d->other, i), n, f == KF_RELU);
	if (f != KF_RELU)
		cpu_activate(y, n, f);
}

/* One operand's gradient, which may be the same act as the other's. */
static void pass_on(struct kf_backend *b, const struct kf_act *dy, struct kf_act *to,
	bool sum)
{
	size_t image = cpu_image_floats(&dy->layout);

	if (!to || (!sum && !cpu_batch_memory(b, to)))
		return;
#pragma omp parallel for schedule(dynamic) num_threads(cpu(b)->team.working)
	for (int i = 0; i < dy->n; i++)
		if (sum)
			cpu_add_to(cpu_image(to, i), cpu_image(dy, i), image);
		else
			memcpy(cpu_image(to, i), cpu_image(dy, i),
				image * sizeof(float));
}

static void backward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights, struct kf_mem *grads,
	const struct kf_flow *f)
{
	enum kf_activation activation = plan->layer->activation;
	struct kf_act *dy = f->dy;

	(void)pass, (void)weights, (void)grads;
	if (!cpu_is_preactivation(dy, activation)) {
		cpu_materialize(b, f->y); /* it may be recomputed */
		if (cpu(b)->failed)
			return;
		cpu_activation_backward(dy->f, f->y->f, cpu_batch_floats(dy),
			activation);
	}
	/* dy is not needed any more: dx may have its memory */
	if (f->dx && !f->sum_dx)
		f->dx->f = dy->f;
	else
		pass_on(b, dy, f->dx, f->sum_dx);
	pass_on(b, dy, f->d_other, f->sum_other);
}

const struct cpu_layer cpu_add = { .make = cpu_chain_make_plain,
	.survey = survey,
	.image_forward = forward,
	.backward = backward };
