/*
 * Whole runs of net1 against losses worked out in double precision: the
 * shuffle, the split, the batches, the masked loss, the weights' start and
 * every update rule.  vectors/net1.py is the other side.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "no_leak_check.h"
#include "tap.h"
#include "train.h"

#define ROWS 700
#define SIDE 96
#define TARGETS 30
#define EPOCHS 20

struct losses {
	int epochs;
	double train[EPOCHS], valid[EPOCHS];
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

			X[r * SIDE + c] = (float)(larger((r * (i % 5) + c) / 4,
				255 - d) / 255.0);
		}
	for (int j = 0; j < TARGETS; j++)
		y[j] = (i * 7 + j * 11) % 10 == 0 ? NAN :
			(float)(((j % 2 ? cy : cx) + j % 7 - 48) / 48.0);
}

static struct kf_dataset make_data(void)
{
	struct kf_dataset d = { .n = ROWS };
	char name[16];

	d.schema = (struct kf_schema){ .dtype = KF_F32, .c = 1, .h = SIDE, .w = SIDE };
	for (int j = 0; j < TARGETS; j++) {
		snprintf(name, sizeof name, "p%d_%c", j / 2, j % 2 ? 'y' : 'x');
		kf_names_add(&d.schema.columns, name);
	}
	d.X = malloc(sizeof *d.X * ROWS * SIDE * SIDE);
	d.y = malloc(sizeof *d.y * ROWS * TARGETS);
	d.id = calloc(ROWS, sizeof *d.id);
	for (int i = 0; i < ROWS; i++)
		make_row(i, d.X + (size_t)i * SIDE * SIDE, d.y + (size_t)i * TARGETS);
	return d;
}

static void keep(void *context, const struct kf_epoch *e)
{
	struct losses *l = context;

	l->train[l->epochs] = e->train_loss;
	l->valid[l->epochs++] = e->valid_loss;
}

static int run(struct kf_backend *b, enum kf_rule rule, struct losses *l,
	struct kf_err *err)
{
	struct kf_train_options options = { .rule = rule, .rate = kf_rule_rate(rule),
		.momentum = 0.9, .epochs = EPOCHS, .batch = 128, .valid = 0.2 };
	struct kf_dataset data = make_data();
	struct kf_layers layers;
	struct kf_net net = { 0 };
	int rc;

	*l = (struct losses){ 0 };
	rc = kf_layers_parse(&layers, "net1", 1, SIDE, SIDE, TARGETS, err);
	if (rc == 0)
		rc = kf_net_open(&net, b, &layers, err);
	if (rc == 0)
		rc = kf_net_init(&net, 42, err);
	if (rc == 0)
		rc = kf_dataset_shuffle(&data, 42, err);
	if (rc == 0)
		rc = kf_train(&net, &data, &options, keep, l, err);
	kf_net_close(&net);
	kf_layers_free(&layers);
	kf_dataset_free(&data);
	return rc;
}

/* The rule's losses as stored; the number of epochs found. */
static int stored(const char *path, const char *rule, struct losses *l)
{
	FILE *f = fopen(path, "r");
	char name[16];
	double train, valid;
	int epoch;

	*l = (struct losses){ 0 };
	while (f && fscanf(f, "%15s %d %lf %lf", name, &epoch, &train, &valid) == 4)
		if (!strcmp(name, rule) && epoch >= 1 && epoch <= EPOCHS) {
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

	for (int i = 0; i < EPOCHS; i++) {
		w = fmax(w, fabs(a->train[i] / b->train[i] - 1));
		w = fmax(w, fabs(a->valid[i] / b->valid[i] - 1));
	}
	return w;
}

int main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : "tests/vectors/net1.tsv";
	struct kf_err err;
	struct kf_backend *b = kf_backend_open("auto", 0, &err);

	if (!ok(b != NULL, "a backend opens"))
		return note("%s", err.msg), done_testing();
	note("backend %s", b->device);
	for (int rule = 0; rule < KF_RULES; rule++) {
		const char *name = kf_rule_name((enum kf_rule)rule);
		struct losses got, want;

		ok(stored(path, name, &want) == EPOCHS, "%s: the vectors are there", name);
		if (!ok(run(b, (enum kf_rule)rule, &got, &err) == 0 &&
			got.epochs == EPOCHS, "%s: %d epochs", name, EPOCHS)) {
			note("%s", err.msg);
			continue;
		}
		ok(worst(&got, &want) < 1e-4, "%s: losses as in double precision", name);
		note("largest relative difference %.2g", worst(&got, &want));
	}
	ok(kf_valid_rows(2140, 0.2) == 428 && kf_valid_rows(2164, 0.2) == 433 &&
		kf_valid_rows(5, 0) == 0, "the first fold validates");
	b->op->close(b);
	return done_testing();
}
