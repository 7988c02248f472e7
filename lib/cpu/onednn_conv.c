/* Convolutions by oneDNN. */
#define _GNU_SOURCE
#include "cpu/onednn_conv.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/memory.h"
#include "cpu/onednn_describe.h"

/* -- making one ------------------------------------------------------------------ */

/* oneDNN's argument for each tensor in each direction; 0 if it has none. */
static const int argument[CPU_DIRECTIONS][CPU_CONV_ROLES] = {
	[CPU_FORWARD] = { DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST },
	[CPU_BACKWARD_WEIGHTS] = { DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS,
		DNNL_ARG_DIFF_BIAS, DNNL_ARG_DIFF_DST },
	[CPU_BACKWARD_DATA] = { DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, 0,
		DNNL_ARG_DIFF_DST },
};

/* What each direction computes; the others are factors of its products. */
static const enum cpu_conv_role result[CPU_DIRECTIONS] = {
	[CPU_FORWARD] = CPU_CONV_Y,
	[CPU_BACKWARD_WEIGHTS] = CPU_CONV_WEIGHTS,
	[CPU_BACKWARD_DATA] = CPU_CONV_X,
};

/* Gradients of weights and bias, in oneDNN's layout. */
struct gradients {
	float *weights, *bias;
	bool set; /* a sum: it has an image */
};

/* The weights' shape: filters and channels as the layer has them, and as oneDNN gets them,
 * which is slow with fewer than a block. */
struct filters {
	size_t out, in, field;
	size_t padded_out, padded_in;
};

/* x or dy as given, and a copy in the layout and type that oneDNN gets. */
struct copy {
	dnnl_memory_t given, scratch;
	float *data, *scratch_data;
};

/* One thread's memory. */
struct worker {
	dnnl_memory_t memory[CPU_CONV_ROLES];
	struct gradients image; /* BACKWARD_WEIGHTS: of one image */
	dnnl_memory_t scratch;
	float *scratch_data;
	struct copy copy[CPU_CONV_ROLES]; /* where struct cpu_convolution has one */
};

struct cpu_convolution {
	enum cpu_direction direction;
	struct cpu_primitive op;
	/* Copy x and dy to the layout that op prefers and to bf16, where that is needed;
	 * the others have no primitive. */
	struct cpu_primitive copy[CPU_CONV_ROLES];
	struct filters filters;
	cpu_md plain;             /* of the weights, (padded_out, padded_in, k, k) */
	float *padded;            /* in that layout; NULL if there is no padding */
	float *bias;              /* (padded_out), likewise */
	float *weights;           /* in oneDNN's layout */
	size_t n_weights, n_bias; /* floats, in oneDNN's layout */
	int workers, groups;
	struct worker *worker;
	struct gradients *sum; /* (groups) BACKWARD_WEIGHTS: of images so far */
};

/* Channels as oneDNN gets them: at least a block. */
static struct cpu_layout padded(const struct cpu_layout *l)
{
	struct cpu_layout p = *l;

	p.c = l->c < l->block ? l->block : l->c;
	return p;
}

/* Weights (out, in, k, k). */
static cpu_md describe_weights(dnnl_data_type_t type, const struct cpu_layout *x,
	const struct cpu_layout *y, int kernel, dnnl_format_tag_t tag)
{
	const dnnl_dims_t dims = { y->c, x->c, kernel, kernel };

	return cpu_md_new(type, 4, dims, tag);
}

static cpu_const_md wanted(const struct cpu_convolution *v, enum cpu_conv_role role)
{
	return dnnl_primitive_desc_query_md(v->op.pd, dnnl_query_exec_arg_md,
		argument[v->direction][role]);
}

/* An op's scratchpad, whose data is stored at *data; NULL if it needs none. */
static dnnl_memory_t new_scratch(struct kf_backend *b, const struct cpu_primitive *op,
	float **data)
{
	cpu_const_md l =
		dnnl_primitive_desc_query_md(op->pd, dnnl_query_scratchpad_md, 0);

	if (!dnnl_memory_desc_get_size(l))
		return NULL;
	*data = cpu_floats(b, cpu_md_floats(l) + 1);
	return cpu_memory_new(b, l, *data);
}

static struct gradients new_gradients(struct kf_backend *b,
	const struct cpu_convolution *v)
{
	return (struct gradients){ cpu_floats(b, v->n_weights),
		cpu_floats(b, v->n_bias + 1), false };
}

static void make_copy(struct kf_backend *b, const struct cpu_primitive *p,
	struct copy *c)
{
	cpu_const_md from = dnnl_primitive_desc_query_md(p->pd, dnnl_query_src_md, 0);
	cpu_const_md to = dnnl_primitive_desc_query_md(p->pd, dnnl_query_dst_md, 0);

