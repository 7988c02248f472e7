/*
 * Layers, batches and memory of a backend against plain loops in double precision, at
 * odd sizes, and gradients against finite differences of those loops.
 */
#include "backend_test.h"
#include "reference.h"

/* -- layers -------------------------------------------------------------------- */

struct layer_case {
	int n, c, h, w; /* of the net's input */
	const char *line;
	int at; /* the layer of the line that is tested */
};

/* Whether the backend rounds the factors of products to bf16. */
static bool bf16;

/* Where the rows of layers begin in a batch that ranks share out. */
static int first_row;

static bool is_cpu(void)
{
	return !strncmp(b->device, "cpu", 3);
}

/* Whether it rounds those of this layer. */
static bool rounds(const struct kf_layer *l)
{
	return bf16 && (l->kind == KF_CONV || l->kind == KF_DENSE);
}

/* The reference's factor for v (n) of the backend's.  How a GPU rounds is not said: it
 * gets rounded ones. */
static void round_factor(float *v, double *wide, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		wide[i] = round_to_bf16(v[i]);
		if (!is_cpu())
			v[i] = (float)wide[i];
	}
}

/* sum y dy, whose gradient reference_backward computes */
static double value(const struct reference *r, const double *dy)
{
	double *y = zeros(outputs(r)), sum = 0;

	reference_forward(r, y);
	for (size_t i = 0; i < outputs(r); i++)
		sum += y[i] * dy[i];
	free(y);
	return sum;
}

/* A few gradients by v (count), which is part of r, against (f(v + h) - f(v - h)) / 2h. */
static bool finite_differences(const struct reference *r, const double *dy, double *v,
	const double *gradient, size_t count)
{
	double h = 1e-7, scale = 1e-30, worst = 0;

	for (size_t i = 0; i < count; i++)
		scale = fmax(scale, fabs(gradient[i]));
	for (size_t i = 0; i < 8 && i < count; i++) {
		size_t at = i * 7919 % count;
		double keep = v[at], up, down;

		v[at] = keep + h;
		up = value(r, dy);
		v[at] = keep - h;
		down = value(r, dy);
		v[at] = keep;
		worst = fmax(worst, fabs((up - down) / (2 * h) - gradient[at]));
	}
	if (!(worst <= 1e-5 * scale))
		note("a finite difference of %g, up to %g", worst, scale);
	return worst <= 1e-5 * scale;
}

/* Both sides of a case: a layer with all that it works on. */
struct layer_test {
	const struct kf_layers *l;
	const struct kf_layer *layer;
	struct kf_pass pass;
	size_t n_x, n_y;
	float *x, *other, *weights, *dy;
	/* the reference's side */
	struct reference r;
	struct reference_gradients d;
	double *x64, *other64, *weights64, *dy64, *y64, *grads64;
	/* the backend's */
	struct kf_plan *plan;
	struct kf_mem *device_weights, *device_grads;
	struct kf_flow f;
};

static struct kf_act *input(const struct layer_test *t, const int shape[3],
	const float *v)
{
	struct kf_act *a = b->op->input(b, t->r.n, shape);

	b->op->write_act(b, a, v);
	return a;
}

static void make_device(struct layer_test *t)
{
	const int *in = t->layer->in;
	bool adds = t->layer->kind == KF_ADD;

	t->device_weights = b->op->alloc(b, t->l->floats + 1);
	t->device_grads = b->op->alloc(b, t->l->floats + 1);
	for (int i = 0; i < t->l->n_params; i++) {
		const struct kf_param *p = &t->l->param[i];

		b->op->write_param(b, t->device_weights, p, t->weights + p->offset);
		/* of an earlier step: they must be overwritten */
		b->op->write_param(b, t->device_grads, p, t->weights + p->offset);
	}
	t->plan = b->op->plan(b, t->layer, t->l->param, t->r.n);
	t->f = (struct kf_flow){ .x = input(t, in, t->x),
		.dx = input(t, in, t->x),
		.other = adds ? input(t, in, t->other) : NULL,
		.d_other = adds ? input(t, in, t->x) : NULL,
		.y = b->op->act(b, t->plan, NULL),
		.dy = b->op->act(b, t->plan, NULL) };
}

static void round_factors(struct layer_test *t)
{
	const struct kf_param *w = &t->l->param[t->layer->weight];

	round_factor(t->x, t->x64, t->n_x);
	round_factor(t->weights + w->offset, t->weights64 + w->offset, w->count);
	/* relu passes it or does not, and so may come before or after */
	round_factor(t->dy, t->dy64, t->n_y);
}

