/*
 * Losses, update rules and averages of a backend against plain loops in double
 * precision, at odd sizes, and losses' gradients against finite differences.
 */
#include <string.h>

#include "backend_test.h"

/* -- losses -------------------------------------------------------------------- */

/* A loss of a difference, whose derivative is twice the formula in net/loss.h. */
static double reference_loss(const struct kf_loss *loss, double d)
{
	double a = loss->a, e = loss->e;

	d = fabs(d);
	switch (loss->kind) {
	case KF_SQUARED: return d * d;
	case KF_SMOOTHL1: return d < a ? d * d / (2 * a) : d - a / 2;
	case KF_WING: return d < a ? a * log(1 + d / e) : d + a * log(1 + a / e) - a;
	}
	return NAN;
}

/* Its derivative, by (f(d + h) - f(d - h)) / 2h; at a peak it is 0. */
static double loss_slope(const struct kf_loss *loss, double d)
{
	double h = 1e-7;

	return (reference_loss(loss, d + h) - reference_loss(loss, d - h)) / (2 * h);
}

/* missing: every missing-th target is NaN; 0 for none */
static void test_regression(const struct kf_loss *loss, int n, int m, int missing)
{
	size_t count = (size_t)(n * m), present = 0;
	float *p = numbers(count, 6), *t = numbers(2 * count, 7), losses[3];
	float *got = malloc(count * sizeof *got), *squared = calloc(count, sizeof *got);
	double *dp = zeros(count), sum = 0, want[1];
	uint32_t *rows = calloc((size_t)n, sizeof *rows);
	struct kf_mem *targets, *device_losses = b->op->alloc(b, 3);
	struct kf_act *a_p = b->op->input(b, n, (const int[]){ m, 1, 1 });
	struct kf_act *a_dp = b->op->input(b, n, (const int[]){ m, 1, 1 });

	for (int i = 0; i < n; i++)
		rows[i] = (uint32_t)(2 * (n - 1 - i)); /* out of order */
	for (size_t i = 0; missing && i < 2 * count; i += (size_t)missing)
		t[i] = NAN;
	p[count - 1] = t[m - 1]; /* exact, of the last row */
	for (size_t i = 0; i < count; i++)
		present += !isnan(t[rows[i / (size_t)m] * (size_t)m + i % (size_t)m]);
	for (size_t i = 0; i < count; i++) {
		float e = p[i] - t[rows[i / (size_t)m] * (size_t)m + i % (size_t)m];

		if (isnan(e))
			continue;
		sum += (double)e * e;
		dp[i] = loss_slope(loss, e) / (double)present;
		squared[i] = (float)(2 / (double)present) * e;
	}
	want[0] = sum / (double)present;
	targets = upload(t, 2 * count);
	b->op->write_act(b, a_p, p);
	b->op->write_act(b, a_dp, p);
	b->op->regression(b, loss, a_p, targets, rows, (double)present, a_dp,
		device_losses, 1);
	b->op->regression(b, loss, a_p, targets, rows, (double)present, NULL,
		device_losses, 2);
	b->op->read(b, device_losses, 0, losses, 3);
	b->op->read_act(b, a_dp, got);
	ok(losses[0] == 0 && same(&losses[1], want, 1, 1e-6) && losses[1] == losses[2],
		"squared error of %d x %d, every %dth missing", n, m, missing);
	ok(same(got, dp, count, 1e-6) && healthy(),
		"gradient of loss %d with %g, %g, as by finite differences", loss->kind,
		loss->a, loss->e);
	ok(loss->kind != KF_SQUARED || !memcmp(got, squared, count * sizeof *got),
		"to the last bit if it is squared");
	b->op->free_act(b, a_p);
	b->op->free_act(b, a_dp);
	b->op->free(b, targets);
	b->op->free(b, device_losses);
	free(p), free(t), free(got), free(squared), free(dp), free(rows);
}

static void test_regressions(void)
{
	static const struct kf_loss losses[] = { { KF_SQUARED, 0, 0 },
		{ KF_SMOOTHL1, .25f, 0 }, { KF_SMOOTHL1, 3, 0 },
		{ KF_WING, .5f, .125f }, { KF_WING, 5, 2 }, { KF_WING, .0625f, .01f } };

	for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
		test_regression(&losses[i], 1, 1, 0);
		test_regression(&losses[i], 7, 5, 3);
		test_regression(&losses[i], 128, 30, 0);
		test_regression(&losses[i], 45, 31, 2);
	}
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

/* Outputs from -size to size; a float may not hold exp of them.  n rows of those present, or
 * rows that do not count, where that is infinite. */
