/*
 * Every operation of a backend against plain loops in double precision, at
 * odd sizes, and gradients against finite differences of those loops.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net/backend.h"
#include "no_leak_check.h"
#include "base/rng.h"
#include "tap.h"

static struct kf_backend *b;

/* -- helpers ------------------------------------------------------------------- */

/* n numbers from -1 to 1; each `what` has its own. */
static float *numbers(size_t n, uint32_t what)
{
	float *v = malloc((n + 1) * sizeof *v);

	kf_rng_fill_uniform(v, n, 1, 7, KF_RNG_SYNTH, what, 0);
	return v;
}

static double *zeros(size_t n)
{
	return calloc(n + 1, sizeof(double));
}

/* The largest difference, relative to the largest value. */
static double difference(const float *got, const double *want, size_t n)
{
	double d = 0, scale = 1e-30;

	for (size_t i = 0; i < n; i++) {
		if (!(fabs(got[i] - want[i]) <= d))
			d = fabs(got[i] - want[i]);
		if (fabs(want[i]) > scale)
			scale = fabs(want[i]);
	}
	return d / scale;
}

static bool same(const float *got, const double *want, size_t n, double limit)
{
	double d = difference(got, want, n);

	if (!(d <= limit))
		note("relative difference %g", d);
	return d <= limit;
}

static struct kf_mem *upload(const float *v, size_t n)
{
	struct kf_mem *m = b->op->alloc(b, n);

	b->op->write(b, m, 0, v, n);
	return m;
}

static float *download(const struct kf_mem *m, size_t offset, size_t n)
{
	float *v = malloc((n + 1) * sizeof *v);

	b->op->read(b, m, offset, v, n);
	return v;
}

static bool healthy(void)
{
	struct kf_err err;

	if (b->op->sync(b, &err) == 0)
		return true;
	note("%s", err.msg);
	return false;
}

/* -- layers -------------------------------------------------------------------- */

struct layer_case {
	int n, c, h, w;
	const char *line;
};

/* One layer in double precision; shapes as in struct kf_layer. */
struct reference {
	int n;
	const struct kf_layer *l;
	const double *x;
	double *weight, *bias;
	const struct kf_pass *pass;
};

static size_t outputs(const struct reference *r)
{
	return (size_t)(r->n * kf_layer_outputs(r->l));
}

static double activate(double v, enum kf_activation f)
{
	switch (f) {
	case KF_LINEAR: return v;
	case KF_RELU: return v > 0 ? v : 0;
	case KF_LEAKYRELU: return v < 0 ? 0.01 * v : v;
	case KF_TANH: return tanh(v);
	case KF_SIGMOID: return 1 / (1 + exp(-v));
	}
	return NAN;
}

/* f'(v), given f(v) */
static double slope(double y, enum kf_activation f)
{
	switch (f) {
	case KF_LINEAR: return 1;
	case KF_RELU: return y > 0;
	case KF_LEAKYRELU: return y < 0 ? 0.01 : 1;
	case KF_TANH: return 1 - y * y;
	case KF_SIGMOID: return y * (1 - y);
	}
	return NAN;
}

/*
 * Calls with each pair of an output and an input that it depends on, and the
 * weight between them (-1 where it is factor()): all that forward and backward need.
 */
typedef void (*visit)(void *context, size_t y, size_t x, long weight);

static void visit_dense(const struct reference *r, visit f, void *context)
{
	size_t in = (size_t)kf_layer_inputs(r->l);
	size_t out = (size_t)kf_layer_outputs(r->l);

	for (size_t i = 0; i < (size_t)r->n; i++)
		for (size_t o = 0; o < out; o++)
			for (size_t k = 0; k < in; k++)
				f(context, i * out + o, i * in + k, (long)(o * in + k));
}

/* The index of value (i, c, h, w) in images of this shape. */
static size_t number(const int shape[3], int i, int c, int h, int w)
{
	return (size_t)(((i * shape[0] + c) * shape[1] + h) * shape[2] + w);
}

/* One output of a convolution: all inputs that it depends on. */
static void visit_field(const struct reference *r, visit f, void *context, int i, int o,
	int h, int w)
{
	int k = r->l->kernel, channels = r->l->in[0];

	for (int c = 0; c < channels; c++)
		for (int a = 0; a < k; a++)
			for (int b = 0; b < k; b++)
				f(context, number(r->l->out, i, o, h, w),
					number(r->l->in, i, c, h + a, w + b),
					((o * channels + c) * k + a) * k + b);
}

static void visit_conv(const struct reference *r, visit f, void *context)
{
	const int *out = r->l->out;

	for (int i = 0; i < r->n; i++)
		for (int o = 0; o < out[0]; o++)
			for (int h = 0; h < out[1]; h++)
				for (int w = 0; w < out[2]; w++)
					visit_field(r, f, context, i, o, h, w);
}

/* The first of the largest values of a window at (h, w) in k x k steps. */
static size_t largest(const struct reference *r, int i, int c, int h, int w)
{
	int k = r->l->kernel;
	size_t best = number(r->l->in, i, c, h * k, w * k);

	for (int a = 0; a < k; a++)
		for (int b = 0; b < k; b++) {
			size_t at = number(r->l->in, i, c, h * k + a, w * k + b);

			if (r->x[at] > r->x[best])
				best = at;
		}
	return best;
}

static void visit_pool(const struct reference *r, visit f, void *context)
{
	const int *out = r->l->out;

	for (int i = 0; i < r->n; i++)
		for (int c = 0; c < out[0]; c++)
			for (int h = 0; h < out[1]; h++)
				for (int w = 0; w < out[2]; w++)
					f(context, number(out, i, c, h, w),
						largest(r, i, c, h, w), -1);
}

static void visit_drop(const struct reference *r, visit f, void *context)
{
	for (size_t i = 0; i < outputs(r); i++)
		if (!r->pass->train ||
			kf_rng_u32(r->pass->seed, KF_RNG_DROPOUT, (uint32_t)r->l->index,
				r->pass->step, i) >= (uint32_t)(r->l->drop * 0x1p32))
			f(context, i, i, -1);
}