/* A dense layer on the CPU rounds dy in its products alone, not in its bias's gradient. */
static void sum_bias_exactly(struct layer_test *t)
{
	const struct kf_param *p;

	if (!rounds(t->layer) || t->layer->kind != KF_DENSE || t->layer->bias < 0 ||
		!is_cpu())
		return;
	p = &t->l->param[t->layer->bias];
	for (size_t i = 0; i < p->count; i++)
		t->grads64[p->offset + i] = 0;
	for (size_t i = 0; i < t->n_y; i++)
		if (t->layer->activation == KF_LINEAR || t->y64[i] > 0)
			t->grads64[p->offset + i % p->count] += t->dy[i];
}

static void make_layer_test(struct layer_test *t, const struct layer_case *c,
	const struct kf_layers *l)
{
	*t = (struct layer_test){ .l = l,
		.layer = &l->layer[c->at],
		.pass = { .train = true,
			.seed = (uint64_t)6 << 32 | 5,
			.step = 3,
			.share = { .first = first_row } } };
	t->n_x = (size_t)c->n * (size_t)kf_layer_inputs(t->layer);
	t->n_y = (size_t)c->n * (size_t)kf_layer_outputs(t->layer);
	t->x = numbers(t->n_x, 1);
	for (size_t i = 0; t->layer->kind == KF_POOL && i < t->n_x; i++)
		t->x[i] = roundf(2 * t->x[i]); /* of equal ones the first counts */
	t->other = numbers(t->n_x, 3);
	t->weights = parameters(l, 2);
	t->dy = numbers(t->n_y, 4);
	t->x64 = widen(t->x, t->n_x);
	t->other64 = widen(t->other, t->n_x);
	t->weights64 = widen(t->weights, l->floats);
	t->dy64 = widen(t->dy, t->n_y);
	t->y64 = zeros(t->n_y);
	t->grads64 = zeros(l->floats);
	if (rounds(t->layer))
		round_factors(t);
	t->r = make_reference(l, c->at, c->n, t->weights64, &t->pass);
	t->r.x = t->x64;
	t->r.other = t->other64;
	t->d = make_gradients(l, c->at, t->grads64, zeros(t->n_x), zeros(t->n_x));
	make_device(t);
}

static void free_layer_test(struct layer_test *t)
{
	b->op->free_act(b, t->f.x);
	b->op->free_act(b, t->f.dx);
	b->op->free_act(b, t->f.other);
	b->op->free_act(b, t->f.d_other);
	b->op->free_act(b, t->f.y);
	b->op->free_act(b, t->f.dy);
	b->op->free_plan(b, t->plan);
	b->op->free(b, t->device_weights);
	b->op->free(b, t->device_grads);
	free(t->x), free(t->other), free(t->weights), free(t->dy), free(t->x64);
	free(t->other64), free(t->weights64), free(t->dy64), free(t->y64);
	free(t->grads64), free(t->d.x), free(t->d.other);
}

/* Whether values by the backend are those of the reference.  In batch norm, rounding of
 * a batch's moments may take part of the digits of small differences. */
static bool good_act(const struct layer_test *t, struct kf_act *a, const double *want,
	size_t n)
{
	return t->layer->kind == KF_BATCHNORM ? same_act(a, want, n, 2e-5, 1) :
						same_act(a, want, n, 3e-6, 1e-30);
}

static void test_forward(struct layer_test *t, bool train)
{
	t->pass.train = train;
	b->op->forward(b, t->plan, &t->pass, t->device_weights, &t->f);
	reference_forward(&t->r, t->y64);
	ok(good_act(t, t->f.y, t->y64, t->n_y) && healthy(), "forward%s",
		train ? "" : ", not training");
}

/* Sets a gradient that backward adds to or overwrites; want is what it must become. */
static void write_gradient(struct kf_act *a, const float *v, const double *gradient,
	bool sum, double *want, size_t n)
{
	if (!a)
		return;
	b->op->write_act(b, a, v);
	for (size_t i = 0; i < n; i++)
		want[i] = gradient[i] + (sum ? v[i] : 0);
}

