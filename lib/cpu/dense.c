/* Dense layers by oneDNN's matrix product. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "cpu/activation.h"
#include "cpu/batch.h"
#include "cpu/memory.h"

struct dense {
	float *x;            /* x or dx as (n, c, h, w); NULL if they are plain */
	float *y_transposed; /* (out, n); NULL unless that product is faster */
	float *sum;          /* (n, c, h, w): what is added to dx; NULL until then */
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
		free(d->y_transposed);
		free(d->sum);
	}
	free(d);
}

static const float *flatten(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_act *x)
{
	struct dense *d = plan->state;

	if (x->layout.block == 1)
		return x->f;
	if (cpu_floats_once(b, &d->x, cpu_batch_floats(x)))
		cpu_to_plain(b, x, d->x);
	return d->x;
}

/* c (m, n) = op(a) op(b), row-major; lda and ldb are the strides as stored. */
static void gemm(struct kf_backend *h, char op_a, char op_b, size_t m, size_t n,
	size_t k, const float *a, size_t lda, const float *b, size_t ldb, float *c)
{
	dnnl_status_t status;

	if (cpu(h)->failed)
		return;
	status = dnnl_sgemm(op_a, op_b, (dnnl_dim_t)m, (dnnl_dim_t)n, (dnnl_dim_t)k, 1,
		a, (dnnl_dim_t)lda, b, (dnnl_dim_t)ldb, 0, c, (dnnl_dim_t)n);
	if (status != dnnl_success)
		cpu_fail(h, "oneDNN: a product of %zu x %zu x %zu failed", m, n, k);
}

static void forward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_mem *weights, const struct kf_flow *f)
{
	struct kf_act *x = f->x, *y = f->y;
	struct dense *d = plan->state;
	size_t n = (size_t)plan->n, in = (size_t)kf_layer_inputs(plan->layer);
	size_t out = (size_t)kf_layer_outputs(plan->layer);
	const float *w = weights->f + plan->weight->offset;
	const float *bias = plan->bias ? weights->f + plan->bias->offset : NULL;
	const float *flat = flatten(b, plan, x);

	if (!flat || !cpu_batch_memory(b, y))
		return;
	if (cpu_transposed(b, plan->weight)) {
		gemm(b, 'N', 'N', n, out, in, flat, in, w, out, y->f);
		cpu_add_bias(y->f, y->f, false, bias, n, out, y->activation);
	} else if (cpu_floats_once(b, &d->y_transposed, n * out)) {
		gemm(b, 'N', 'T', out, n, in, w, in, flat, in, d->y_transposed);
		cpu_add_bias(y->f, d->y_transposed, true, bias, n, out, y->activation);
	}
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

/* dx (n, in) = dy times the weights */
static void product_dx(struct kf_backend *b, const struct kf_plan *plan,
	const struct kf_mem *weights, const float *dy, float *dx)
{
	size_t n = (size_t)plan->n, in = (size_t)kf_layer_inputs(plan->layer);
	size_t out = (size_t)kf_layer_outputs(plan->layer);
	const float *w = weights->f + plan->weight->offset;

	if (cpu_transposed(b, plan->weight))
		gemm(b, 'N', 'T', n, in, out, dy, out, w, out, dx);
	else
		gemm(b, 'N', 'N', n, in, out, dy, out, w, in, dx);
}

static void set_dx(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_mem *weights, const struct kf_flow *f)
{
	struct dense *d = plan->state;
	float *flat;

	if (!dx_memory(b, f->x, f->dx))
		return;
	/* the flattened input is no longer needed */
	flat = f->dx->layout.block == 1 ? f->dx->f : d->x;
	product_dx(b, plan, weights, f->dy->f, flat);
	if (flat != f->dx->f)
		cpu_from_plain(b, flat, f->dx);
}

static void add_dx(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_mem *weights, const struct kf_flow *f)
{
	size_t n = cpu_batch_floats(f->dx);
	struct dense *d = plan->state;
	struct kf_act part = { .n = plan->n, .layout = plan->x };
	float *flat;

	part.f = cpu_floats_once(b, &d->sum, n);
	if (!part.f)
		return;
	flat = plan->x.block == 1 ? part.f : d->x;
	product_dx(b, plan, weights, f->dy->f, flat);
	if (flat != part.f)
		cpu_from_plain(b, flat, &part);
	cpu_add_to(f->dx->f, part.f, n);
}

/* sums (out) = the sums of v (n, out) over n */
static void sum_rows(float *sums, const float *v, size_t n, size_t out)
{
	memset(sums, 0, out * sizeof *sums);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < out; j++)
			sums[j] += v[i * out + j];
}

static void backward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_mem *weights, struct kf_mem *grads, const struct kf_flow *f)
{
	struct kf_act *x = f->x, *y = f->y, *dy = f->dy;
	struct dense *d = plan->state;
	size_t n = (size_t)plan->n, in = (size_t)kf_layer_inputs(plan->layer);
	size_t out = (size_t)kf_layer_outputs(plan->layer);
	const float *flat = x->layout.block == 1 ? x->f : d->x; /* from forward */
	float *dw = grads->f + plan->weight->offset;

	if (!cpu_is_preactivation(dy, y->activation))
		cpu_activation_backward(dy->f, y->f, cpu_batch_floats(y),
			y->activation);
	if (plan->bias)
		sum_rows(grads->f + plan->bias->offset, dy->f, n, out);
	if (cpu_transposed(b, plan->weight))
		gemm(b, 'T', 'N', in, out, n, flat, in, dy->f, out, dw);
	else
		gemm(b, 'T', 'N', out, in, n, dy->f, out, flat, in, dw);
	if (f->dx && f->sum_dx)
		add_dx(b, plan, weights, f);
	else if (f->dx)
		set_dx(b, plan, weights, f);
}

const struct cpu_layer cpu_dense = { .make = make,
	.free = free_state,
	.forward = forward,
	.backward = backward };