static void test_cross_entropy(size_t n, size_t classes, float size, double present)
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
	want = entropy(p64, label, n, classes) * (double)n / present;
	for (size_t i = 0; i < count; i++)
		dp[i] *= (double)n / present;
	targets = upload(labels, 2 * n);
	b->op->write_act(b, a_p, p);
	b->op->write_act(b, a_dp, p);
	b->op->cross_entropy(b, a_p, targets, rows, present, a_dp, losses, hit, 1);
	b->op->cross_entropy(b, a_p, targets, rows, present, NULL, losses, hit, 2);
	b->op->read(b, losses, 0, loss, 3);
	b->op->read(b, hit, 0, hits, 3);
	b->op->read_act(b, a_dp, got);
	ok(loss[0] == 0 && fabs(loss[1] - want) <= 1e-6 * fabs(want) &&
			loss[1] == loss[2],
		"cross-entropy of %zu x %zu up to %g, of %g", n, classes, size,
		present);
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
	b->op->cross_entropy(b, a, targets, (const uint32_t[]){ 0, 1 }, 2, NULL, m, m,
		1);
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
	case KF_ADAMW:
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
	double decay = 0.01;
	struct kf_mem *weights = upload(w, n), *grads = b->op->alloc(b, n), *state[2];

	for (int i = 0; i < 2; i++)
		state[i] = i < kf_rule_states(rule) ? b->op->alloc(b, n) : NULL;
	for (int t = 1; t <= 5; t++) {
		struct kf_update u = kf_update(rule, rate, 0.9, decay, (uint64_t)t);

		free(g);
		g = numbers(n, 100 + (uint32_t)t);
		b->op->write(b, grads, 0, g, n);
		b->op->update(b, &u, weights, grads, state[0], state[1], 0, n);
		for (size_t i = 0; i < n; i++) {
			bool decoupled = rule == KF_ADAMW;
			double more = decoupled ? 0 : decay * w64[i];

			/* as PyTorch's AdamW, before the step */
			w64[i] *= decoupled ? 1 - rate * decay : 1;
			reference_update(rule, rate, t, g[i] + more, &w64[i], &s64[i],
				&d64[i]);
		}
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
	b->op->update(b, &u, weights, grads, state, NULL, 0, n);
	got = download(state, 0, n);
	for (size_t i = 0; i < n; i++)
		denormal += fpclassify(got[i]) == FP_SUBNORMAL;
	ok(denormal == 0 && healthy(), "denormals are flushed to zero");
	b->op->free(b, weights);
	b->op->free(b, grads);
	b->op->free(b, state);
	free(v), free(got);
}

/* -- averages ------------------------------------------------------------------ */

/* n floats behind the first 3 move, and 2 more do not. */
static void test_average(size_t n, float part)
{
	float *to = numbers(n + 5, 30), *from = numbers(n + 5, 31), *got;
	double *want = widen(to, n + 5);
	struct kf_mem *device_to = upload(to, n + 5),
		      *device_from = upload(from, n + 5);

	for (size_t i = 3; i < n + 3; i++)
		want[i] += (double)part * (from[i] - want[i]);
	b->op->average(b, device_to, device_from, part, 3, n);
	got = download(device_to, 0, n + 5);
	ok(same(got, want, n + 5, 1e-6) && !memcmp(got, to, 3 * sizeof *got) &&
			!memcmp(got + n + 3, to + n + 3, 2 * sizeof *got) && healthy(),
		"average %zu of %zu floats, %g of the way", n, n + 5, part);
	free(got);
	got = download(device_from, 0, n + 5);
	ok(!memcmp(got, from, (n + 5) * sizeof *got), "and leave their source alone");
	b->op->free(b, device_to);
	b->op->free(b, device_from);
	free(to), free(from), free(got), free(want);
}

int main(void)
{
	static const size_t sizes[] = { 1, 7, 65537 };
	struct kf_err err;

	b = kf_backend_open("auto", NULL, &err);
	if (!ok(b != NULL, "a backend opens"))
		return note("%s", err.msg), done_testing();
	note("backend %s", b->device);
	test_regressions();
	test_cross_entropy(1, 1, 1, 1);
	test_cross_entropy(1, 7, 3, 1);
	test_cross_entropy(33, 13, 10, 33);
	test_cross_entropy(128, 10, 1, 128);
	test_cross_entropy(45, 3, 200, 45);
	test_cross_entropy(33, 13, 10, 100);
	test_cross_entropy(3, 5, 10, (double)INFINITY);
	test_ties();
	for (int rule = 0; rule < KF_RULE_COUNT; rule++)
		for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
			test_update((enum kf_rule)rule, sizes[i]);
	test_denormals();
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		test_average(sizes[i], 0.1f);
		test_average(sizes[i], 1);
	}
	b->op->close(b);
	return done_testing();
}