/* Another pass, whose gradients by inputs are set, added or not wanted. */
static void test_backward(struct layer_test *t, bool sum_dx, bool sum_other,
	bool wanted)
{
	double *dx = zeros(t->n_x), *d_other = zeros(t->n_x);
	struct kf_flow f = t->f;

	b->op->forward(b, t->plan, &t->pass, t->device_weights, &f);
	write_gradient(f.dx, t->other, t->d.x, sum_dx, dx, t->n_x);
	write_gradient(f.d_other, t->x, t->d.other, sum_other, d_other, t->n_x);
	b->op->write_act(b, f.dy, t->dy);
	f.sum_dx = sum_dx;
	f.sum_other = sum_other;
	if (!wanted)
		f.dx = f.d_other = NULL;
	b->op->backward(b, t->plan, &t->pass, t->device_weights, t->device_grads, &f);
	ok((!f.dx || good_act(t, f.dx, dx, t->n_x)) &&
			(!f.d_other || good_act(t, f.d_other, d_other, t->n_x)) &&
			same_grads(t->l, t->layer, t->device_grads, t->grads64, 1e-5,
				1e-30) &&
			healthy(),
		"gradients, those by inputs %s",
		!wanted           ? "not wanted" :
			sum_dx    ? "added" :
			sum_other ? "set and added" :
				    "set");
	free(dx), free(d_other);
}

/* The reference's own gradients. */
static void test_finite_differences(struct layer_test *t)
{
	double *w = t->weights64, *g = t->grads64;
	int weight = t->layer->weight, bias = t->layer->bias;
	bool good = true;

	/* not at the maxima of several equal values */
	if (t->layer->kind != KF_POOL)
		good = finite_differences(&t->r, t->dy64, t->x64, t->d.x, t->n_x);
	if (t->layer->kind == KF_ADD)
		good &= finite_differences(&t->r, t->dy64, t->other64, t->d.other,
			t->n_x);
	if (weight >= 0)
		good &= finite_differences(&t->r, t->dy64, param_in(w, t->l, weight),
			param_in(g, t->l, weight), t->l->param[weight].count);
	if (bias >= 0)
		good &= finite_differences(&t->r, t->dy64, param_in(w, t->l, bias),
			param_in(g, t->l, bias), t->l->param[bias].count);
	ok(good, "gradients as by finite differences");
}

static bool weights_unchanged(const struct layer_test *t)
{
	bool good = true;

	for (int i = 0; i < t->l->n_params; i++) {
		const struct kf_param *p = &t->l->param[i];
		float *got = malloc((p->count + 1) * sizeof *got);

		b->op->read_param(b, t->device_weights, p, got);
		good &= !memcmp(got, t->weights + p->offset, p->count * sizeof *got);
		free(got);
	}
	return good;
}

static void test_layer(const struct layer_case *c)
{
	struct layer_test t;
	struct kf_layers l;
	struct kf_err err;

	if (!ok(kf_layers_parse(&l, c->line, c->c, c->h, c->w, 0, &err) == 0,
		    "'%s' on %d x %d x %d x %d", c->line, c->n, c->c, c->h, c->w)) {
		note("%s", err.msg);
		return;
	}
	if (rounds(&l.layer[c->at]) && l.layer[c->at].activation > KF_RELU) {
		note("not in bf16: the slope comes before rounding");
		kf_layers_free(&l);
		return;
	}
	make_layer_test(&t, c, &l);
	test_forward(&t, true);
	reference_backward(&t.r, t.y64, t.dy64, &t.d);
	test_finite_differences(&t);
	sum_bias_exactly(&t);
	test_backward(&t, false, false, true);
	test_backward(&t, true, true, true);
	if (t.layer->kind == KF_ADD)
		test_backward(&t, false, true, true);
	test_backward(&t, false, false, false);
	test_forward(&t, false);
	ok(weights_unchanged(&t) && healthy(), "weights read back as written");
	free_layer_test(&t);
	kf_layers_free(&l);
}

/* Windows whose maximum is at each position, a row for each. */
static void test_positions(int k)
{
	char line[16];
	struct layer_case c = { k * k, 1, k, k, line, 0 };
	struct layer_test t;
	struct kf_layers l;
	struct kf_err err;

	snprintf(line, sizeof line, "pool%d", k);
	kf_layers_parse(&l, line, 1, k, k, 0, &err);
	make_layer_test(&t, &c, &l);
	for (size_t i = 0; i < t.n_y; i++)
		t.x64[i * t.n_y + i] = t.x[i * t.n_y + i] = 4;
	b->op->write_act(b, t.f.x, t.x);
	test_forward(&t, true);
	reference_backward(&t.r, t.y64, t.dy64, &t.d);
	test_backward(&t, false, false, true);
	free_layer_test(&t);
	kf_layers_free(&l);
}

