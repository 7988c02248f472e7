/*
 * Every operation of a backend against plain loops in double precision, at
 * odd sizes, and gradients against finite differences of those loops.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "no_leak_check.h"
#include "rng.h"
#include "tap.h"

static struct kf_backend *b;

/* -- helpers --------------------------------------------------------------------- */

/* n numbers from -1 to 1; each what has its own. */
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

/* The largest difference, by the largest value. */
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

/* -- dense layers ------------------------------------------------------------------ */

struct dense {
	int n, in, out;
	const char *line;
};

/* y (n, out) = f(x w^T + bias), w (out, in) */
static void dense_forward(const struct dense *d, bool relu, const float *x,
	const double *w, const double *bias, double *y)
{
	for (int i = 0; i < d->n; i++)
		for (int o = 0; o < d->out; o++) {
			double sum = bias[o];

			for (int k = 0; k < d->in; k++)
				sum += x[i * d->in + k] * w[o * d->in + k];
			y[i * d->out + o] = relu && sum < 0 ? 0 : sum;
		}
}

static void dense_backward(const struct dense *d, bool relu, const float *x,
	const double *w, const double *y, const float *dy, double *dw, double *db,
	double *dx)
{
	for (int i = 0; i < d->n; i++)
		for (int o = 0; o < d->out; o++) {
			double g = dy[i * d->out + o];

			if (relu && y[i * d->out + o] <= 0)
				continue;
			db[o] += g;
			for (int k = 0; k < d->in; k++) {
				dw[o * d->in + k] += g * x[i * d->in + k];
				dx[i * d->in + k] += g * w[o * d->in + k];
			}
		}
}

/* sum y dy, of which dense_backward gives the gradient */
static double dense_value(const struct dense *d, bool relu, const float *x,
	const double *w, const double *bias, const float *dy)
{
	double *y = zeros((size_t)(d->n * d->out)), sum = 0;

	dense_forward(d, relu, x, w, bias, y);
	for (int i = 0; i < d->n * d->out; i++)
		sum += y[i] * dy[i];
	free(y);
	return sum;
}

/* A few weights' gradients against (f(w + h) - f(w - h)) / 2h. */
static bool finite_differences(const struct dense *d, bool relu, const float *x,
	double *w, const double *bias, const float *dy, const float *dw)
{
	double got[8], h = 1e-6;
	float have[8];
	int count = d->in * d->out, tries = count < 8 ? count : 8;

	for (int i = 0; i < tries; i++) {
		int at = (int)((long)i * 7919 % count);
		double keep = w[at], up, down;

		w[at] = keep + h;
		up = dense_value(d, relu, x, w, bias, dy);
		w[at] = keep - h;
		down = dense_value(d, relu, x, w, bias, dy);
		w[at] = keep;
		got[i] = (up - down) / (2 * h);
		have[i] = dw[at];
	}
	return same(have, got, (size_t)tries, 1e-5);
}

static double *widen(const float *v, size_t n)
{
	double *d = zeros(n);

	for (size_t i = 0; i < n; i++)
		d[i] = v[i];
	return d;
}

static void test_dense(const struct dense *d)
{
	size_t n_x = (size_t)(d->n * d->in), n_y = (size_t)(d->n * d->out);
	size_t n_w = (size_t)(d->in * d->out), n_b = (size_t)d->out;
	float *x = numbers(n_x, 1), *w = numbers(n_w, 2), *bias = numbers(n_b, 3);
	float *dy = numbers(n_y, 4), *got;
	double *w64 = widen(w, n_w), *bias64 = widen(bias, n_b), *y = zeros(n_y);
	double *dw = zeros(n_w), *db = zeros(n_b), *dx = zeros(n_x);
	bool relu = strstr(d->line, "relu") != NULL;
	uint32_t *rows = calloc((size_t)d->n, sizeof *rows);
	struct kf_pass pass = { .train = true };
	struct kf_layers l;
	struct kf_err err;
	struct kf_mem *data = upload(x, n_x), *weights, *grads;
	struct kf_act *a_x, *a_y, *a_dy, *a_dx;
	struct kf_plan *plan;

	for (int i = 0; i < d->n; i++)
		rows[i] = (uint32_t)i;
	if (!ok(kf_layers_parse(&l, d->line, 1, 1, d->in, d->out, &err) == 0,
		"'%s', %d rows of %d to %d: the line parses", d->line, d->n, d->in,
		d->out))
		return;
	weights = b->op->alloc(b, l.floats);
	grads = b->op->alloc(b, l.floats);
	b->op->write_param(b, weights, &l.param[0], w);
	b->op->write_param(b, weights, &l.param[1], bias);
	plan = b->op->plan(b, &l.layer[0], l.param, d->n);
	a_x = b->op->input(b, d->n, (size_t)d->in);
	a_dx = b->op->input(b, d->n, (size_t)d->in);
	a_y = b->op->act(b, plan);
	a_dy = b->op->act(b, plan);
	b->op->take(b, a_x, data, rows);
	b->op->write_act(b, a_dx, x); /* gives it memory of its own */
	b->op->write_act(b, a_dy, dy);
	b->op->forward(b, plan, &pass, weights, a_x, a_y);
	got = malloc((n_x + n_y + n_w) * sizeof *got);
	b->op->read_act(b, a_y, got);
	dense_forward(d, relu, x, w64, bias64, y);
	ok(same(got, y, n_y, 2e-6), "forward");

	dense_backward(d, relu, x, w64, y, dy, dw, db, dx);
	b->op->backward(b, plan, &pass, weights, grads, a_x, a_y, a_dy, a_dx);
	b->op->read_act(b, a_dx, got);
	ok(same(got, dx, n_x, 2e-6), "gradient by x");
	b->op->read_param(b, grads, &l.param[1], got);
	ok(same(got, db, n_b, 2e-6), "gradient by bias");
	b->op->read_param(b, grads, &l.param[0], got);
	ok(same(got, dw, n_w, 2e-6), "gradient by weights");
	ok(finite_differences(d, relu, x, w64, bias64, dy, got),
		"gradient as by finite differences");
	b->op->read_param(b, weights, &l.param[0], got);
	ok(!memcmp(got, w, n_w * sizeof *w), "weights read back as written");
	ok(healthy(), "no failure");

	b->op->free_act(b, a_x);
	b->op->free_act(b, a_dx);
	b->op->free_act(b, a_y);
	b->op->free_act(b, a_dy);
	b->op->free_plan(b, plan);
	b->op->free(b, data);
	b->op->free(b, weights);
	b->op->free(b, grads);
	kf_layers_free(&l);
	free(x), free(w), free(bias), free(dy), free(got), free(w64), free(bias64);
	free(y), free(dw), free(db), free(dx), free(rows);
}

