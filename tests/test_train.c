/*
 * Complete runs of net1 and net2 against losses computed in double precision: the
 * shuffle, the split, the batches, the masked loss, the initial weights and every
 * update rule.  vectors/net1.py, net2.py and hourglass.py compute these losses.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "no_leak_check.h"
#include "net/layers_parse.h"
#include "train/preset.h"
#include "tap.h"
#include "train/train.h"

#define SIDE 96
#define TARGETS 30
#define EPOCHS_MAX 20

struct run {
	const char *net, *vectors; /* a preset or layers */
	int rows, batch, epochs;
	double limit; /* of relative differences */
	double rate;  /* 0 for the rule's own */
};

struct losses {
	int epochs;
	double train[EPOCHS_MAX], valid[EPOCHS_MAX];
};

static int larger(int a, int b)
{
	return a > b ? a : b;
}

/* Row i as images() and targets() of the script have it. */
static void make_row(int i, float *X, float *y)
{
	int cx = 20 + i * 37 % 57, cy = 20 + i * 53 % 59;

	for (int r = 0; r < SIDE; r++)
		for (int c = 0; c < SIDE; c++) {
			int d = (c - cx) * (c - cx) + (r - cy) * (r - cy);

			X[r * SIDE + c] =
				(float)(larger((r * (i % 5) + c) / 4, 255 - d) / 255.0);
		}
	for (int j = 0; j < TARGETS; j++)
		y[j] = (i * 7 + j * 11) % 10 == 0 ?
			NAN :
			(float)(((j % 2 ? cy : cx) + j % 7 - 48) / 48.0);
}

static struct kf_dataset make_data(int rows)
{
	struct kf_dataset d = { .n = (size_t)rows, .m = TARGETS };
	char name[16];
	float *X;

	d.schema = (struct kf_schema){ .dtype = KF_F32, .c = 1, .h = SIDE, .w = SIDE };
	for (int j = 0; j < TARGETS; j++) {
		snprintf(name, sizeof name, "p%d_%c", j / 2, j % 2 ? 'y' : 'x');
		kf_names_add(&d.schema.columns, name);
	}
	X = d.X = malloc(sizeof *X * d.n * SIDE * SIDE);
	d.y = malloc(sizeof *d.y * d.n * TARGETS);
	d.id = calloc(d.n, sizeof *d.id);
	for (int i = 0; i < rows; i++)
		make_row(i, X + (size_t)i * SIDE * SIDE, d.y + (size_t)i * TARGETS);
	return d;
}

/* Those of vectors/hourglass.txt. */
#define HOURGLASS \
	"pool2 conv16x3p1s2 batchnorm relu res24 avgpool2 save pool2 res upscale2 " \
	"add24x1 leakyrelu maps softargmax"

static bool never(void)
{
	return false;
}

static const char *line(const char *net)
{
	const struct kf_preset *p = kf_preset_find(net);

	return p ? p->line : net;
}

static int train(const struct run *run, struct kf_backend *b, enum kf_rule rule,
	struct losses *l, struct kf_err *err)
{
	double rate = run->rate > 0 ? run->rate : kf_rule_rate(rule);
	struct kf_train_options options = { .rule = rule,
		.rate = { .from = rate, .to = rate },
		.momentum = { .from = 0.9, .to = 0.9 },
		.weight_decay = rule == KF_ADAMW ? 100 : 0, /* DECAYS of net1.py */
		.epochs = run->epochs,
		.batch = run->batch,
		.valid = 0.2 };
	struct kf_dataset data = make_data(run->rows);
	struct kf_layers layers;
	struct kf_trainer trainer;
	struct kf_net net;
	struct kf_epoch e;
	int rc;

	*l = (struct losses){ 0 };
	if (kf_layers_parse(&layers, line(run->net), 1, SIDE, SIDE, TARGETS, err) < 0 ||
		kf_net_open(&net, b, &layers, err) < 0 ||
		kf_net_init(&net, 42, err) < 0 ||
		kf_dataset_shuffle(&data, 42, err) < 0 ||
		kf_trainer_open(&trainer, &net, &data, &options, err) < 0)
		return -1;
	while ((rc = kf_trainer_epoch(&trainer, &e, never, err)) == 1) {
		l->train[l->epochs] = e.train_loss;
		l->valid[l->epochs++] = e.valid_loss;
	}
	kf_trainer_close(&trainer);
	kf_net_close(&net);
	kf_layers_free(&layers);
	kf_dataset_free(&data);
	return rc;
}