/* A mean much larger than the deviation: the squares' sum has no digits for it. */
static void test_far_mean(void)
{
	static const struct layer_case c = { 5, 3, 6, 7, "batchnorm", 0 };
	struct layer_test t;
	struct kf_layers l;
	struct kf_err err;

	kf_layers_parse(&l, c.line, c.c, c.h, c.w, 0, &err);
	make_layer_test(&t, &c, &l);
	for (size_t i = 0; i < t.n_x; i++)
		t.x64[i] = t.x[i] += 1000;
	b->op->write_act(b, t.f.x, t.x);
	b->op->forward(b, t.plan, &t.pass, t.device_weights, &t.f);
	b->op->write_act(b, t.f.dy, t.dy);
	b->op->backward(b, t.plan, &t.pass, t.device_weights, t.device_grads, &t.f);
	reference_forward(&t.r, t.y64);
	reference_backward(&t.r, t.y64, t.dy64, &t.d);
	ok(same_act(t.f.y, t.y64, t.n_y, 2e-4, 1) &&
			same_act(t.f.dx, t.d.x, t.n_x, 2e-4, 1) &&
			same_grads(&l, t.layer, t.device_grads, t.grads64, 2e-4, 1) &&
			healthy(),
		"batch norm far from zero");
	free_layer_test(&t);
	kf_layers_free(&l);
}

/* Values halfway between two of bf16, and nearly so: exact results, as nothing else is
 * rounded. */