/* -- batches, loss ------------------------------------------------------------------- */

static void test_take(void)
{
	static const uint32_t orders[][4] = { { 0, 1, 2, 3 }, { 5, 6, 7, 8 },
		{ 8, 2, 2, 0 }, { 3, 4, 6, 5 } };
	size_t row = 37;
	float *v = numbers(9 * row, 5), got[4 * 37];
	struct kf_mem *m = upload(v, 9 * row);
	struct kf_act *a = b->op->input(b, 4, row);

	for (size_t k = 0; k < sizeof orders / sizeof *orders; k++) {
		bool good = true;

		b->op->take(b, a, m, orders[k]);
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

/* missing: every so many targets are NaN, 0 for none */
static void test_squared_error(int n, int m, int missing)
{
	size_t count = (size_t)(n * m), present = 0;
	float *p = numbers(count, 6), *t = numbers(2 * count, 7), loss[3];
	float *got = malloc(count * sizeof *got);
	double *dp = zeros(count), sum = 0, want[1];
	uint32_t *rows = calloc((size_t)n, sizeof *rows);
	struct kf_mem *targets, *losses = b->op->alloc(b, 3);
	struct kf_act *a_p = b->op->input(b, n, (size_t)m);
	struct kf_act *a_dp = b->op->input(b, n, (size_t)m);

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

/* -- update rules ---------------------------------------------------------------------- */

/* One weight, in double precision, from the formulas of optim.h. */
static void reference_update(enum kf_rule rule, double rate, int t, double g,
	double *w, double *s, double *d)
{
	double mu = 0.9, rho = rule == KF_ADADELTA ? 0.95 : 0.9, b1 = 0.9, b2 = 0.999;
	double eps = 1e-6, u;

	switch (rule) {
	case KF_SGD:
		*w -= rate * g;
		break;
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
	case KF_RULES:
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
		struct kf_update u = kf_update(rule, rate, 0.9, (uint64_t)t);

		free(g);
		g = numbers(n, 100 + (uint32_t)t);
		b->op->write(b, grads, 0, g, n);
		b->op->update(b, &u, weights, grads, state[0], state[1], n);
		for (size_t i = 0; i < n; i++)
			reference_update(rule, rate, t, g[i], &w64[i], &s64[i], &d64[i]);
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
	struct kf_update u = kf_update(KF_NESTEROV, 0.01, 0.5, 1);
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
	static const struct dense dense[] = {
		{ 1, 1, 1, "dense" }, { 1, 7, 3, "dense3 relu" },
		{ 3, 1, 5, "dense5 relu" }, { 5, 35, 13, "dense13" },
		{ 33, 129, 67, "dense67 relu" }, { 127, 301, 30, "dense30" },
		{ 128, 577, 100, "dense100 relu" },
	};
	static const size_t sizes[] = { 1, 7, 65537 };
	struct kf_err err;

	b = kf_backend_open("auto", 0, &err);
	if (!ok(b != NULL, "a backend opens"))
		return note("%s", err.msg), done_testing();
	note("backend %s", b->device);
	for (size_t i = 0; i < sizeof dense / sizeof *dense; i++)
		test_dense(&dense[i]);
	test_take();
	test_squared_error(1, 1, 0);
	test_squared_error(7, 5, 3);
	test_squared_error(128, 30, 0);
	test_squared_error(45, 31, 2);
	for (int rule = 0; rule < KF_RULES; rule++)
		for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
			test_update((enum kf_rule)rule, sizes[i]);
	test_denormals();
	b->op->close(b);
	return done_testing();
}
