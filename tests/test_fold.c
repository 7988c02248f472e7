/*
 * Batch norm folded into the layers in front of it: the same outputs, with as few layers
 * as there can be.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "net/fold.h"
#include "net/layers_parse.h"
#include "net/net.h"
#include "no_leak_check.h"
#include "tap.h"

enum { ROWS = 3, SIDE = 12, OUTPUTS = 6 };

/* A tensor of each parameter, with values around its initial ones. */
static struct kf_tensor *make_params(const struct kf_layers *l)
{
	struct kf_tensor *t = calloc((size_t)l->n_params, sizeof *t);

	for (int i = 0; i < l->n_params; i++) {
		const struct kf_param *p = &l->param[i];
		float *v = malloc(p->count * sizeof *v);

		kf_rng_fill_uniform(v, p->count, 0.5F, 3, KF_RNG_SYNTH, (uint32_t)i, 0);
		for (size_t j = 0; p->init == KF_ONE && j < p->count; j++)
			v[j] += 1;
		t[i] = kf_tensor(p->name, KF_F32, p->rank, p->shape);
		t[i].data = v;
	}
	return t;
}

/* The outputs (ROWS, OUTPUTS) of a net with these parameters, in training or not. */
static bool outputs(struct kf_backend *b, const struct kf_layers *l,
	const struct kf_tensor *t, bool train, float *out, struct kf_err *err)
{
	const struct kf_pass pass = { .train = train };
	static const uint32_t rows[ROWS] = { 2, 0, 1 };
	float *images = malloc(sizeof(float) * ROWS * SIDE * SIDE);
	bool *found = calloc((size_t)l->n_params, sizeof *found);
	struct kf_mem *data;
	struct kf_act *y;
	struct kf_net net;
	bool good;

	kf_rng_fill_uniform(images, ROWS * SIDE * SIDE, 1, 4, KF_RNG_SYNTH, 0, 0);
	data = b->op->adopt(b, images, KF_F32, ROWS * SIDE * SIDE);
	good = kf_net_open(&net, b, l, err) == 0 &&
		kf_net_set(&net, net.weights, "", t, l->n_params, found, l->n_params) ==
			l->n_params &&
		(y = kf_net_forward(&net, data, rows, NULL, ROWS, &pass, err));
	if (good)
		b->op->read_act(b, y, out);
	good = good && b->op->sync(b, err) == 0;
	kf_net_close(&net);
	b->op->free(b, data);
	free(found);
	return good;
}

/* With `all`, by kf_fold_all. */
static void compare(struct kf_backend *b, const char *line, bool all, int layers)
{
	float before[ROWS * OUTPUTS], after[ROWS * OUTPUTS];
	struct kf_tensor *t, *folded;
	struct kf_layers l;
	struct kf_err err = { .msg = "" };
	double worst = 0;
	int n;

	if (kf_layers_parse(&l, line, 1, SIDE, SIDE, OUTPUTS, &err) < 0) {
		ok(false, "'%s': %s", line, err.msg);
		return;
	}
	t = make_params(&l);
	n = l.n_params;
	ok(outputs(b, &l, t, false, before, &err), "'%s' runs %s", line, err.msg);
	folded = all ? kf_fold_all(&l, t, n, &err) : kf_fold(&l, t, n, &err);
	ok(folded && l.n == layers, "folded, it has %d layers", l.n);
	ok(outputs(b, &l, folded, all, after, &err), "it runs %s", err.msg);
	for (int i = 0; i < ROWS * OUTPUTS; i++)
		worst = fmax(worst, fabs(after[i] - before[i]) / (1 + fabs(before[i])));
	if (!ok(worst < 1e-5, "it has the same outputs"))
		note("largest difference %g", worst);
	kf_fold_free(t, n);
	kf_fold_free(folded, l.n_params);
	kf_layers_free(&l);
}

static void test_fold(struct kf_backend *b, const char *line, int layers)
{
	compare(b, line, false, layers);
}

static void test_fold_all(struct kf_backend *b, const char *line, int layers)
{
	compare(b, line, true, layers);
}

int main(void)
{
	struct kf_err err;
	struct kf_backend *b = kf_backend_open("auto", NULL, &err);

	if (!ok(b != NULL, "a backend opens"))
		return note("%s", err.msg), done_testing();
	test_fold(b, "dense9 relu dense", 2);
	test_fold(b, "conv17x3 batchnorm relu pool2 dense9 batchnorm tanh dense", 4);
	test_fold(b, "batchnorm conv9x3p1 batchnorm dense", 3);
	test_fold(b, "conv9x3 relu batchnorm pool2 batchnorm leakyrelu dense", 5);
	test_fold(b, "conv16x3p1 batchnorm relu res16 res8 maps softargmax", 10);
	test_fold(b, "conv8x3 save batchnorm relu conv8x3p1 batchnorm add relu dense",
		5);
	test_fold(b, "conv8x3 batchnorm save pool2 upscale2 add relu batchnorm dense",
		6);
	test_fold(b, "save conv8x1 batchnorm add8x1 batchnorm dense", 5);
	test_fold_all(b, "dense9 relu drop.5 dense", 2);
	test_fold_all(b, "drop.2 conv9x3 relu batchnorm pool2 drop.1 dense", 4);
	test_fold_all(b, "batchnorm conv17x3p1 batchnorm relu drop.5 dense", 3);
	test_fold_all(b, "dense9 relu batchnorm tanh dense6 drop.5", 3);
	test_fold_all(b, "conv8x3 drop.3 save drop.1 batchnorm add relu dense", 4);
	test_fold_all(b, "save drop.5 conv8x1 batchnorm add8x1 batchnorm dense", 5);
	b->op->close(b);
	return done_testing();
}