static void test_halfway(void)
{
	static const float x[] = { 1 + 0x1p-8f, 1 + 0x3p-8f, -1 - 0x1p-8f,
		1 + 0x1p-8f + 0x1p-20f, 3 - 0x1p-20f, 0 };
	static const float want[] = { 1, 1 + 0x1p-6f, -1, 1 + 0x1p-7f, 3, 0 };
	const struct kf_pass pass = { .train = false };
	struct kf_layers l;
	struct kf_err err;
	struct kf_act *a = b->op->input(b, 1, (const int[]){ 1, 1, 6 }), *y;
	struct kf_mem *weights;
	struct kf_plan *plan;
	float got[6];

	kf_layers_parse(&l, "conv1x1", 1, 1, 6, 0, &err);
	weights = b->op->alloc(b, l.floats);
	plan = b->op->plan(b, &l.layer[0], l.param, 1);
	y = b->op->act(b, plan, NULL);
	b->op->write_act(b, a, x);
	b->op->write_param(b, weights, &l.param[0], x);
	b->op->forward(b, plan, &pass, weights, &(struct kf_flow){ .x = a, .y = y });
	b->op->read_act(b, y, got);
	ok(!memcmp(got, want, sizeof got) && healthy(),
		"to nearest, and to even where two are as near");
	b->op->free_act(b, a);
	b->op->free_act(b, y);
	b->op->free_plan(b, plan);
	b->op->free(b, weights);
	kf_layers_free(&l);
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
		b->op->forward(b, plan, &pass, weights,
			&(struct kf_flow){ .x = a, .y = y[i] });
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
	/* the largest is too large for pinned memory */
	static const size_t sizes[] = { 5, 3, 200000, 17000000, 7 };
	struct kf_mem *m = NULL;
	float *v[5], *got;

	for (size_t i = 0; i < 5; i++) {
		v[i] = numbers(sizes[i], 20 + (uint32_t)i);
		m = b->op->show(b, m, v[i], KF_F32, sizes[i]);
		ok(m != NULL, "%zu floats of another's", sizes[i]);
		got = download(m, 0, sizes[i]);
		ok(!memcmp(got, v[i], sizes[i] * sizeof *got) && healthy(),
			"as they are");
		free(got);
	}
	b->op->free(b, m);
	for (size_t i = 0; i < 5; i++)
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
	if (x >= warp->hole[0] && x < warp->hole[2] && y >= warp->hole[1] &&
		y < warp->hole[3])
		return 0.5;
	if (warp->contrast != 1 || warp->brightness != 0)
		sum = fmin(fmax((sum - 0.5) * warp->contrast + 0.5 + warp->brightness,
				   0),
			1);
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

struct warps {
	struct kf_warp at[5];
};

static struct warps any_warps(const struct warp_case *t)
{
	float w = (float)t->w, h = (float)t->h;

	return (struct warps){ {
		/* shifted */
		{ { 1, 0, 1.375f, 0, 1, -2.75f }, 1, 0, { 0 } },
		/* turned */
		{ { .96f, .28f, -1, -.28f, .96f, h / 4 }, 1.5f, 0, { 0 } },
		/* flipped, scaled */
		{ { -.8f, 0, w, 0, 1.25f, -1 }, .7f, -.125f, { 1, 1, 4, 3 } },
		/* out of sight */
		{ { 1, 0, 3 * w, 0, 1, -3 * h }, 1, .25f, { 0 } },
		/* all grey */
		{ { .5f, -.5f, w / 2, .5f, .5f, -.125f }, 0, 0, { 0 } },
	} };
}

static void test_warp(const struct warp_case *t)
{
	static const uint32_t rows[] = { 8, 2, 2, 0, 5 }, inorder[] = { 0, 1, 2, 3, 4 };
	float w = (float)t->w, *v;
	const struct kf_warp plain = { { 1, 0, 0, 0, 1, 0 }, 1, 0, { 0 } };
	const struct kf_warp flip = { { -1, 0, w - 1, 0, 1, 0 }, 1, 0, { 0 } };
	const struct kf_warp hole = { { 1, 0, 0, 0, 1, 0 }, 1, 0, { 2, 1, 5, 4 } };
	/* partly outside; of no width, of less than none */
	const struct kf_warp edge = { { -1, 0, w - 1, 0, 1, 0 }, 1, 0,
		{ -3, -2, 4, 1000 } };
	const struct kf_warp thin = { { 1, 0, 0, 0, 1, 0 }, 1, 0, { 1, 0, 1, 9 } };
	const struct kf_warp turned = { { 1, 0, 0, 0, 1, 0 }, 1, 0, { 0, 3, 9, 1 } };
	const struct kf_warp exact[] = { plain, flip, plain, flip, flip };
	const struct kf_warp holes[] = { hole, edge, plain, thin, turned };
	const struct warps any = any_warps(t);

	v = numbers(9 * (size_t)(t->c * t->h * t->w), 9);
	ok(warps_well(t, v, 5, rows, exact, 0) &&
			warps_well(t, v, 5, inorder, exact, 0),
		"take rows of %d x %d x %d, flipped or not, exactly", t->c, t->h, t->w);
	ok(warps_well(t, v, 5, rows, holes, 0), "with holes, exactly");
	ok(warps_well(t, v, 5, rows, any.at, 3e-5) &&
			warps_well(t, v, 1, rows, any.at + 1, 3e-5),
		"and shifted, turned, scaled, in other contrast and light");
	free(v);
}

/* What a batch takes, in a buffer that the caller frees. */
static float *taken(const struct warp_case *t, const struct kf_mem *m,
	const uint32_t *rows, const struct kf_warp *warps)
{
	float *got = malloc(5 * (size_t)(t->c * t->h * t->w) * sizeof *got);
	struct kf_act *a = b->op->input(b, 5, (const int[]){ t->c, t->h, t->w });

	b->op->take(b, a, m, rows, warps);
	b->op->read_act(b, a, got);
	b->op->free_act(b, a);
	return got;
}

/* The device may lag behind: what it makes of an array is not that of the next ones. */
static void test_shown_in_turn(void)
{
	enum { N = 5, ROWS = 7, ROW = 6000 };
	static const uint32_t backwards[ROWS] = { 6, 5, 4, 3, 2, 1, 0 };
	const struct kf_pass pass = { .train = false };
	struct kf_act *x = b->op->input(b, ROWS, (const int[]){ 1, 1, ROW }), *y[N];
	struct kf_mem *weights = b->op->alloc(b, ROW + 1), *m = NULL;
	float *v[2], *w = calloc(ROW, sizeof *w), got[ROWS];
	struct kf_plan *plan;
	struct kf_layers l;
	struct kf_err err;
	bool good = true;

	kf_layers_parse(&l, "dense1", 1, 1, ROW, 0, &err);
	plan = b->op->plan(b, &l.layer[0], l.param, ROWS);
	for (int i = 0; i < ROW; i++)
		w[i] = 1;
	b->op->write_param(b, weights, &l.param[0], w);
	for (int i = 0; i < 2; i++)
		v[i] = calloc(ROWS * ROW, sizeof *v[i]);
	for (int k = 0; k < N; k++) {
		for (int i = 0; i < ROWS * ROW; i++)
			v[k % 2][i] = (float)(k * ROWS + i / ROW);
		m = b->op->show(b, m, v[k % 2], KF_F32, ROWS * ROW);
		y[k] = b->op->act(b, plan, NULL);
		b->op->take(b, x, m, backwards, NULL);
		b->op->forward(b, plan, &pass, weights,
			&(struct kf_flow){ .x = x, .y = y[k] });
	}
	for (int k = 0; k < N; k++) {
		b->op->read_act(b, y[k], got);
		for (int i = 0; i < ROWS; i++)
			good &= got[i] == (float)(ROW * (k * ROWS + ROWS - 1 - i));
		b->op->free_act(b, y[k]);
	}
	ok(good && healthy(), "arrays that are shown in turn");
	b->op->free_plan(b, plan);
	b->op->free_act(b, x);
	b->op->free(b, weights), b->op->free(b, m);
	kf_layers_free(&l);
	free(v[0]), free(v[1]), free(w);
}

/* A batch from bytes has the bits of one from the floats that these stand for. */
static void test_bytes(const struct warp_case *t)
{
	static const uint32_t rows[] = { 8, 2, 2, 0, 5 }, inorder[] = { 2, 3, 4, 5, 6 };
	size_t row = (size_t)(t->c * t->h * t->w), n = 9 * row;
	const struct warps any = any_warps(t);
	struct warps some = any;
	const struct {
		const uint32_t *rows;
		const struct kf_warp *warps;
		const char *how;
	} cases[] = { { rows, NULL, "any" }, { inorder, NULL, "consecutive" },
		{ rows, any.at, "warped" }, { inorder, some.at, "some warped" } };
	uint8_t *u = malloc(n);
	float *f = malloc(n * sizeof *f);
	struct kf_mem *floats, *bytes = NULL;

	some.at[1] = some.at[4] = (struct kf_warp){ { 1, 0, 0, 0, 1, 0 }, 1, 0, { 0 } };
	for (size_t i = 0; i < n; i++)
		f[i] = (float)((u[i] = (uint8_t)(31 * i)) / 255.0);
	floats = upload(f, n);
	/* one kf_mem shows either */
	bytes = b->op->show(b, bytes, u, KF_U8, n / 2);
	bytes = b->op->show(b, bytes, f, KF_F32, n);
	bytes = b->op->show(b, bytes, u, KF_U8, n);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		float *want = taken(t, floats, cases[i].rows, cases[i].warps);
		float *got = taken(t, bytes, cases[i].rows, cases[i].warps);

		ok(!memcmp(got, want, 5 * row * sizeof *got) && healthy(),
			"bytes of %d x %d x %d as the floats they stand for: %s", t->c,
			t->h, t->w, cases[i].how);
		free(got), free(want);
	}
	b->op->free(b, floats);
	b->op->free(b, bytes);
	bytes = b->op->adopt(b, u, KF_U8, n);
	free(f);
	f = taken(t, bytes, rows, NULL);
	ok(f[0] == (float)((uint8_t)(31 * 8 * row) / 255.0) && healthy(),
		"... also adopted");
	b->op->free(b, bytes);
	free(f);
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
		warps[i] = (struct kf_warp){ .m = { 1, 0, 0, 0, 1, 0 },
			.contrast = i % 2 ? 1 : .5f };
	}
	ok(warps_well(&t, v, n, rows, warps, 1e-6), "take %d rows, warped", n);
	free(rows), free(warps), free(v);
}

