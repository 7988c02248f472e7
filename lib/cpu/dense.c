/* Dense layers. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "cpu/activation.h"
#include "cpu/batch.h"
#include "cpu/learn.h"
#include "cpu/memory.h"
#include "cpu/panels.h"

struct dense {
	float *x;   /* x or dx as (n, c, h, w); NULL if they are plain */
	float *sum; /* likewise: what dx is added to; NULL until then */
};

static void make(struct kf_backend *b, struct kf_plan *plan)
{
	if (!(plan->state = calloc(1, sizeof(struct dense))))
		cpu_fail(b, "out of memory");
}

static void free_state(struct kf_plan *plan)
{
	struct dense *d = plan->state;

	if (d) {
		free(d->x);
		free(d->sum);
	}
	free(d);
}

static struct cpu_sizes sizes(const struct kf_plan *plan)
{
	return (struct cpu_sizes){ (size_t)plan->n,
		(size_t)kf_layer_inputs(plan->layer),
		(size_t)kf_layer_outputs(plan->layer) };
}

/* The input's rows, which forward has flattened, for backward too. */
static struct cpu_rows rows_of(const struct kf_plan *plan, const struct kf_act *x)
{
	const struct dense *d = plan->state;

	if (x->state != CPU_ROWS)
		return (struct cpu_rows){ .f = x->layout.block == 1 ? x->f : d->x };
	if (x->data->bytes)
		return (struct cpu_rows){ .bytes = x->data->u, .rows = x->rows };
	return (struct cpu_rows){ .f = x->data->f, .rows = x->rows };
}

static bool flatten(struct kf_backend *b, struct kf_plan *plan, const struct kf_act *x)
{
	struct dense *d = plan->state;

	if (x->layout.block == 1)
		return true;
	if (!cpu_floats_once(b, &d->x, cpu_batch_floats(x)))
		return false;
	cpu_to_plain(b, x, d->x);
	return true;
}

static void forward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_mem *weights, const struct kf_flow *f)
{
	struct cpu_sizes s = sizes(plan);
	struct cpu_rows x;

	if (!flatten(b, plan, f->x) || !cpu_batch_memory(b, f->y))
		return;
	x = rows_of(plan, f->x);
	cpu_panels_forward(b, &s, &x, weights->f + plan->weight->offset,
		plan->bias ? weights->f + plan->bias->offset : NULL, f->y->activation,
		f->y->f);
}

/* sums (out) = the sums of v (n, out) over n */
static void sum_rows(float *sums, const float *v, size_t n, size_t out)
{
	memset(sums, 0, out * sizeof *sums);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < out; j++)
			sums[j] += v[i * out + j];
}

/* dx reuses the memory of an x that is not read again, else it gets its own. */
static bool dx_memory(struct kf_backend *b, const struct kf_act *x, struct kf_act *dx)
{
	if (x->layout.block == 1 || x->state == CPU_READY || x->shared ||
		x->activation != KF_LINEAR)
		return cpu_batch_memory(b, dx);
	dx->f = x->f;
	return true;
}

/* Where dx goes, or what it is added to, as (n, c, h, w); NULL on failure. */
static float *plain_dx(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_flow *f)
{
	struct dense *d = plan->state;

	if (!f->sum_dx && !dx_memory(b, f->x, f->dx))
		return NULL;
	if (f->dx->layout.block == 1)
		return f->dx->f;
	if (!f->sum_dx)
		return d->x;
	if (cpu_floats_once(b, &d->sum, cpu_batch_floats(f->dx)))
		cpu_to_plain(b, f->dx, d->sum);
	return d->sum;
}

/* Points a at the gradient's place, or at what a step of the weights changes. */
static void use_gradient(struct cpu_backward *a, const struct kf_plan *plan,
	const struct kf_step *step, struct kf_mem *grads)
{
	size_t offset = plan->weight->offset;

	if (!step) {
		a->dw = grads->f + offset;
		return;
	}
	a->update = &step->update;
	a->w = step->weights->f + offset;
	for (int i = 0; i < 2; i++)
		a->state[i] = step->state[i] ? step->state[i]->f + offset : NULL;
	step->made[plan->layer->weight] = true;
}

static void backward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights, struct kf_mem *grads,
	const struct kf_flow *f)
{
	struct cpu_sizes s = sizes(plan);
	struct kf_act *x = f->x, *y = f->y, *dy = f->dy;
	struct cpu_backward a = { .dy = dy->f,
		.x = rows_of(plan, x),
		.w = weights->f + plan->weight->offset,
		.add = f->sum_dx };

	if (!cpu_is_preactivation(dy, y->activation))
		cpu_activation_backward(dy->f, y->f, cpu_batch_floats(y),
			y->activation);
	if (plan->bias)
		sum_rows(grads->f + plan->bias->offset, dy->f, s.n, s.out);
	if (f->dx && !(a.dx = plain_dx(b, plan, f)))
		return;
	use_gradient(&a, plan, pass->make, grads);
	cpu_panels_backward(b, &s, &a);
	if (f->dx && a.dx != f->dx->f)
		cpu_from_plain(b, a.dx, f->dx);
}

const struct cpu_layer cpu_dense = { .make = make,
	.takes_rows = true,
	.free = free_state,
	.forward = forward,
	.backward = backward };