static void visit_all(const struct reference *r, visit f, void *context)
{
	typedef void visit_layer(const struct reference *, visit, void *);
	static visit_layer *const by_kind[KF_LAYER_KIND_COUNT] = {
#define ROW(NAME, word, ...) [KF_##NAME] = visit_##word,
		KF_LAYER_KINDS(ROW)
#undef ROW
	};

	by_kind[r->l->kind](r, f, context);
}

struct sums {
	const struct reference *r;
	double *y;        /* forward */
	const double *dy; /* backward, before the activation */
	double *dx, *dw;
};

/* What inputs are multiplied by in a layer without weights. */
static double factor(const struct reference *r)
{
	switch (r->l->kind) {
	case KF_DROP: return r->pass->train ? 1 / (1 - r->l->drop) : 1;
	case KF_DENSE:
	case KF_CONV:
	case KF_POOL: return 1;
	}
	return NAN;
}

static void add_forward(void *context, size_t y, size_t x, long w)
{
	struct sums *s = context;

	s->y[y] += s->r->x[x] * (w < 0 ? factor(s->r) : s->r->weight[w]);
}

static void add_backward(void *context, size_t y, size_t x, long w)
{
	struct sums *s = context;

	s->dx[x] += s->dy[y] * (w < 0 ? factor(s->r) : s->r->weight[w]);
	if (w >= 0)
		s->dw[w] += s->dy[y] * s->r->x[x];
}

/* Which channel an output belongs to. */
static size_t channel(const struct reference *r, size_t y)
{
	return y / (size_t)(r->l->out[1] * r->l->out[2]) % (size_t)r->l->out[0];
}

static void reference_forward(const struct reference *r, double *y)
{
	struct sums s = { .r = r, .y = y };

	for (size_t i = 0; i < outputs(r); i++)
		y[i] = r->bias ? r->bias[channel(r, i)] : 0;
	visit_all(r, add_forward, &s);
	for (size_t i = 0; i < outputs(r); i++)
		y[i] = activate(y[i], r->l->activation);
}

static void reference_backward(const struct reference *r, const double *y,
	const float *dy, double *dw, double *db, double *dx)
{
	double *inner = zeros(outputs(r));
	struct sums s = { .r = r, .dy = inner, .dx = dx, .dw = dw };

	for (size_t i = 0; i < outputs(r); i++) {
		inner[i] = dy[i] * slope(y[i], r->l->activation);
		if (r->bias)
			db[channel(r, i)] += inner[i];
	}
	visit_all(r, add_backward, &s);
	free(inner);
}

/* sum y dy, whose gradient reference_backward computes */
static double value(const struct reference *r, const float *dy)
{
	double *y = zeros(outputs(r)), sum = 0;

	reference_forward(r, y);
	for (size_t i = 0; i < outputs(r); i++)
		sum += y[i] * dy[i];
	free(y);
	return sum;
}

/* A few weights' gradients against (f(w + h) - f(w - h)) / 2h. */
static bool finite_differences(const struct reference *r, const float *dy,
	const float *dw, size_t count)
{
	double got[8], h = 1e-6;
	float have[8];
	size_t tries = count < 8 ? count : 8;

	for (size_t i = 0; i < tries; i++) {
		double *w = &r->weight[i * 7919 % count], keep = *w, up, down;

		*w = keep + h;
		up = value(r, dy);
		*w = keep - h;
		down = value(r, dy);
		*w = keep;
		got[i] = (up - down) / (2 * h);
		have[i] = dw[w - r->weight];
	}
	return same(have, got, tries, 1e-5);
}

static double *widen(const float *v, size_t n)
{
	double *d = zeros(n);

	for (size_t i = 0; i < n; i++)
		d[i] = v[i];
	return d;
}

/* The backend's side of a case: one layer with all that it works on. */
struct device_layer {
	struct kf_plan *plan;
	struct kf_mem *data, *weights, *grads;
	struct kf_act *x, *y, *dy, *dx;
};

static struct device_layer make_device_layer(const struct layer_case *t,
	const struct kf_layers *l, const float *x, const float *w, const float *bias,
	const float *dy)
{
	const int shape[3] = { t->c, t->h, t->w };
	uint32_t *rows = calloc((size_t)t->n, sizeof *rows);
	struct device_layer d = { .data = upload(x,
					  (size_t)(t->n * t->c * t->h * t->w)),
		.weights = b->op->alloc(b, l->floats + 1),
		.grads = b->op->alloc(b, l->floats + 1) };

	for (int i = 0; i < l->n_params; i++) {
		b->op->write_param(b, d.weights, &l->param[i], i ? bias : w);
		/* of an earlier step: they must be overwritten */
		b->op->write_param(b, d.grads, &l->param[i], i ? bias : w);
	}
	for (int i = 0; i < t->n; i++)
		rows[i] = (uint32_t)i;
	d.plan = b->op->plan(b, &l->layer[0], l->param, t->n);
	d.x = b->op->input(b, t->n, shape);
	d.dx = b->op->input(b, t->n, shape);
	d.y = b->op->act(b, d.plan, NULL);
	d.dy = b->op->act(b, d.plan, NULL);
	b->op->take(b, d.x, d.data, rows, NULL);
	b->op->write_act(b, d.dx, x); /* gives it memory of its own */
	b->op->write_act(b, d.dy, dy);
	free(rows);
	return d;
}

static void free_device_layer(struct device_layer *d)
{
	b->op->free_act(b, d->x);
	b->op->free_act(b, d->dx);
	b->op->free_act(b, d->y);
	b->op->free_act(b, d->dy);
	b->op->free_plan(b, d->plan);
	b->op->free(b, d->data);
	b->op->free(b, d->weights);
	b->op->free(b, d->grads);
}