static void test_layers(void)
{
	static const struct layer_case cases[] = {
		{ 1, 1, 1, 1, "dense1", 0 },
		{ 1, 1, 1, 7, "dense3 relu", 0 },
		{ 3, 1, 1, 1, "dense5 tanh", 0 },
		{ 5, 1, 5, 7, "dense13 sigmoid", 0 },
		{ 33, 3, 1, 43, "dense67 relu", 0 },
		{ 127, 1, 7, 43, "dense30", 0 },
		{ 128, 1, 1, 577, "dense100 relu", 0 },
		/* several pieces of rows, of units and of inputs */
		{ 130, 1, 1, 300, "dense257", 0 },
		{ 2, 1, 49, 49, "dense260 relu", 0 },
		{ 65, 1, 1, 1217, "dense5", 0 },
		{ 6, 2, 3, 7, "dense17 leakyrelu", 0 },
		{ 7, 19, 5, 3, "dense11 relu", 0 },
		{ 4, 32, 3, 3, "dense10", 0 },
		{ 1, 1, 1, 1, "conv1x1", 0 },
		{ 3, 1, 9, 7, "conv5x3 relu", 0 },
		{ 2, 3, 11, 10, "conv8x2 tanh", 0 },
		{ 3, 8, 6, 7, "conv16x2 leakyrelu", 0 },
		{ 5, 8, 7, 9, "conv16x3 relu", 0 },
		{ 2, 13, 8, 8, "conv7x2 sigmoid", 0 },
		{ 3, 16, 5, 5, "conv33x5 relu", 0 },
		{ 2, 20, 6, 7, "conv24x1", 0 },
		{ 2, 1, 96, 96, "conv32x3 relu", 0 },
		{ 1, 1, 2, 2, "pool2", 0 },
		{ 3, 5, 7, 9, "pool2", 0 },
		{ 3, 16, 5, 5, "pool5", 0 },
		{ 2, 21, 3, 3, "pool2", 0 },
		{ 2, 37, 7, 5, "pool4", 0 },
		{ 2, 16, 9, 11, "pool3", 0 },
		{ 2, 21, 8, 8, "pool2", 0 },
		{ 1, 1, 1, 3, "drop.5", 0 },
		{ 7, 1, 1, 101, "drop.2", 0 },
		{ 3, 5, 7, 9, "drop.5", 0 },
		{ 2, 19, 5, 7, "drop.1", 0 },
		{ 5, 32, 11, 11, "drop.3", 0 },
		{ 3, 1, 9, 7, "conv5x3p1 relu", 0 },
		{ 2, 3, 11, 10, "conv8x3p2 tanh", 0 },
		{ 3, 8, 6, 7, "conv16x3p1 leakyrelu", 0 },
		{ 2, 16, 5, 5, "conv20x5p4", 0 },
		{ 2, 3, 11, 10, "conv8x2s2 relu", 0 },
		{ 3, 16, 9, 7, "conv16x3s2", 0 },
		{ 2, 5, 12, 13, "conv7x3p1s2 relu", 0 },
		{ 2, 19, 13, 11, "conv33x2p1s3", 0 },
		{ 3, 4, 8, 8, "conv5x1s3 tanh", 0 },
		{ 2, 16, 7, 8, "conv16x1s2", 0 },
		/* one pixel, but no dense layer */
		{ 3, 1, 1, 1, "conv4x3p1 relu", 0 },
		{ 5, 6, 3, 3, "conv9x3s2 relu", 0 },
		{ 3, 5, 4, 5, "conv7x3s3", 0 },
		{ 4, 16, 5, 5, "conv16x5s2 relu", 0 },
		{ 2, 3, 2, 2, "conv5x4p1 relu", 0 },
		/* without biases */
		{ 3, 8, 6, 7, "conv16x2 batchnorm", 0 },
		{ 2, 3, 7, 7, "conv5x3p1s2 batchnorm", 0 },
		{ 3, 6, 5, 5, "conv7x5 batchnorm", 0 },
		{ 3, 6, 4, 4, "conv7x3s2 batchnorm", 0 },
		{ 5, 1, 5, 7, "dense13 batchnorm", 0 },
		{ 3, 16, 4, 4, "dense9 batchnorm", 0 },
		{ 1, 1, 2, 2, "avgpool2", 0 },
		{ 3, 5, 7, 9, "avgpool2", 0 },
		{ 2, 21, 8, 8, "avgpool", 0 },
		{ 3, 16, 5, 5, "avgpool5", 0 },
		{ 2, 37, 7, 5, "avgpool3", 0 },
		{ 2, 3, 5, 4, "avgpool1", 0 },
		{ 1, 1, 1, 1, "upscale3", 0 },
		{ 3, 5, 3, 4, "upscale2", 0 },
		{ 2, 16, 1, 1, "upscale5", 0 },
		{ 2, 21, 5, 3, "upscale3", 0 },
		{ 2, 16, 4, 4, "upscale1", 0 },
		{ 7, 1, 5, 3, "batchnorm", 0 },
		{ 3, 5, 7, 9, "batchnorm relu", 0 },
		{ 4, 16, 6, 5, "batchnorm tanh", 0 },
		{ 2, 37, 9, 7, "batchnorm leakyrelu", 0 },
		{ 9, 1, 1, 1, "batchnorm", 0 },
		{ 67, 1, 1, 33, "dense13 batchnorm relu", 1 },
		{ 300, 40, 1, 1, "batchnorm sigmoid", 0 },
		{ 20, 3, 20, 21, "batchnorm relu", 0 },
		/* one row, and one value */
		{ 1, 5, 7, 9, "batchnorm relu", 0 },
		{ 1, 16, 4, 4, "batchnorm", 0 },
		{ 1, 13, 1, 1, "batchnorm sigmoid", 0 },
		{ 1, 1, 1, 1, "batchnorm", 0 },
		{ 1, 1, 1, 1, "save drop.5 add", 1 },
		{ 3, 5, 7, 9, "save drop.5 add relu", 1 },
		{ 2, 16, 5, 3, "save drop.5 add tanh", 1 },
		{ 2, 21, 4, 4, "save drop.5 add leakyrelu", 1 },
		{ 5, 1, 1, 37, "dense13 save dense13 add sigmoid", 2 },
		{ 3, 1, 5, 7, "softargmax", 0 },
		{ 2, 15, 9, 9, "softargmax", 0 },
		{ 2, 5, 13, 12, "pool2 softargmax", 1 },
		{ 3, 16, 12, 13, "avgpool3 softargmax", 1 },
		{ 2, 3, 3, 4, "upscale3 softargmax", 1 },
		{ 4, 7, 1, 1, "softargmax", 0 },
		{ 1, 1, 40, 41, "softargmax", 0 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		test_layer(&cases[i]);
}

/* All layers where factors are rounded, as some are. */
static void test_bf16(void)
{
	const struct kf_backend_options options = { .bf16 = true };
	struct kf_err err;

	b = kf_backend_open("auto", &options, &err);
	if (!b) {
		ok(strstr(err.msg, "no bf16 instructions"), "bf16 # SKIP %s", err.msg);
		return;
	}
	note("backend %s", b->device);
	bf16 = true;
	test_layers();
	if (is_cpu())
		test_halfway();
	b->op->close(b);
}

/* A rank's rows get the random numbers of their place in the batch. */
static void test_places(void)
{
	static const struct layer_case cases[] = { { 1, 1, 1, 1, "drop.5", 0 },
		{ 3, 5, 7, 9, "drop.5", 0 }, { 2, 19, 3, 3, "save drop.3 add", 1 } };
	static const int first[] = { 1, 3, 1 << 30 };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (size_t k = 0; k < sizeof first / sizeof *first; k++) {
			first_row = first[k];
			test_layer(&cases[i]);
		}
	first_row = 0;
}

/* A backend keeps to the threads that it was opened with while another has more. */
static void test_two(void)
{
	static const struct layer_case dense = { 70, 1, 1, 1217, "dense9", 0 };
	static const struct kf_backend_options options[] = { { .threads = 1 },
		{ .threads = 5 } };
	struct kf_backend *two[2];
	struct kf_err err;

	for (int i = 0; i < 2; i++)
		two[i] = kf_backend_open("auto", &options[i], &err);
	if (!ok(two[0] && two[1], "two backends open"))
		return;
	for (int i = 0; i < 2; i++) {
		b = two[i];
		test_layer(&dense);
	}
	for (int i = 0; i < 2; i++)
		two[i]->op->close(two[i]);
}

int main(void)
{
	static const struct warp_case warps[] = { { 1, 1, 1 }, { 1, 9, 7 },
		{ 1, 96, 96 }, { 3, 11, 10 }, { 8, 5, 7 }, { 13, 8, 9 }, { 16, 7, 5 } };
	static const size_t sizes[] = { 1, 7, 65537 };
	struct kf_err err;

	b = kf_backend_open("auto", NULL, &err);
	if (!ok(b != NULL, "a backend opens"))
		return note("%s", err.msg), done_testing();
	note("backend %s", b->device);
	test_layers();
	for (int k = 15; k < 18; k++)
		test_positions(k);
	test_far_mean();
	test_places();
	test_take();
	test_lender(3, 7);
	test_lender(7, 3);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		test_copy(sizes[i]);
		test_write(sizes[i]);
	}
	test_show();
	test_shown_in_turn();
	test_write(200000);
	for (size_t i = 0; i < sizeof warps / sizeof *warps; i++)
		test_warp(&warps[i]), test_bytes(&warps[i]);
	test_many_rows(50000);
	b->op->close(b);
	test_two();
	test_bf16();
	return done_testing();
}