	c->data = cpu_floats(b, cpu_md_floats(to));
	c->given = cpu_memory_new(b, from, NULL);
	c->scratch = new_scratch(b, p, &c->scratch_data);
}

static void make_worker(struct kf_backend *b, const struct cpu_convolution *v,
	struct worker *w)
{
	float *data[CPU_CONV_ROLES] = { [CPU_CONV_WEIGHTS] = v->weights };

	if (v->direction == CPU_BACKWARD_WEIGHTS) {
		w->image = new_gradients(b, v);
		data[CPU_CONV_WEIGHTS] = w->image.weights;
		data[CPU_CONV_BIAS] = w->image.bias;
	}
	for (int i = 0; i < CPU_CONV_ROLES; i++)
		if (v->copy[i].p) {
			make_copy(b, &v->copy[i], &w->copy[i]);
			data[i] = w->copy[i].data;
		}
	for (int i = 0; i < CPU_CONV_ROLES; i++)
		if (argument[v->direction][i] && (i != CPU_CONV_BIAS || v->n_bias))
			w->memory[i] = cpu_memory_new(b,
				wanted(v, (enum cpu_conv_role)i), data[i]);
	w->scratch = new_scratch(b, &v->op, &w->scratch_data);
}

/* The scratchpad is an argument, so that threads can execute at the same time. */
static dnnl_primitive_attr_t new_attributes(struct kf_backend *b, bool relu)
{
	dnnl_primitive_attr_t attr = NULL;
	dnnl_post_ops_t ops = NULL;

	if (cpu_good(b, dnnl_primitive_attr_create(&attr), "attributes"))
		cpu_good(b,
			dnnl_primitive_attr_set_scratchpad_mode(attr,
				dnnl_scratchpad_mode_user),
			"attributes");
	if (relu && cpu_good(b, dnnl_post_ops_create(&ops), "attributes") &&
		cpu_good(b, cpu_append_relu(ops), "attributes"))
		cpu_good(b, dnnl_primitive_attr_set_post_ops(attr, ops), "attributes");
	if (ops)
		dnnl_post_ops_destroy(ops);
	return attr;
}

/* c has the layouts that the primitive may use. */
static void make_op(struct kf_backend *b, struct cpu_convolution *v,
	const struct cpu_conv_description *c, bool relu,
	const struct cpu_convolution *forward)
{
	dnnl_primitive_attr_t attr = new_attributes(b, relu);

	if (cpu_good(b,
		    cpu_conv_describe(&v->op.pd, cpu(b)->engine, v->direction, c, attr,
			    forward ? forward->op.pd : NULL),
		    "convolution"))
		cpu_good(b, dnnl_primitive_create(&v->op.p, v->op.pd), "convolution");
	if (attr)
		dnnl_primitive_attr_destroy(attr);
}

/* Makes what copies x or y from the layout l, if the primitive wants it otherwise. */
static void make_copier(struct kf_backend *b, struct cpu_convolution *v,
	enum cpu_conv_role role, const struct cpu_layout *l)
{
	cpu_md given = cpu_md_image(dnnl_f32, l, l->block);
	dnnl_primitive_attr_t attr = new_attributes(b, false);

	if (!given)
		cpu_fail(b, "out of memory");
	else if (!cpu(b)->failed && !dnnl_memory_desc_equal(given, wanted(v, role)))
		cpu_reorder_make(b, &v->copy[role], given, wanted(v, role), attr);
	if (attr)
		dnnl_primitive_attr_destroy(attr);
	cpu_md_free(given);
}

static bool pads(const struct filters *f)
{
	return f->padded_out > f->out || f->padded_in > f->in;
}

/* Copies weights (out, in, field) to their places among padding, or back. */
static void copy_filters(const struct filters *f, float *plain, float *among, bool back)
{
	size_t bytes = f->in * f->field * sizeof *plain;

	for (size_t i = 0; i < f->out; i++) {
		float *a = plain + i * f->in * f->field;
		float *p = among + i * f->padded_in * f->field;

		memcpy(back ? a : p, back ? p : a, bytes);
	}
}

static dnnl_data_type_t type_of(struct kf_backend *b, const struct cpu_convolution *v,
	enum cpu_conv_role role)
{
	return cpu(b)->bf16 && role != result[v->direction] ? dnnl_bf16 : dnnl_f32;
}