/* Parameters read back, and their gradients. */
static void test_params(const struct kf_layers *l, const struct device_layer *d,
	const struct reference *r, const float *w, const float *dy, const double *dw,
	const double *db)
{
	float *got = malloc((l->floats + 1) * sizeof *got);
	size_t n = l->param[0].count;

	b->op->read_param(b, d->grads, &l->param[1], got);
	ok(same(got, db, l->param[1].count, 3e-6), "gradient by bias");
	b->op->read_param(b, d->grads, &l->param[0], got);
	ok(same(got, dw, n, 1e-5), "gradient by weights");
	ok(finite_differences(r, dy, got, n), "gradient as by finite differences");
	b->op->read_param(b, d->weights, &l->param[0], got);
	ok(!memcmp(got, w, n * sizeof *w), "weights read back as written");
	free(got);
}

static void test_layer(const struct layer_case *t)
{
	struct kf_pass pass = { .train = true,
		.seed = (uint64_t)6 << 32 | 5,
		.step = 3 };
	size_t n_x = (size_t)(t->n * t->c * t->h * t->w), n_y;
	struct reference r = { .n = t->n, .pass = &pass };
	struct kf_layers l;
	struct kf_err err;
	struct device_layer d;
	float *x, *w, *bias, *dy, *got;
	double *x64, *y, *dw, *db, *dx;

	if (!ok(kf_layers_parse(&l, t->line, t->c, t->h, t->w, 0, &err) == 0,
		    "'%s' on %d x %d x %d x %d", t->line, t->n, t->c, t->h, t->w)) {
		note("%s", err.msg);
		return;
	}
	r.l = &l.layer[0];
	n_y = outputs(&r);
	x = numbers(n_x, 1);
	for (size_t i = 0; l.layer[0].kind == KF_POOL && i < n_x; i++)
		x[i] = roundf(2 * x[i]); /* of equal ones the first counts */
	r.x = x64 = widen(x, n_x);
	w = numbers(l.floats, 2);
	bias = numbers(l.floats, 3);
	dy = numbers(n_y, 4);
	if (l.n_params) {
		r.weight = widen(w, l.param[0].count);
		r.bias = widen(bias, l.param[1].count);
	}
	y = zeros(n_y), dw = zeros(l.floats), db = zeros(l.floats), dx = zeros(n_x);
	got = malloc((n_x + n_y) * sizeof *got);

	d = make_device_layer(t, &l, x, w, bias, dy);
	b->op->forward(b, d.plan, &pass, d.weights, d.x, d.y);
	b->op->read_act(b, d.y, got);
	reference_forward(&r, y);
	ok(same(got, y, n_y, 3e-6), "forward");
	b->op->backward(b, d.plan, &pass, d.weights, d.grads, d.x, d.y, d.dy, d.dx);
	b->op->read_act(b, d.dx, got);
	reference_backward(&r, y, dy, dw, db, dx);
	ok(same(got, dx, n_x, 3e-6), "gradient by x");
	if (l.n_params)
		test_params(&l, &d, &r, w, dy, dw, db);
	pass.train = false;
	b->op->forward(b, d.plan, &pass, d.weights, d.x, d.y);
	b->op->read_act(b, d.y, got);
	reference_forward(&r, y);
	ok(same(got, y, n_y, 3e-6) && healthy(), "forward, not training");

	free_device_layer(&d);
	kf_layers_free(&l);
	free(x), free(w), free(bias), free(dy), free(got), free(r.weight);
	free(r.bias), free(x64), free(y), free(dw), free(db), free(dx);
}

/* -- nets ---------------------------------------------------------------------- */

#define LAYERS_MAX 12

/* A line of layers in double precision: values and gradients between them. */
struct reference_net {
	struct reference layer[LAYERS_MAX];
	double *y[LAYERS_MAX + 1], *dy[LAYERS_MAX + 1]; /* y[0] is the input */
	double *grads;                                  /* as l->floats are */
};

static float *narrow(const double *v, size_t n)
{
	float *f = malloc((n + 1) * sizeof *f);

	for (size_t i = 0; i < n; i++)
		f[i] = (float)v[i];
	return f;
}

static void run_reference(struct reference_net *net, const struct kf_layers *l, int n,
	const float *x, const float *weights, const float *dy,
	const struct kf_pass *pass)
{
	size_t n_x = (size_t)n * (size_t)kf_layer_inputs(&l->layer[0]);

	*net = (struct reference_net){ .grads = zeros(l->floats) };
	net->y[0] = widen(x, n_x);
	net->dy[0] = zeros(n_x);
	for (int i = 0; i < l->n; i++) {
		const struct kf_layer *layer = &l->layer[i];
		struct reference *r = &net->layer[i];

		*r = (struct reference){ .n = n,
			.l = layer,
			.x = net->y[i],
			.pass = pass };
		if (layer->weight >= 0) {
			const struct kf_param *p = &l->param[layer->weight];

			r->weight = widen(weights + p->offset, p->count + p[1].count);
			r->bias = r->weight + p->count;
		}
		net->y[i + 1] = zeros(outputs(r));
		net->dy[i + 1] = zeros(outputs(r));
		reference_forward(r, net->y[i + 1]);
	}
	for (size_t i = 0; i < outputs(&net->layer[l->n - 1]); i++)
		net->dy[l->n][i] = dy[i];
	for (int i = l->n; i > 0; i--) {
		const struct kf_layer *layer = &l->layer[i - 1];
		float *above = narrow(net->dy[i], outputs(&net->layer[i - 1]));
		double *dw = net->grads +
			(layer->weight < 0 ? 0 : l->param[layer->weight].offset);
		double *db = net->grads +
			(layer->bias < 0 ? 0 : l->param[layer->bias].offset);

		reference_backward(&net->layer[i - 1], net->y[i], above, dw, db,
			net->dy[i - 1]);
		free(above);
	}
}

static void free_reference(struct reference_net *net, const struct kf_layers *l)
{
	for (int i = 0; i <= l->n; i++) {
		free(net->y[i]);
		free(net->dy[i]);
		if (i < l->n)
			free(net->layer[i].weight);
	}
	free(net->grads);
}

/* The backend's side: what a net keeps for a batch. */
struct device_net {
	struct kf_plan *plan[LAYERS_MAX];
	struct kf_act *y[LAYERS_MAX + 1], *dy[LAYERS_MAX + 1];
	struct kf_mem *data, *weights, *grads;
};

