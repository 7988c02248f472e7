/* oneDNN's convolutions and changes of layout, in versions 2 and 3. */
#define _GNU_SOURCE
#include "cpu/onednn.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/internal.h"

/* -- what differs between the versions ---------------------------------------------- */

static const dnnl_dims_t strides = { 1, 1 }, none = { 0, 0 };

/* What a convolution works on; on the ways back, some are gradients. */
enum role { X, WEIGHTS, BIAS, Y, ROLES };

#if DNNL_VERSION_MAJOR >= 3

typedef const_dnnl_memory_desc_t layout;

static layout new_layout(int rank, const dnnl_dims_t dims, dnnl_format_tag_t tag)
{
	dnnl_memory_desc_t md;

	return dnnl_memory_desc_create_with_tag(&md, rank, dims, dnnl_f32, tag) ==
			dnnl_success ?
		md :
		NULL;
}

static void free_layout(layout md)
{
	if (md)
		dnnl_memory_desc_destroy((dnnl_memory_desc_t)md);
}

static dnnl_status_t append_relu(dnnl_post_ops_t ops)
{
	return dnnl_post_ops_append_eltwise(ops, dnnl_eltwise_relu, 0, 0);
}

static dnnl_status_t describe(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
	enum cpu_direction direction, const layout l[ROLES],
	const_dnnl_primitive_attr_t attr, const_dnnl_primitive_desc_t forward)
{
	const dnnl_alg_kind_t kind = dnnl_convolution_direct;

	if (direction == CPU_FORWARD)
		return dnnl_convolution_forward_primitive_desc_create(pd, engine,
			dnnl_forward_training, kind, l[X], l[WEIGHTS], l[BIAS], l[Y],
			strides, none, none, none, attr);
	if (direction == CPU_BY_WEIGHTS)
		return dnnl_convolution_backward_weights_primitive_desc_create(pd,
			engine, kind, l[X], l[WEIGHTS], l[BIAS], l[Y], strides, none,
			none, none, forward, attr);
	return dnnl_convolution_backward_data_primitive_desc_create(pd, engine, kind,
		l[X], l[WEIGHTS], l[Y], strides, none, none, none, forward, attr);
}

#else

typedef const dnnl_memory_desc_t *layout;

static layout new_layout(int rank, const dnnl_dims_t dims, dnnl_format_tag_t tag)
{
	dnnl_memory_desc_t *md = malloc(sizeof *md);

	if (md &&
		dnnl_memory_desc_init_by_tag(md, rank, dims, dnnl_f32, tag) ==
			dnnl_success)
		return md;
	free(md);
	return NULL;
}

static void free_layout(layout md)
{
	free((void *)md);
}

static dnnl_status_t append_relu(dnnl_post_ops_t ops)
{
	return dnnl_post_ops_append_eltwise(ops, 1, dnnl_eltwise_relu, 0, 0);
}

static dnnl_status_t describe(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
	enum cpu_direction direction, const layout l[ROLES],
	const_dnnl_primitive_attr_t attr, const_dnnl_primitive_desc_t forward)
{
	const dnnl_alg_kind_t kind = dnnl_convolution_direct;
	dnnl_convolution_desc_t d;
	dnnl_status_t status;

	if (direction == CPU_FORWARD)
		status = dnnl_convolution_forward_desc_init(&d, dnnl_forward_training,
			kind, l[X], l[WEIGHTS], l[BIAS], l[Y], strides, none, none);
	else if (direction == CPU_BY_WEIGHTS)
		status = dnnl_convolution_backward_weights_desc_init(&d, kind, l[X],
			l[WEIGHTS], l[BIAS], l[Y], strides, none, none);
	else
		status = dnnl_convolution_backward_data_desc_init(&d, kind, l[X],
			l[WEIGHTS], l[Y], strides, none, none);
	return status != dnnl_success ?
		status :
		dnnl_primitive_desc_create(pd, &d, attr, engine, forward);
}

#endif

/* -- layouts ------------------------------------------------------------------------ */

/* Keeps the first failure; true while there is none. */
static bool good(struct kf_backend *b, dnnl_status_t status, const char *what)
{
	if (status != dnnl_success)
		cpu_fail(b, "oneDNN: %s failed with status %d", what, (int)status);
	return !cpu(b)->failed;
}