static void make(struct kf_backend *b, struct cpu_convolution *v,
	const struct cpu_conv_shape *s, const struct cpu_convolution *forward)
{
	const struct cpu_layout from = padded(&s->x), to = padded(&s->y);
	const dnnl_dims_t units = { to.c };
	/* the weights' gradient may be faster to compute from another layout of x */
	int block = v->direction == CPU_BACKWARD_WEIGHTS ? 0 : from.block;
	cpu_md x = cpu_md_image(type_of(b, v, CPU_CONV_X), &from, block);
	cpu_md weights = describe_weights(type_of(b, v, CPU_CONV_WEIGHTS), &from, &to,
		s->kernel, dnnl_format_tag_any);
	cpu_md bias = cpu_md_new(dnnl_f32, 1, units, dnnl_a);
	cpu_md y = cpu_md_image(type_of(b, v, CPU_CONV_Y), &to, to.block);
	const struct cpu_conv_description c = {
		.l = { [CPU_CONV_X] = x,
			[CPU_CONV_WEIGHTS] = weights,
			[CPU_CONV_BIAS] = s->bias ? bias : NULL,
			[CPU_CONV_Y] = y },
		.strides = { s->stride, s->stride },
		.pad = { s->pad, s->pad },
	};

	v->plain = describe_weights(dnnl_f32, &from, &to, s->kernel, dnnl_abcd);
	v->filters = (struct filters){ (size_t)s->y.c, (size_t)s->x.c,
		(size_t)(s->kernel * s->kernel), (size_t)to.c, (size_t)from.c };
	if (x && weights && bias && y && v->plain)
		make_op(b, v, &c, s->relu && v->direction == CPU_FORWARD, forward);
	else
		cpu_fail(b, "out of memory");
	if (!cpu(b)->failed) {
		make_copier(b, v, CPU_CONV_X, &from);
		make_copier(b, v, CPU_CONV_Y, &to);
	}
	if (!cpu(b)->failed) {
		v->n_weights = cpu_md_floats(wanted(v, CPU_CONV_WEIGHTS));
		v->n_bias = s->bias ? cpu_md_floats(bias) : 0;
		v->weights = cpu_floats(b, v->n_weights);
		if (pads(&v->filters)) {
			v->padded = cpu_floats(b, cpu_md_floats(v->plain));
			v->bias = cpu_floats(b, (size_t)to.c);
		}
	}
	for (int i = 0; i < v->workers && !cpu(b)->failed; i++)
		make_worker(b, v, &v->worker[i]);
	cpu_md_free(x);
	cpu_md_free(weights);
	cpu_md_free(bias);
	cpu_md_free(y);
}

struct cpu_convolution *cpu_convolution_new(struct kf_backend *b,
	enum cpu_direction direction, const struct cpu_conv_shape *shape,
	const struct cpu_convolution *forward)
{
	struct cpu_convolution *v = calloc(1, sizeof *v);
	int threads = cpu(b)->threads;

	if (!v || !(v->worker = calloc((size_t)threads, sizeof *v->worker)) ||
		!(v->sum = calloc((size_t)cpu_groups(b), sizeof *v->sum))) {
		cpu_fail(b, "out of memory");
		if (v)
			free(v->worker);
		free(v);
		return NULL;
	}
	v->direction = direction;
	v->workers = threads;
	v->groups = cpu_groups(b);
	/* oneDNN plans for the number of threads that it sees */
	omp_set_num_threads(1);
	make(b, v, shape, forward);
	omp_set_num_threads(cpu(b)->team.working);
	return v;
}

static void free_gradients(struct gradients *g)
{
	free(g->weights);
	free(g->bias);
}

static void free_copy(struct copy *c)
{
	cpu_memory_free(c->given);
	cpu_memory_free(c->scratch);
	free(c->data);
	free(c->scratch_data);
}

static void free_worker(struct worker *w)
{
	for (int i = 0; i < CPU_CONV_ROLES; i++) {
		cpu_memory_free(w->memory[i]);
		free_copy(&w->copy[i]);
	}
	cpu_memory_free(w->scratch);
	free(w->scratch_data);
	free_gradients(&w->image);
}

void cpu_convolution_free(struct cpu_convolution *v)
{
	if (!v)
		return;
	for (int i = 0; i < v->workers; i++)
		free_worker(&v->worker[i]);
	for (int i = 0; v->sum && i < v->groups; i++)
		free_gradients(&v->sum[i]);
	free(v->worker);
	free(v->sum);
	free(v->weights);
	free(v->padded);
	free(v->bias);
	cpu_md_free(v->plain);
	for (int i = 0; i < CPU_CONV_ROLES; i++)
		cpu_primitive_free(&v->copy[i]);
	cpu_primitive_free(&v->op);
	free(v);
}