static void run_device(struct device_net *net, const struct kf_layers *l, int n,
	const float *x, const float *weights, const float *dy,
	const struct kf_pass *pass)
{
	const int shape[3] = { l->c, l->h, l->w };
	size_t n_x = (size_t)n * (size_t)kf_layer_inputs(&l->layer[0]);
	uint32_t *rows = calloc((size_t)n, sizeof *rows);

	*net = (struct device_net){ .data = upload(x, n_x),
		.weights = b->op->alloc(b, l->floats),
		.grads = b->op->alloc(b, l->floats) };
	for (int i = 0; i < n; i++)
		rows[i] = (uint32_t)i;
	for (int i = 0; i < l->n_params; i++)
		b->op->write_param(b, net->weights, &l->param[i],
			weights + l->param[i].offset);
	net->y[0] = b->op->input(b, n, shape);
	net->dy[0] = b->op->input(b, n, shape);
	b->op->write_act(b, net->dy[0], x); /* gives it memory of its own */
	b->op->take(b, net->y[0], net->data, rows, NULL);
	for (int i = 0; i < l->n; i++) {
		net->plan[i] = b->op->plan(b, &l->layer[i], l->param, n);
		net->y[i + 1] = b->op->act(b, net->plan[i], NULL);
		net->dy[i + 1] = b->op->act(b, net->plan[i], NULL);
		b->op->forward(b, net->plan[i], pass, net->weights, net->y[i],
			net->y[i + 1]);
	}
	b->op->write_act(b, net->dy[l->n], dy);
	for (int i = l->n; i > 0; i--)
		b->op->backward(b, net->plan[i - 1], pass, net->weights, net->grads,
			net->y[i - 1], net->y[i], net->dy[i], net->dy[i - 1]);
	free(rows);
}

static void free_device(struct device_net *net, const struct kf_layers *l)
{
	for (int i = 0; i <= l->n; i++) {
		b->op->free_act(b, net->y[i]);
		b->op->free_act(b, net->dy[i]);
		if (i < l->n)
			b->op->free_plan(b, net->plan[i]);
	}
	b->op->free(b, net->data);
	b->op->free(b, net->weights);
	b->op->free(b, net->grads);
}

/* Whether all parameters' gradients are the reference's. */
static bool same_grads(const struct kf_layers *l, const struct device_net *device,
	const double *grads)
{
	bool good = true;

	for (int i = 0; good && i < l->n_params; i++) {
		const struct kf_param *p = &l->param[i];
		float *got = malloc((p->count + 1) * sizeof *got);

		b->op->read_param(b, device->grads, p, got);
		good = same(got, grads + p->offset, p->count, 2e-5);
		if (!good)
			note("%s", p->name);
		free(got);
	}
	return good;
}

/* Layers one after another: what a layer does depends on its neighbours, too. */
static void test_net(const struct layer_case *t)
{
	struct kf_pass pass = { .train = true, .seed = 9, .step = 2 };
	struct reference_net want;
	struct device_net got;
	struct kf_layers l;
	struct kf_err err;
	size_t n_x = (size_t)(t->n * t->c * t->h * t->w), n_y;
	float *x = numbers(n_x, 21), *w, *dy, *values;

	kf_layers_parse(&l, t->line, t->c, t->h, t->w, 0, &err);
	w = numbers(l.floats, 22);
	for (size_t i = 0; i < l.floats; i++)
		w[i] *= 0.2f; /* a saturated tanh's gradient would lose its digits */
	n_y = (size_t)t->n * (size_t)kf_layer_outputs(&l.layer[l.n - 1]);
	dy = numbers(n_y, 23);
	values = malloc((n_x + n_y) * sizeof *values);
	run_reference(&want, &l, t->n, x, w, dy, &pass);
	run_device(&got, &l, t->n, x, w, dy, &pass);
	b->op->read_act(b, got.y[l.n], values);
	ok(same(values, want.y[l.n], n_y, 1e-5), "'%s': outputs", t->line);
	b->op->read_act(b, got.dy[0], values);
	ok(same(values, want.dy[0], n_x, 2e-5), "gradient by the input");
	ok(same_grads(&l, &got, want.grads) && healthy(), "gradients by weights");
	free_reference(&want, &l);
	free_device(&got, &l);
	kf_layers_free(&l);
	free(x), free(w), free(dy), free(values);
}

/* -- batches ------------------------------------------------------------------- */

static void test_take(void)
{
	static const uint32_t orders[][4] = { { 0, 1, 2, 3 }, { 5, 6, 7, 8 },
		{ 8, 2, 2, 0 }, { 3, 4, 6, 5 }, { 3, 5, 5, 6 }, { 3, 4, 5, 7 } };
	size_t row = 37;
	float *v = numbers(9 * row, 5), got[4 * 37];
	struct kf_mem *m = upload(v, 9 * row);
	struct kf_act *a = b->op->input(b, 4, (const int[]){ 1, 1, (int)row });

	for (size_t k = 0; k < sizeof orders / sizeof *orders; k++) {
		bool good = true;

		b->op->take(b, a, m, orders[k], NULL);
		b->op->read_act(b, a, got);
		for (size_t i = 0; i < 4; i++)
			good &= !memcmp(got + i * row, v + orders[k][i] * row,
				row * sizeof *v);
		ok(good && healthy(), "take rows %u %u %u %u", orders[k][0],
			orders[k][1], orders[k][2], orders[k][3]);
	}
	b->op->free_act(b, a);
	b->op->free(b, m);
	free(v);
}

/* Memory is zero except where it is written. */
static void test_write(size_t n)
{
	float *v = numbers(n + 5, 16), *got;
	struct kf_mem *m = b->op->alloc(b, n + 5);

	memset(v, 0, 3 * sizeof *v);
	memset(v + 3 + n, 0, 2 * sizeof *v);
	b->op->write(b, m, 3, v + 3, n);
	got = download(m, 0, n + 5);
	ok(!memcmp(got, v, (n + 5) * sizeof *v) && healthy(), "write %zu of %zu floats",
		n, n + 5);
	b->op->free(b, m);
	free(v), free(got);
}