/* block 0: as oneDNN likes it best. */
static layout describe_tensor(const int dims[4], int block)
{
	const dnnl_dims_t d = { dims[0], dims[1], dims[2], dims[3] };

	return new_layout(4, d,
		block == 0          ? dnnl_format_tag_any :
			block == 8  ? dnnl_aBcd8b :
			block == 16 ? dnnl_aBcd16b :
				      dnnl_abcd);
}

static dnnl_memory_t new_memory(struct kf_backend *b, layout l, const float *data)
{
	dnnl_memory_t m = NULL;

	good(b, dnnl_memory_create(&m, l, cpu(b)->engine, (void *)data), "memory");
	return m;
}

static void free_memory(dnnl_memory_t m)
{
	if (m)
		dnnl_memory_destroy(m);
}

struct arguments {
	int n;
	dnnl_exec_arg_t at[ROLES + 1];
};

static void add(struct arguments *a, int name, dnnl_memory_t m)
{
	if (m)
		a->at[a->n++] = (dnnl_exec_arg_t){ name, m };
}

static void execute(struct kf_backend *b, dnnl_primitive_t p, const struct arguments *a)
{
	if (good(b, dnnl_primitive_execute(p, cpu(b)->stream, a->n, a->at),
		    "execution"))
		good(b, dnnl_stream_wait(cpu(b)->stream), "execution");
}

/* What it needs besides its arguments is given too: any thread may execute it. */
static dnnl_primitive_attr_t new_attributes(struct kf_backend *b, bool relu)
{
	dnnl_primitive_attr_t attr = NULL;
	dnnl_post_ops_t ops = NULL;

	if (good(b, dnnl_primitive_attr_create(&attr), "attributes"))
		good(b,
			dnnl_primitive_attr_set_scratchpad_mode(attr,
				dnnl_scratchpad_mode_user),
			"attributes");
	if (relu && good(b, dnnl_post_ops_create(&ops), "attributes") &&
		good(b, append_relu(ops), "attributes"))
		good(b, dnnl_primitive_attr_set_post_ops(attr, ops), "attributes");
	if (ops)
		dnnl_post_ops_destroy(ops);
	return attr;
}

/* -- changes of layout --------------------------------------------------------------- */

/* A primitive with what describes it. */
struct op {
	dnnl_primitive_desc_t pd;
	dnnl_primitive_t p;
};

static void free_op(struct op *op)
{
	if (op->p)
		dnnl_primitive_destroy(op->p);
	if (op->pd)
		dnnl_primitive_desc_destroy(op->pd);
}

static void make_reorder(struct kf_backend *b, struct op *op, layout from, layout to,
	dnnl_primitive_attr_t attr)
{
	if (good(b,
		    dnnl_reorder_primitive_desc_create(&op->pd, from, cpu(b)->engine,
			    to, cpu(b)->engine, attr),
		    "reorder"))
		good(b, dnnl_primitive_create(&op->p, op->pd), "reorder");
}

static void reorder(struct kf_backend *b, layout from, const float *src, layout to,
	float *dst)
{
	dnnl_memory_t m1 = NULL, m2 = NULL;
	struct op op = { 0 };
	struct arguments a = { 0 };

	make_reorder(b, &op, from, to, NULL);
	if (!cpu(b)->failed && (m1 = new_memory(b, from, src)) &&
		(m2 = new_memory(b, to, dst))) {
		add(&a, DNNL_ARG_FROM, m1);
		add(&a, DNNL_ARG_TO, m2);
		execute(b, op.p, &a);
	}
	free_memory(m1);
	free_memory(m2);
	free_op(&op);
}

void cpu_reorder(struct kf_backend *b, const struct cpu_layout *from, const float *src,
	const struct cpu_layout *to, float *dst)
{
	layout l1 = describe_tensor(from->dims, from->block);
	layout l2 = describe_tensor(to->dims, to->block);

	reorder(b, l1, src, l2, dst);
	free_layout(l1);
	free_layout(l2);
}

/* -- convolutions -------------------------------------------------------------------- */

/* What oneDNN calls each role in each direction; 0 where it plays none. */
static const int names[][ROLES] = {
	[CPU_FORWARD] = { DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST },
	[CPU_BY_WEIGHTS] = { DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_BIAS,
		DNNL_ARG_DIFF_DST },
	[CPU_BY_DATA] = { DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, 0, DNNL_ARG_DIFF_DST },
};

/* Gradients by weights and bias, in oneDNN's layout. */
struct gradients {
	float *weights, *bias;
};