/* Points all threads at the bias, or at a copy among padding. */
static void begin_bias(struct kf_backend *b, struct cpu_convolution *v, float *bias)
{
	if (v->bias)
		memcpy(v->bias, bias, v->filters.out * sizeof *bias);
	for (int i = 0; i < v->workers; i++)
		cpu_memory_set(b, v->worker[i].memory[CPU_CONV_BIAS],
			v->bias ? v->bias : bias);
}

void cpu_convolution_begin(struct kf_backend *b, struct cpu_convolution *v,
	float *weights, float *bias)
{
	if (cpu(b)->failed)
		return;
	if (v->direction != CPU_BACKWARD_WEIGHTS) {
		if (v->padded)
			copy_filters(&v->filters, weights, v->padded, false);
		if (v->direction == CPU_FORWARD && bias)
			begin_bias(b, v, bias);
		cpu_reorder(b, v->plain, v->padded ? v->padded : weights,
			wanted(v, CPU_CONV_WEIGHTS), v->weights);
		return;
	}
	for (int i = 0; i < v->groups; i++)
		v->sum[i].set = false;
}

/* Adds an image's gradients to a sum, which gets memory when it is first needed: small
 * batches have few groups. */
static void add_gradients(struct kf_backend *b, const struct cpu_convolution *v,
	struct gradients *to, const struct gradients *from)
{
	if (!to->weights)
		*to = new_gradients(b, v);
	if (cpu(b)->failed)
		return;
	if (to->set) {
		cpu_add_to(to->weights, from->weights, v->n_weights);
		cpu_add_to(to->bias, from->bias, v->n_bias);
		return;
	}
	memcpy(to->weights, from->weights, v->n_weights * sizeof(float));
	memcpy(to->bias, from->bias, v->n_bias * sizeof(float));
	to->set = true;
}

/* Adds the sums of all groups to the first one's. */
static void add_groups(const struct cpu_convolution *v)
{
	const size_t piece = CPU_PARALLEL_MIN / 4;

#pragma omp parallel for schedule(dynamic) if (v->n_weights >= CPU_PARALLEL_MIN)
	for (size_t at = 0; at < v->n_weights; at += piece)
		for (int i = 1; i < v->groups && v->sum[i].set; i++)
			cpu_add_to(v->sum[0].weights + at, v->sum[i].weights + at,
				v->n_weights - at < piece ? v->n_weights - at : piece);
	for (int i = 1; i < v->groups && v->sum[i].set; i++)
		cpu_add_to(v->sum[0].bias, v->sum[i].bias, v->n_bias);
}

/* Passes x or y to the primitive, as a copy if it wants one. */
static void pass(struct kf_backend *b, struct cpu_convolution *v, struct worker *w,
	enum cpu_conv_role role, float *image)
{
	struct cpu_arguments a = { 0 };

	if (!v->copy[role].p) {
		cpu_memory_set(b, w->memory[role], image);
		return;
	}
	cpu_memory_set(b, w->copy[role].given, image);
	cpu_argument(&a, DNNL_ARG_FROM, w->copy[role].given);
	cpu_argument(&a, DNNL_ARG_TO, w->memory[role]);
	cpu_argument(&a, DNNL_ARG_SCRATCHPAD, w->copy[role].scratch);
	cpu_execute(b, &v->copy[role], &a);
}

void cpu_convolve(struct kf_backend *b, struct cpu_convolution *v, int thread,
	int group, float *x, float *y)
{
	struct worker *w = &v->worker[thread];
	struct cpu_arguments a = { 0 };

	if (cpu(b)->failed)
		return;
	pass(b, v, w, CPU_CONV_X, x);
	pass(b, v, w, CPU_CONV_Y, y);
	for (int i = 0; i < CPU_CONV_ROLES; i++)
		cpu_argument(&a, argument[v->direction][i], w->memory[i]);
	cpu_argument(&a, DNNL_ARG_SCRATCHPAD, w->scratch);
	cpu_execute(b, &v->op, &a);
	if (v->direction == CPU_BACKWARD_WEIGHTS)
		add_gradients(b, v, &v->sum[group], &w->image);
}

void cpu_convolution_end(struct kf_backend *b, struct cpu_convolution *v,
	float *weights, float *bias)
{
	const struct gradients *sum = &v->sum[0];

	if (cpu(b)->failed)
		return;
	add_groups(v);
	cpu_reorder(b, wanted(v, CPU_CONV_WEIGHTS), sum->weights, v->plain,
		v->padded ? v->padded : weights);
	if (v->padded)
		copy_filters(&v->filters, weights, v->padded, true);
	if (bias)
		memcpy(bias, sum->bias, v->filters.out * sizeof *bias);
}