/* An act that shares the memory of one for fewer or more rows. */
static void test_lender(int n, int lender_n)
{
	const struct kf_pass pass = { .train = false };
	size_t n_x = (size_t)n * 5 * 3 * 3, n_y = (size_t)n * 5 * 2 * 2;
	float *x = numbers(n_x, 14), *w = numbers(5 * 5 * 4, 15), *got[2];
	struct kf_mem *weights = b->op->alloc(b, 5 * 5 * 4 + 5);
	struct kf_plan *plan, *lender_plan;
	struct kf_act *a, *lender, *y[2];
	struct kf_layers l;
	struct kf_err err;

	kf_layers_parse(&l, "conv5x2 relu", 5, 3, 3, 0, &err);
	b->op->write_param(b, weights, &l.param[0], w);
	plan = b->op->plan(b, &l.layer[0], l.param, n);
	lender_plan = b->op->plan(b, &l.layer[0], l.param, lender_n);
	lender = b->op->act(b, lender_plan, NULL);
	a = b->op->input(b, n, (const int[]){ 5, 3, 3 });
	b->op->write_act(b, a, x);
	for (int i = 0; i < 2; i++) {
		y[i] = b->op->act(b, plan, i ? lender : NULL);
		got[i] = malloc(n_y * sizeof **got);
		b->op->forward(b, plan, &pass, weights, a, y[i]);
		b->op->read_act(b, y[i], got[i]);
		b->op->free_act(b, y[i]);
	}
	ok(!memcmp(got[0], got[1], n_y * sizeof **got) && healthy(),
		"%d rows in the memory of %d, or their own", n, lender_n);
	b->op->free_act(b, a);
	b->op->free_act(b, lender);
	b->op->free_plan(b, plan);
	b->op->free_plan(b, lender_plan);
	b->op->free(b, weights);
	kf_layers_free(&l);
	free(x), free(w), free(got[0]), free(got[1]);
}

static void test_copy(size_t n)
{
	float *v = numbers(n + 3, 12), *w = numbers(n + 3, 13), *got;
	struct kf_mem *from = upload(v, n + 3), *to = upload(w, n + 3);

	b->op->copy(b, to, from, n);
	got = download(to, 0, n + 3);
	ok(!memcmp(got, v, n * sizeof *v) && !memcmp(got + n, w + n, 3 * sizeof *w) &&
			healthy(),
		"copy %zu of %zu floats", n, n + 3);
	free(got);
	got = download(from, 0, n + 3);
	ok(!memcmp(got, v, (n + 3) * sizeof *v), "and leave their source alone");
	b->op->free(b, from);
	b->op->free(b, to);
	free(v), free(w), free(got);
}

/* One kf_mem shows arrays of several lengths, and does not free them. */
static void test_show(void)
{
	static const size_t sizes[] = { 5, 3, 200000, 7 };
	struct kf_mem *m = NULL;
	float *v[4], *got;

	for (size_t i = 0; i < 4; i++) {
		v[i] = numbers(sizes[i], 20 + (uint32_t)i);
		m = b->op->show(b, m, v[i], sizes[i]);
		ok(m != NULL, "%zu floats of another's", sizes[i]);
		got = download(m, 0, sizes[i]);
		ok(!memcmp(got, v[i], sizes[i] * sizeof *got) && healthy(),
			"as they are");
		free(got);
	}
	b->op->free(b, m);
	for (size_t i = 0; i < 4; i++)
		free(v[i]);
}

/* -- warps --------------------------------------------------------------------- */

struct warp_case {
	int c, h, w;
};

/* From the pixel nearest to (x, y) of one channel (h, w). */
static double edge(const float *v, int h, int w, double x, double y)
{
	int i = (int)fmin(fmax(y, 0), h - 1), j = (int)fmin(fmax(x, 0), w - 1);

	return v[i * w + j];
}

/* One value of a warped channel, as struct kf_warp describes it. */
static double reference_warp(const float *v, int h, int w, const struct kf_warp *warp,
	int x, int y)
{
	const float *m = warp->m;
	double fx = (double)m[0] * x + (double)m[1] * y + m[2];
	double fy = (double)m[3] * x + (double)m[4] * y + m[5], sum = 0;

	for (int k = 0; k < 4; k++) { /* the four pixels around */
		double px = floor(fx) + k % 2, py = floor(fy) + k / 2;

		sum += edge(v, h, w, px, py) * (1 - fabs(fx - px)) *
			(1 - fabs(fy - py));
	}
	if (warp->contrast != 1)
		sum = fmin(fmax((sum - 0.5) * warp->contrast + 0.5, 0), 1);
	return sum;
}

/* Takes rows of v through warps, and compares with the reference. */
static bool warps_well(const struct warp_case *t, const float *v, int n,
	const uint32_t *rows, const struct kf_warp *warps, double limit)
{
	size_t area = (size_t)(t->h * t->w), row = (size_t)t->c * area;
	float *got = malloc((size_t)n * row * sizeof *got);
	double *want = zeros((size_t)n * row);
	struct kf_mem *m = upload(v, 9 * row);
	struct kf_act *a = b->op->input(b, n, (const int[]){ t->c, t->h, t->w });
	bool good;

	for (size_t i = 0; i < (size_t)n * row; i++) {
		const float *from = v + rows[i / row] * row + i % row / area * area;

		want[i] = reference_warp(from, t->h, t->w, &warps[i / row],
			(int)(i % (size_t)t->w), (int)(i % area) / t->w);
	}
	b->op->take(b, a, m, rows, warps);
	b->op->read_act(b, a, got);
	good = same(got, want, (size_t)n * row, limit) && healthy();
	b->op->free_act(b, a);
	b->op->free(b, m);
	free(got), free(want);
	return good;
}