/* What a thread has for itself. */
struct worker {
	dnnl_memory_t memory[ROLES];
	dnnl_memory_t scratch, copy_scratch;
	float *scratch_data, *copy_scratch_data;
	struct gradients batch, sum;
	dnnl_memory_t given; /* x as given, where oneDNN likes it better */
	float *copy;         /* in another layout */
};

struct cpu_convolution {
	enum cpu_direction direction;
	struct op op;
	struct op copy; /* of x */
	layout plain;   /* of the weights; oneDNN's may be another: */
	float *weights;
	size_t n_weights, n_bias; /* floats, in oneDNN's layout */
	int workers;
	struct worker *worker;
};

static layout wanted(const struct cpu_convolution *v, enum role role)
{
	return dnnl_primitive_desc_query_md(v->op.pd, dnnl_query_exec_arg_md,
		names[v->direction][role]);
}

static size_t floats_in(layout l)
{
	return dnnl_memory_desc_get_size(l) / sizeof(float);
}

/* Memory for what an op needs besides its arguments. */
static dnnl_memory_t new_scratch(struct kf_backend *b, const struct op *op,
	float **data)
{
	layout l = dnnl_primitive_desc_query_md(op->pd, dnnl_query_scratchpad_md, 0);

	if (!dnnl_memory_desc_get_size(l))
		return NULL;
	*data = cpu_floats(b, dnnl_memory_desc_get_size(l) / sizeof(float) + 1);
	return new_memory(b, l, *data);
}

static struct gradients new_gradients(struct kf_backend *b,
	const struct cpu_convolution *v)
{
	return (struct gradients){ cpu_floats(b, v->n_weights),
		cpu_floats(b, v->n_bias) };
}

static void make_worker(struct kf_backend *b, const struct cpu_convolution *v,
	struct worker *w, layout x)
{
	const float *data[ROLES] = { NULL, v->weights, NULL, NULL };

	if (v->direction == CPU_BY_WEIGHTS) {
		w->sum = new_gradients(b, v);
		w->batch = new_gradients(b, v);
		data[WEIGHTS] = w->batch.weights;
		data[BIAS] = w->batch.bias;
	}
	if (v->copy.p) {
		data[X] = w->copy = cpu_floats(b, floats_in(wanted(v, X)));
		w->given = new_memory(b, x, NULL);
		w->copy_scratch = new_scratch(b, &v->copy, &w->copy_scratch_data);
	}
	for (int i = 0; i < ROLES; i++)
		if (names[v->direction][i])
			w->memory[i] = new_memory(b, wanted(v, i), data[i]);
	w->scratch = new_scratch(b, &v->op, &w->scratch_data);
}

static void make(struct kf_backend *b, struct cpu_convolution *v,
	const struct cpu_shape *s, const struct cpu_convolution *forward)
{
	bool learn = v->direction == CPU_BY_WEIGHTS;
	dnnl_primitive_attr_t attr =
		new_attributes(b, s->relu && v->direction == CPU_FORWARD);
	const dnnl_dims_t units = { s->y.dims[1] };
	const layout x = describe_tensor(s->x.dims, s->x.block);
	const layout l[ROLES] = { describe_tensor(s->x.dims, learn ? 0 : s->x.block),
		describe_tensor(s->weights.dims, 0), new_layout(1, units, dnnl_a),
		describe_tensor(s->y.dims, s->y.block) };

	v->plain = describe_tensor(s->weights.dims, 1);
	if (good(b,
		    describe(&v->op.pd, cpu(b)->engine, v->direction, l, attr,
			    forward ? forward->op.pd : NULL),
		    "convolution"))
		good(b, dnnl_primitive_create(&v->op.p, v->op.pd), "convolution");
	if (!cpu(b)->failed && learn && !dnnl_memory_desc_equal(x, wanted(v, X)))
		make_reorder(b, &v->copy, x, wanted(v, X), attr);
	if (!cpu(b)->failed) {
		v->n_weights = floats_in(wanted(v, WEIGHTS));
		v->n_bias = floats_in(l[BIAS]);
		v->weights = cpu_floats(b, v->n_weights);
	}
	for (int i = 0; i < v->workers && !cpu(b)->failed; i++)
		make_worker(b, v, &v->worker[i], x);
	for (int i = 0; i < ROLES; i++)
		free_layout(l[i]);
	free_layout(x);
	if (attr)
		dnnl_primitive_attr_destroy(attr);
}