/* The rule's losses as stored; the number of epochs found. */
static int stored(const char *file, const char *rule, struct losses *l)
{
	char path[200], name[16];
	double train, valid;
	int epoch;
	FILE *f;

	snprintf(path, sizeof path, "tests/vectors/%s", file);
	f = fopen(path, "r");
	*l = (struct losses){ 0 };
	while (f && fscanf(f, "%15s %d %lf %lf", name, &epoch, &train, &valid) == 4)
		if (!strcmp(name, rule) && epoch >= 1 && epoch <= EPOCHS_MAX) {
			l->train[epoch - 1] = train;
			l->valid[epoch - 1] = valid;
			l->epochs++;
		}
	if (f)
		fclose(f);
	return l->epochs;
}

static double worst(const struct losses *a, const struct losses *b)
{
	double w = 0;

	for (int i = 0; i < a->epochs; i++) {
		w = fmax(w, fabs(a->train[i] / b->train[i] - 1));
		w = fmax(w, fabs(a->valid[i] / b->valid[i] - 1));
	}
	return w;
}

static void test_run(const struct run *run, struct kf_backend *b, enum kf_rule rule)
{
	const char *name = kf_rule_name(rule);
	struct losses got, want;
	struct kf_err err;

	ok(stored(run->vectors, name, &want) == run->epochs,
		"%s, %s: the vectors are there", run->net, name);
	if (!ok(train(run, b, rule, &got, &err) == 0 && got.epochs == run->epochs,
		    "%d epochs", run->epochs)) {
		note("%s", err.msg);
		return;
	}
	ok(worst(&got, &want) < run->limit, "losses as in double precision");
	note("largest relative difference %.2g", worst(&got, &want));
}

/* From 10 towards 2 in 5 epochs: a quarter of the way each, from the third on. */
static void test_schedule(void)
{
	static const struct kf_schedule line = { .from = 10, .to = 2 };
	static const double want[] = { 10, 10, 8, 6, 4 };

	for (int epoch = 1; epoch <= 5; epoch++)
		ok(kf_schedule_at(&line, epoch, 5) == want[epoch - 1],
			"epoch %d of a schedule has %g", epoch, want[epoch - 1]);
	ok(kf_schedule_at(&line, 1, 1) == 10, "a single epoch has the start");
}

static void test_shape(const char *shape, double from, double to, int warmup,
	int epochs, const double *want)
{
	struct kf_schedule s = { .from = from, .to = to };
	struct kf_err err;
	double worst = 0;

	ok(kf_schedule_shape(&s, shape, &err) == 0, "shape %s", shape);
	for (int epoch = 1; epoch <= epochs; epoch++) {
		double v = kf_schedule_warm(&s, warmup, epoch, epochs);

		worst = fmax(worst, fabs(v - want[epoch - 1]));
	}
	ok(worst < 1e-12, "%s from %g to %g in %d epochs, %d of them to warm up", shape,
		from, to, epochs, warmup);
}

static void test_shapes(void)
{
	const double half = sqrt(0.5);
	const double cosine[] = { 10, 6 + 4 * half, 6, 6 - 4 * half };
	const double step[] = { 8, 8, 4, 4, 2, 2, 1 };
	const double warm[] = { 2.5, 5, 7.5, 10, 10, 8, 6, 4 };

	test_shape("cosine", 10, 2, 0, 4, cosine);
	test_shape("step:4", 8, 1, 0, 7, step);
	test_shape("step", 8, 2, 0, 3, (const double[]){ 8, 4, 2 });
	test_shape("step", 2, 8, 0, 6, (const double[]){ 2, 2, 4, 4, 8, 8 });
	test_shape("linear", 10, 2, 3, 8, warm);
	test_shape("cosine", 10, 2, 1, 5,
		(const double[]){ 5, cosine[0], cosine[1], cosine[2], cosine[3] });
	test_shape("cosine", 3, 3, 2, 4, (const double[]){ 1, 2, 3, 3 });
}

int main(void)
{
	static const struct run net1 = { "net1", "net1.tsv", 700, 128, 20, 1e-5, 0 };
	static const struct run net2 = { "net2", "net2.tsv", 160, 48, 10, 1e-5, 0 };
	static const struct run hourglass = { HOURGLASS, "hourglass.tsv", 160, 48, 10,
		1e-4, 0.003 };
	struct kf_err err;
	struct kf_backend *b = kf_backend_open("auto", NULL, &err);

	if (!ok(b != NULL, "a backend opens"))
		return note("%s", err.msg), done_testing();
	note("backend %s", b->device);
	for (int rule = 0; rule < KF_RULE_COUNT; rule++)
		test_run(&net1, b, (enum kf_rule)rule);
	test_run(&net2, b, KF_NESTEROV);
	test_run(&hourglass, b, KF_NESTEROV);
	ok(kf_valid_rows(2140, 0.2) == 428 && kf_valid_rows(2164, 0.2) == 433 &&
			kf_valid_rows(5, 0) == 0,
		"the first fold validates");
	test_schedule();
	test_shapes();
	b->op->close(b);
	return done_testing();
}