static void test_warp(const struct warp_case *t)
{
	static const uint32_t rows[] = { 8, 2, 2, 0, 5 }, inorder[] = { 0, 1, 2, 3, 4 };
	float w = (float)t->w, h = (float)t->h, *v;
	const struct kf_warp plain = { { 1, 0, 0, 0, 1, 0 }, 1 };
	const struct kf_warp flip = { { -1, 0, w - 1, 0, 1, 0 }, 1 };
	const struct kf_warp exact[] = { plain, flip, plain, flip, flip };
	const struct kf_warp any[] = {
		{ { 1, 0, 1.375f, 0, 1, -2.75f }, 1 },            /* shifted */
		{ { .96f, .28f, -1, -.28f, .96f, h / 4 }, 1.5f }, /* turned */
		{ { -.8f, 0, w, 0, 1.25f, -1 }, .7f },            /* flipped, scaled */
		{ { 1, 0, 3 * w, 0, 1, -3 * h }, 1 },             /* out of sight */
		{ { .5f, -.5f, w / 2, .5f, .5f, -.125f }, 0 },    /* all grey */
	};

	v = numbers(9 * (size_t)(t->c * t->h * t->w), 9);
	ok(warps_well(t, v, 5, rows, exact, 0) &&
			warps_well(t, v, 5, inorder, exact, 0),
		"take rows of %d x %d x %d, flipped or not, exactly", t->c, t->h, t->w);
	ok(warps_well(t, v, 5, rows, any, 3e-5) &&
			warps_well(t, v, 1, rows, any + 1, 3e-5),
		"and shifted, turned, scaled, in other contrast");
	free(v);
}

/* Many rows at once, of one pixel. */
static void test_many_rows(int n)
{
	static const struct warp_case t = { 1, 1, 1 };
	uint32_t *rows = calloc((size_t)n, sizeof *rows);
	struct kf_warp *warps = calloc((size_t)n, sizeof *warps);
	float *v = numbers(9, 17);

	for (int i = 0; i < n; i++) {
		rows[i] = (uint32_t)(i * 7 % 9);
		warps[i] = (struct kf_warp){ { 1, 0, 0, 0, 1, 0 }, i % 2 ? 1 : .5f };
	}
	ok(warps_well(&t, v, n, rows, warps, 1e-6), "take %d rows, warped", n);
	free(rows), free(warps), free(v);
}

/* -- losses -------------------------------------------------------------------- */

/* missing: every missing-th target is NaN; 0 for none */
static void test_squared_error(int n, int m, int missing)
{
	size_t count = (size_t)(n * m), present = 0;
	float *p = numbers(count, 6), *t = numbers(2 * count, 7), loss[3];
	float *got = malloc(count * sizeof *got);
	double *dp = zeros(count), sum = 0, want[1];
	uint32_t *rows = calloc((size_t)n, sizeof *rows);
	struct kf_mem *targets, *losses = b->op->alloc(b, 3);
	struct kf_act *a_p = b->op->input(b, n, (const int[]){ m, 1, 1 });
	struct kf_act *a_dp = b->op->input(b, n, (const int[]){ m, 1, 1 });

	for (int i = 0; i < n; i++)
		rows[i] = (uint32_t)(2 * (n - 1 - i)); /* out of order */
	for (size_t i = 0; missing && i < 2 * count; i += (size_t)missing)
		t[i] = NAN;
	for (size_t i = 0; i < count; i++)
		present += !isnan(t[rows[i / (size_t)m] * (size_t)m + i % (size_t)m]);
	for (size_t i = 0; i < count; i++) {
		double e = p[i] - t[rows[i / (size_t)m] * (size_t)m + i % (size_t)m];

		if (isnan(e))
			continue;
		sum += e * e;
		dp[i] = 2 * e / (double)present;
	}
	want[0] = sum / (double)present;
	targets = upload(t, 2 * count);
	b->op->write_act(b, a_p, p);
	b->op->write_act(b, a_dp, p);
	b->op->squared_error(b, a_p, targets, rows, (double)present, a_dp, losses, 1);
	b->op->squared_error(b, a_p, targets, rows, (double)present, NULL, losses, 2);
	b->op->read(b, losses, 0, loss, 3);
	b->op->read_act(b, a_dp, got);
	ok(loss[0] == 0 && same(&loss[1], want, 1, 1e-6) && loss[1] == loss[2],
		"squared error of %d x %d, every %dth missing", n, m, missing);
	ok(same(got, dp, count, 1e-6) && healthy(), "and its gradient");
	b->op->free_act(b, a_p);
	b->op->free_act(b, a_dp);
	b->op->free(b, targets);
	b->op->free(b, losses);
	free(p), free(t), free(got), free(dp), free(rows);
}

/* The mean of -log softmax(p)[label] over n rows. */
static double entropy(const double *p, const size_t *label, size_t n, size_t classes)
{
	double total = 0;

	for (size_t i = 0; i < n; i++) {
		const double *row = p + i * classes;
		double sum = 0;

		for (size_t j = 0; j < classes; j++)
			sum += exp(row[j] - row[label[i]]);
		total += log(sum);
	}
	return total / (double)n;
}

/* Its gradient with respect to p, by (f(p + h) - f(p - h)) / 2h. */
static double *entropy_gradient(double *p, const size_t *label, size_t n,
	size_t classes)
{
	double *dp = zeros(n * classes), h = 1e-5;

	for (size_t i = 0; i < n * classes; i++) {
		double *row = p + i / classes * classes, keep = p[i], up, down;

		/* the other rows' share is the same on both sides */
		p[i] = keep + h;
		up = entropy(row, &label[i / classes], 1, classes);
		p[i] = keep - h;
		down = entropy(row, &label[i / classes], 1, classes);
		p[i] = keep;
		dp[i] = (up - down) / (2 * h) / (double)n;
	}
	return dp;
}

/* Rows whose largest p, the first of equal ones, is at the label. */
static size_t count_hits(const float *p, const size_t *label, size_t n, size_t classes)
{
	size_t hits = 0;

	for (size_t i = 0; i < n; i++) {
		size_t best = 0;

		for (size_t j = 1; j < classes; j++)
			if (p[i * classes + j] > p[i * classes + best])
				best = j;
		hits += best == label[i];
	}
	return hits;
}