struct cpu_convolution *cpu_new_convolution(struct kf_backend *b,
	enum cpu_direction direction, const struct cpu_shape *shape,
	const struct cpu_convolution *forward)
{
	struct cpu_convolution *v = calloc(1, sizeof *v);
	int threads = omp_get_max_threads();

	if (!v || !(v->worker = calloc((size_t)threads, sizeof *v->worker))) {
		cpu_fail(b, "out of memory");
		free(v);
		return NULL;
	}
	v->direction = direction;
	v->workers = threads;
	omp_set_num_threads(1); /* oneDNN plans for the threads that it sees */
	make(b, v, shape, forward);
	omp_set_num_threads(threads);
	return v;
}

static void free_worker(struct worker *w)
{
	for (int i = 0; i < ROLES; i++)
		free_memory(w->memory[i]);
	free_memory(w->scratch);
	free_memory(w->copy_scratch);
	free_memory(w->given);
	free(w->scratch_data);
	free(w->copy_scratch_data);
	free(w->copy);
	free(w->batch.weights);
	free(w->batch.bias);
	free(w->sum.weights);
	free(w->sum.bias);
}

void cpu_free_convolution(struct cpu_convolution *v)
{
	if (!v)
		return;
	for (int i = 0; i < v->workers; i++)
		free_worker(&v->worker[i]);
	free(v->worker);
	free(v->weights);
	free_layout(v->plain);
	free_op(&v->copy);
	free_op(&v->op);
	free(v);
}

void cpu_begin(struct kf_backend *b, struct cpu_convolution *v, const float *weights)
{
	if (cpu(b)->failed)
		return;
	if (v->direction != CPU_BY_WEIGHTS) {
		reorder(b, v->plain, weights, wanted(v, WEIGHTS), v->weights);
		return;
	}
	for (int i = 0; i < v->workers; i++) {
		memset(v->worker[i].sum.weights, 0, v->n_weights * sizeof(float));
		memset(v->worker[i].sum.bias, 0, v->n_bias * sizeof(float));
	}
}

CPU_CLONES
static void add_to(float *sum, const float *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum[i] += v[i];
}

static void add_gradients(const struct cpu_convolution *v, const struct gradients *to,
	const struct gradients *from)
{
	add_to(to->weights, from->weights, v->n_weights);
	add_to(to->bias, from->bias, v->n_bias);
}

/* x in oneDNN's layout. */
static void copy_x(struct kf_backend *b, struct cpu_convolution *v, struct worker *w,
	float *x)
{
	struct arguments a = { 0 };

	good(b, dnnl_memory_set_data_handle(w->given, x), "memory");
	add(&a, DNNL_ARG_FROM, w->given);
	add(&a, DNNL_ARG_TO, w->memory[X]);
	add(&a, DNNL_ARG_SCRATCHPAD, w->copy_scratch);
	execute(b, v->copy.p, &a);
}

void cpu_convolve(struct kf_backend *b, struct cpu_convolution *v, int thread, float *x,
	const float *bias, float *y)
{
	struct worker *w = &v->worker[thread];
	struct arguments a = { 0 };

	if (cpu(b)->failed)
		return;
	if (v->copy.p)
		copy_x(b, v, w, x);
	else
		good(b, dnnl_memory_set_data_handle(w->memory[X], x), "memory");
	if (v->direction == CPU_FORWARD)
		good(b, dnnl_memory_set_data_handle(w->memory[BIAS], (void *)bias),
			"memory");
	good(b, dnnl_memory_set_data_handle(w->memory[Y], y), "memory");
	for (int i = 0; i < ROLES; i++)
		add(&a, names[v->direction][i], w->memory[i]);
	add(&a, DNNL_ARG_SCRATCHPAD, w->scratch);
	execute(b, v->op.p, &a);
	if (v->direction == CPU_BY_WEIGHTS)
		add_gradients(v, &w->sum, &w->batch);
}

void cpu_end(struct kf_backend *b, struct cpu_convolution *v, float *weights,
	float *bias)
{
	const struct gradients *sum = &v->worker[0].sum;

	if (cpu(b)->failed)
		return;
	for (int i = 1; i < v->workers; i++)
		add_gradients(v, sum, &v->worker[i].sum);
	reorder(b, wanted(v, WEIGHTS), sum->weights, v->plain, weights);
	memcpy(bias, sum->bias, v->n_bias * sizeof *bias);
}