/* Outputs from -size to size; a float may not hold exp of them. */
static void test_cross_entropy(size_t n, size_t classes, float size)
{
	size_t count = n * classes, *label = calloc(n, sizeof *label);
	float *p = numbers(count, 10), *labels = numbers(2 * n, 11), loss[3], hits[3];
	float *got = malloc(count * sizeof *got);
	double *p64, *dp, want;
	uint32_t *rows = calloc(n, sizeof *rows);
	struct kf_mem *targets, *losses = b->op->alloc(b, 3), *hit = b->op->alloc(b, 3);
	struct kf_act *a_p =
		b->op->input(b, (int)n, (const int[]){ (int)classes, 1, 1 });
	struct kf_act *a_dp =
		b->op->input(b, (int)n, (const int[]){ (int)classes, 1, 1 });

	for (size_t i = 0; i < count; i++)
		p[i] *= size;
	for (size_t i = 0; i < 2 * n; i++)
		labels[i] = (float)(i * i % classes);
	for (size_t i = 0; i < n; i++) {
		rows[i] = (uint32_t)(2 * (n - 1 - i)); /* out of order */
		label[i] = (size_t)labels[rows[i]];
	}
	p64 = widen(p, count);
	dp = entropy_gradient(p64, label, n, classes);
	want = entropy(p64, label, n, classes);
	targets = upload(labels, 2 * n);
	b->op->write_act(b, a_p, p);
	b->op->write_act(b, a_dp, p);
	b->op->cross_entropy(b, a_p, targets, rows, a_dp, losses, hit, 1);
	b->op->cross_entropy(b, a_p, targets, rows, NULL, losses, hit, 2);
	b->op->read(b, losses, 0, loss, 3);
	b->op->read(b, hit, 0, hits, 3);
	b->op->read_act(b, a_dp, got);
	ok(loss[0] == 0 && fabs(loss[1] - want) <= 1e-6 * fabs(want) &&
			loss[1] == loss[2],
		"cross-entropy of %zu x %zu up to %g", n, classes, size);
	ok(hits[0] == 0 && hits[1] == hits[2] &&
			hits[1] == (float)count_hits(p, label, n, classes),
		"and its hits, %g", hits[1]);
	ok((classes == 1 ? got[0] == 0 : same(got, dp, count, 1e-5)) && healthy(),
		"and its gradient as by finite differences");
	b->op->free_act(b, a_p);
	b->op->free_act(b, a_dp);
	b->op->free(b, targets);
	b->op->free(b, losses);
	b->op->free(b, hit);
	free(p), free(labels), free(label), free(got), free(p64), free(dp), free(rows);
}

static void test_ties(void)
{
	static const float p[] = { 2, 2, 1, 1, 2, 2 }, labels[] = { 0, 2 };
	float hits;
	struct kf_act *a = b->op->input(b, 2, (const int[]){ 3, 1, 1 });
	struct kf_mem *targets = upload(labels, 2), *m = b->op->alloc(b, 2);

	b->op->write_act(b, a, p);
	b->op->cross_entropy(b, a, targets, (const uint32_t[]){ 0, 1 }, NULL, m, m, 1);
	b->op->read(b, m, 1, &hits, 1);
	ok(hits == 1 && healthy(), "of equal outputs the first counts");
	b->op->free_act(b, a);
	b->op->free(b, targets);
	b->op->free(b, m);
}

/* -- update rules -------------------------------------------------------------- */

/* One weight, in double precision, by Lasagne's formulas (lasagne/updates.py). */
static void reference_update(enum kf_rule rule, double rate, int t, double g, double *w,
	double *s, double *d)
{
	double mu = 0.9, rho = rule == KF_ADADELTA ? 0.95 : 0.9, b1 = 0.9, b2 = 0.999;
	double eps = 1e-6, u;

	switch (rule) {
	case KF_SGD: *w -= rate * g; break;
	case KF_MOMENTUM:
		*s = mu * *s - rate * g;
		*w += *s;
		break;
	case KF_NESTEROV:
		*s = mu * *s - rate * g;
		*w += mu * *s - rate * g;
		break;
	case KF_ADAGRAD:
		*s += g * g;
		*w -= rate * g / sqrt(*s + eps);
		break;
	case KF_RMSPROP:
		*s = rho * *s + (1 - rho) * g * g;
		*w -= rate * g / sqrt(*s + eps);
		break;
	case KF_ADADELTA:
		*s = rho * *s + (1 - rho) * g * g;
		u = g * sqrt(*d + eps) / sqrt(*s + eps);
		*w -= rate * u;
		*d = rho * *d + (1 - rho) * u * u;
		break;
	case KF_ADAM:
		*s = b1 * *s + (1 - b1) * g;
		*d = b2 * *d + (1 - b2) * g * g;
		*w -= rate * sqrt(1 - pow(b2, t)) / (1 - pow(b1, t)) * *s /
			(sqrt(*d) + 1e-8);
		break;
	case KF_ADAMAX:
		*s = b1 * *s + (1 - b1) * g;
		*d = fmax(b2 * *d, fabs(g));
		*w -= rate / (1 - pow(b1, t)) * *s / (*d + 1e-8);
		break;
	}
}

static void test_update(enum kf_rule rule, size_t n)
{
	float *w = numbers(n, 8), *g = NULL, *got;
	double *w64 = widen(w, n), *s64 = zeros(n), *d64 = zeros(n), rate = 0.01;
	struct kf_mem *weights = upload(w, n), *grads = b->op->alloc(b, n), *state[2];

	for (int i = 0; i < 2; i++)
		state[i] = i < kf_rule_states(rule) ? b->op->alloc(b, n) : NULL;
	for (int t = 1; t <= 5; t++) {
		struct kf_update u = kf_update(rule, rate, 0.9, 0.01, (uint64_t)t);

		free(g);
		g = numbers(n, 100 + (uint32_t)t);
		b->op->write(b, grads, 0, g, n);
		b->op->update(b, &u, weights, grads, state[0], state[1], n);
		for (size_t i = 0; i < n; i++)
			reference_update(rule, rate, t, g[i] + 0.01 * w64[i], &w64[i],
				&s64[i], &d64[i]);
	}
	got = download(weights, 0, n);
	ok(same(got, w64, n, 1e-6) && healthy(), "5 steps of %s on %zu weights",
		kf_rule_name(rule), n);
	b->op->free(b, weights);
	b->op->free(b, grads);
	b->op->free(b, state[0]);
	b->op->free(b, state[1]);
	free(w), free(g), free(got), free(w64), free(s64), free(d64);
}

/* Dead units' velocities must not stay denormal, in any thread. */
static void test_denormals(void)
{
	size_t n = 100000, denormal = 0;
	float *v = malloc(n * sizeof *v), *got;
	struct kf_update u = kf_update(KF_NESTEROV, 0.01, 0.5, 0, 1);
	struct kf_mem *weights = b->op->alloc(b, n), *grads = b->op->alloc(b, n);
	struct kf_mem *state;

	for (size_t i = 0; i < n; i++)
		v[i] = 1.5e-38f;
	state = upload(v, n);
	b->op->update(b, &u, weights, grads, state, NULL, n);
	got = download(state, 0, n);
	for (size_t i = 0; i < n; i++)
		denormal += fpclassify(got[i]) == FP_SUBNORMAL;
	ok(denormal == 0 && healthy(), "denormals are flushed to zero");
	b->op->free(b, weights);
	b->op->free(b, grads);
	b->op->free(b, state);
	free(v), free(got);
}

int main(void)
{
	static const struct layer_case cases[] = {
		{ 1, 1, 1, 1, "dense1" },
		{ 1, 1, 1, 7, "dense3 relu" },
		{ 3, 1, 1, 1, "dense5 tanh" },
		{ 5, 1, 5, 7, "dense13 sigmoid" },
		{ 33, 3, 1, 43, "dense67 relu" },
		{ 127, 1, 7, 43, "dense30" },
		{ 128, 1, 1, 577, "dense100 relu" },
		{ 6, 2, 3, 7, "dense17 leakyrelu" },
		{ 7, 19, 5, 3, "dense11 relu" },
		{ 4, 32, 3, 3, "dense10" },
		{ 1, 1, 1, 1, "conv1x1" },
		{ 3, 1, 9, 7, "conv5x3 relu" },
		{ 2, 3, 11, 10, "conv8x2 tanh" },
		{ 3, 8, 6, 7, "conv16x2 leakyrelu" },
		{ 5, 8, 7, 9, "conv16x3 relu" },
		{ 2, 13, 8, 8, "conv7x2 sigmoid" },
		{ 3, 16, 5, 5, "conv33x5 relu" },
		{ 2, 20, 6, 7, "conv24x1" },
		{ 4, 1, 96, 96, "conv32x3 relu" },
		{ 1, 1, 2, 2, "pool2" },
		{ 3, 5, 7, 9, "pool2" },
		{ 3, 16, 5, 5, "pool5" },
		{ 2, 21, 3, 3, "pool2" },
		{ 2, 37, 7, 5, "pool4" },
		{ 2, 16, 9, 11, "pool3" },
		{ 2, 21, 8, 8, "pool2" },
		{ 1, 1, 1, 3, "drop.5" },
		{ 7, 1, 1, 101, "drop.2" },
		{ 3, 5, 7, 9, "drop.5" },
		{ 2, 19, 5, 7, "drop.1" },
		{ 5, 32, 11, 11, "drop.3" },
	};
	/* All layers after each other, plain and in blocks of channels. */
	static const struct layer_case nets[] = {
		{ 3, 1, 12, 11, "conv8x3 relu pool2 conv16x2 relu pool2 dense5" },
		{ 2, 8, 13, 12,
			"conv16x3 relu pool2 drop.2 conv17x2 tanh pool2 drop.5 "
			"dense7 relu dense3" },
		{ 2, 1, 14, 14,
			"pool2 conv16x3 leakyrelu drop.3 pool2 conv32x2 sigmoid" },
		{ 3, 16, 9, 9,
			"drop.2 conv16x2 relu conv16x2 relu pool3 drop.1 dense4" },
		{ 2, 16, 20, 20, "conv16x3 relu pool16 dense6 tanh drop.5 dense2" },
		{ 2, 5, 8, 8, "dense40 relu drop.5 dense20 sigmoid dense3" },
	};
	static const struct warp_case warps[] = { { 1, 1, 1 }, { 1, 9, 7 },
		{ 1, 96, 96 }, { 3, 11, 10 }, { 8, 5, 7 }, { 13, 8, 9 }, { 16, 7, 5 } };
	static const size_t sizes[] = { 1, 7, 65537 };
	struct kf_err err;

	b = kf_backend_open("auto", NULL, &err);
	if (!ok(b != NULL, "a backend opens"))
		return note("%s", err.msg), done_testing();
	note("backend %s", b->device);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		test_layer(&cases[i]);
	for (size_t i = 0; i < sizeof nets / sizeof *nets; i++)
		test_net(&nets[i]);
	test_take();
	test_lender(3, 7);
	test_lender(7, 3);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		test_copy(sizes[i]);
		test_write(sizes[i]);
	}
	test_show();
	test_write(200000);
	for (size_t i = 0; i < sizeof warps / sizeof *warps; i++)
		test_warp(&warps[i]);
	test_many_rows(50000);
	test_squared_error(1, 1, 0);
	test_squared_error(7, 5, 3);
	test_squared_error(128, 30, 0);
	test_squared_error(45, 31, 2);
	test_cross_entropy(1, 1, 1);
	test_cross_entropy(1, 7, 3);
	test_cross_entropy(33, 13, 10);
	test_cross_entropy(128, 10, 1);
	test_cross_entropy(45, 3, 200);
	test_ties();
	for (int rule = 0; rule < KF_RULE_COUNT; rule++)
		for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
			test_update((enum kf_rule)rule, sizes[i]);
	test_denormals();
	b->op->close(b);

	b = kf_backend_open("auto", &(struct kf_backend_options){ .recompute = true },
		&err);
	for (size_t i = 0; b && i < sizeof nets / sizeof *nets; i++)
		test_net(&nets[i]);
	if (ok(b != NULL, "the same with recomputing"))
		b->op->close(b);
	return done_testing();
}
