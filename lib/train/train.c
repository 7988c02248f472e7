/* The epoch loop. */
#define _GNU_SOURCE
#include "train/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/rng.h"

/* The number of rows in the batch that starts at row `at` of `end`. */
static int batch_rows(const struct kf_trainer *t, size_t at, size_t end)
{
	size_t batch = (size_t)t->options.batch;

	return (int)(end - at < batch ? end - at : batch);
}

/* -- opening ----------------------------------------------------------------------- */

static int host_memory(struct kf_trainer *t, struct kf_err *err)
{
	t->rows = malloc(t->n * sizeof *t->rows);
	t->present = malloc(t->n * sizeof *t->present);
	t->host = malloc(t->n * sizeof *t->host);
	if (!t->rows || !t->present || !t->host)
		return kf_fail(err, "out of memory for %zu rows", t->n);
	return 0;
}

static void count_present(struct kf_trainer *t, const float *y)
{
	for (size_t i = 0; i < t->n; i++) {
		t->present[i] = 0;
		for (size_t j = 0; j < t->outputs; j++)
			t->present[i] += !isnan(y[i * t->outputs + j]);
	}
}

static int check_labels(const struct kf_trainer *t, const struct kf_dataset *d,
	struct kf_err *err)
{
	int classes = t->net->layers->outputs;

	for (size_t i = 0; i < d->n; i++)
		if (!(d->y[i] >= 0 && d->y[i] < (float)classes))
			return kf_fail(err,
				"the row with id %lld: its label is %.9g, "
				"not from 0 to %d",
				(long long)d->id[i], d->y[i], classes - 1);
	return 0;
}

/* A column without a value to learn from would be predicted at random. */
static int check_columns(const struct kf_trainer *t, const struct kf_dataset *d,
	struct kf_err *err)
{
	for (size_t j = 0; j < t->outputs; j++) {
		size_t i = t->n_valid;

		while (i < t->n && isnan(d->y[i * t->outputs + j]))
			i++;
		if (i == t->n)
			return kf_fail(err,
				"no row to train on has a value of '%s'; "
				"leave it out with kfkd-load --columns",
				d->schema.columns.name[j]);
	}
	return 0;
}

/* Moves the data to the backend. */
static int take_data(struct kf_trainer *t, struct kf_dataset *d, struct kf_err *err)
{
	struct kf_backend *b = t->net->b;
	const struct kf_schema *s = &d->schema;

	if ((t->options.classify ? check_labels : check_columns)(t, d, err) < 0)
		return -1;
	count_present(t, d->y);
	if (kf_augment_any(&t->options.augment) && !t->options.classify) {
		t->y = malloc(t->n * t->outputs * sizeof *t->y);
		if (!t->y)
			return kf_fail(err, "out of memory for %zu rows", t->n);
		memcpy(t->y, d->y, t->n * t->outputs * sizeof *t->y);
		t->moved = b->op->alloc(b, (size_t)batch_rows(t, 0, t->n) * t->outputs);
	}
	t->images = b->op->adopt(b, d->X, s->dtype, t->n * kf_image_pixels(s));
	t->targets = b->op->adopt(b, d->y, KF_F32, t->n * t->outputs);
	d->X = d->y = NULL;
	return b->op->sync(b, err);
}

static int open_flip(struct kf_trainer *t, struct kf_err *err)
{
	size_t n = (size_t)batch_rows(t, 0, t->n) * t->outputs;

	if (!t->options.augment.find_sum)
		return 0;
	t->outputs_read = malloc(n * sizeof *t->outputs_read);
	if (!t->outputs_read)
		return kf_fail_memory(err);
	return kf_flip_open(&t->flip, (int)t->outputs, err);
}

int kf_trainer_open(struct kf_trainer *t, struct kf_net *net, struct kf_dataset *data,
	const struct kf_train_options *options, struct kf_err *err)
{
	struct kf_backend *b = net->b;
	size_t floats = net->layers->floats;
	struct kf_schema schema = data->schema; /* borrowed */

	*t = (struct kf_trainer){ .net = net,
		.options = *options,
		.n = data->n,
		.n_valid = kf_valid_rows(data->n, options->valid),
		.loss = kf_loss_scaled(&options->loss,
			kf_scales_pixels(schema.y_scale)),
		.outputs = options->classify ? 1 : (size_t)data->schema.columns.n,
		.best_train = INFINITY,
		.best_valid = INFINITY,
		.best = INFINITY };
	if (t->n_valid >= t->n)
		return kf_fail(err,
			"of %zu rows, %zu for validation leave none to "
			"train on",
			t->n, t->n_valid);
	if (options->classify)
		schema.columns.n = 0; /* any targets are ignored */
	if (host_memory(t, err) < 0 ||
		kf_augmenter_open(&t->augmenter, &options->augment, &schema, err) < 0 ||
		open_flip(t, err) < 0 || take_data(t, data, err) < 0)
		return -1;
	for (int i = 0; i < kf_rule_states(options->rule); i++)
		t->state[i] = b->op->alloc(b, net->layers->learned);
	if (options->patience)
		t->best_weights = b->op->alloc(b, floats);
	t->losses = b->op->alloc(b, t->n);
	t->hits = b->op->alloc(b, t->n);
	return b->op->sync(b, err);
}

void kf_trainer_close(struct kf_trainer *t)
{
	struct kf_backend *b = t->net->b;
	struct kf_mem *const mem[] = { t->images, t->targets, t->moved, t->losses,
		t->hits, t->state[0], t->state[1], t->best_weights };

	for (size_t i = 0; i < sizeof mem / sizeof *mem; i++)
		b->op->free(b, mem[i]);
	kf_augmenter_close(&t->augmenter);
	kf_flip_close(&t->flip);
	free(t->y);
	free(t->rows);
	free(t->present);
	free(t->host);
	free(t->outputs_read);
}

/* -- one batch ----------------------------------------------------------------------- */

static struct kf_update current_update(const struct kf_trainer *t)
{
	const struct kf_train_options *o = &t->options;

	return kf_update(o->rule,
		kf_schedule_warm(&o->rate, o->warmup, t->epoch + 1, o->epochs),
		kf_schedule_at(&o->momentum, t->epoch + 1, o->epochs), o->weight_decay,
		t->step);
}

/* Validates on a batch, or makes a step by it. */
static int run_net(struct kf_trainer *t, const uint32_t *rows,
	const struct kf_warp *warps, int n, const struct kf_target *target,
	const struct kf_pass *pass, struct kf_err *err)
{
	struct kf_update u;

	if (!pass->train)
		return kf_net_loss(t->net, t->images, rows, warps, n, target, pass,
			err);
	u = current_update(t);
	return kf_net_train(t->net, t->images, rows, warps, n, target, pass, &u,
		t->state[0], t->state[1], err);
}

static double count_targets(const struct kf_trainer *t, const uint32_t *rows, int n)
{
	double present = 0;

	for (int i = 0; i < n; i++)
		present += t->present[rows[i]];
	return present;
}

/* The augmentation of a batch: its warps and transformed targets. */
struct augmented {
	struct kf_warp *warps; /* (n) */
	float *targets;        /* (n, outputs) */
	uint32_t *rows;        /* (n) 0 to n - 1 */
};

/* Draws a batch's augmentation, and points target at the transformed targets. */
static int augment(struct kf_trainer *t, const uint32_t *rows, int n,
	struct augmented *a, struct kf_target *target, struct kf_err *err)
{
	size_t count = (size_t)n * t->outputs;

	a->warps = malloc((size_t)n * sizeof *a->warps);
	a->targets = malloc(count * sizeof *a->targets);
	a->rows = malloc((size_t)n * sizeof *a->rows);
	if (!a->warps || !a->targets || !a->rows)
		return kf_fail(err, "out of memory for a batch");
	if (kf_augment_batch(&t->augmenter, t->options.seed, t->step, t->y, rows, n,
		    a->warps, a->targets) < 0)
		return kf_fail(err, "out of memory for a batch");
	if (!t->moved)
		return 0;    /* labels do not change */
	target->present = 0; /* a point that lacks a coordinate cannot be rotated */
	for (size_t i = 0; i < count; i++)
		target->present += !isnan(a->targets[i]);
	for (int i = 0; i < n; i++)
		a->rows[i] = (uint32_t)i;
	t->net->b->op->write(t->net->b, t->moved, 0, a->targets, count);
	target->values = t->moved;
	target->rows = a->rows;
	return 0;
}

/* The batch, from which the sum of mirrored labels is found. */
static void add_flip_errors(struct kf_trainer *t, const struct augmented *a, int n)
{
	struct kf_backend *b = t->net->b;

	if (!t->moved || !kf_flip_looks(&t->flip, t->epoch + 1, t->options.epochs))
		return;
	b->op->read_act(b, kf_net_outputs(t->net, n), t->outputs_read);
	kf_flip_add(&t->flip, &t->augmenter, t->outputs_read, a->targets, a->warps, n);
}

/*
 * Computes the loss of n rows into a slot and, in training, makes a step.  Returns 1,
 * 0 if no target is present, or -1.
 */
static int batch_loss(struct kf_trainer *t, const uint32_t *rows, int n, bool train,
	size_t slot, struct kf_err *err)
{
	struct kf_pass pass = { train, t->options.seed, t->step, NULL };
	struct kf_target target = { .values = t->targets,
		.rows = rows,
		.present = count_targets(t, rows, n),
		.classify = t->options.classify,
		.loss = t->loss,
		.losses = t->losses,
		.hits = t->hits,
		.slot = slot };
	struct augmented a = { 0 };
	int rc = 0;

	if (train && kf_augment_any(&t->options.augment))
		rc = augment(t, rows, n, &a, &target, err);
	if (rc == 0 && target.present > 0) {
		rc = run_net(t, rows, a.warps, n, &target, &pass, err);
		rc = rc < 0 ? -1 : 1;
	}
	if (rc == 1 && a.warps)
		add_flip_errors(t, &a, n);
	free(a.warps);
	free(a.targets);
	free(a.rows);
	return rc;
}

/* The sum of `count` values that were read back, starting at `first`. */
static double sum(const struct kf_trainer *t, size_t first, size_t count)
{
	double total = 0;

	for (size_t i = first; i < first + count; i++)
		total += t->host[i];
	return total;
}

/* The mean loss of `count` batches, NaN if there are none; -1 if it is not finite. */
static int mean_loss(const struct kf_trainer *t, const char *which, size_t first,
	size_t count, float *loss, struct kf_err *err)
{
	*loss = count ? (float)(sum(t, first, count) / (double)count) : NAN;
	if (count && !isfinite(*loss))
		return kf_fail(err,
			"epoch %d: the %s loss is not finite; try a lower "
			"--rate",
			t->epoch + 1, which);
	return 0;
}

/*
 * The results of an epoch, whose validation had `valid` batches.  Nothing else is read
 * back from the backend, and this only once an epoch.
 */
static int read_losses(struct kf_trainer *t, struct kf_epoch *e, size_t valid,
	struct kf_err *err)
{
	struct kf_backend *b = t->net->b;

	b->op->read(b, t->losses, 0, t->host, t->count + valid);
	if (b->op->sync(b, err) < 0 ||
		mean_loss(t, "train", 0, t->count, &e->train_loss, err) < 0 ||
		mean_loss(t, "valid", t->count, valid, &e->valid_loss, err) < 0)
		return -1;
	e->accuracy = NAN;
	if (!t->options.classify || !valid)
		return 0;
	b->op->read(b, t->hits, t->count, t->host, valid);
	e->accuracy = sum(t, 0, valid) / (double)t->n_valid;
	return b->op->sync(b, err);
}

/* -- one epoch ----------------------------------------------------------------------- */

/* Sets the epoch's order of rows: those to train on may be shuffled. */
static int order_rows(struct kf_trainer *t, struct kf_err *err)
{
	uint32_t n_valid = (uint32_t)t->n_valid, n = (uint32_t)t->n - n_valid;
	uint32_t *train = t->rows + n_valid;

	for (size_t i = 0; i < t->n; i++)
		t->rows[i] = (uint32_t)i;
	if (!t->options.shuffle)
		return 0;
	if (kf_rng_order(train, n, t->options.seed, KF_RNG_BATCHES,
		    (uint32_t)t->epoch) < 0)
		return kf_fail(err, "out of memory for %lu rows", (unsigned long)n);
	for (uint32_t i = 0; i < n; i++)
		train[i] += n_valid;
	return 0;
}

/* Trains on the epoch's batches from t->at on.  Returns 1, 2 if stopped, or -1. */
static int train(struct kf_trainer *t, bool (*stop)(void), struct kf_err *err)
{
	size_t rows = t->n - t->n_valid;

	while (t->at < rows) {
		int n = batch_rows(t, t->at, rows), rc;

		if (stop())
			return 2;
		t->step++;
		rc = batch_loss(t, t->rows + t->n_valid + t->at, n, true, t->count,
			err);
		if (rc < 0)
			return -1;
		t->at += (size_t)n;
		if (rc == 0) {
			t->step--; /* no update */
			continue;
		}
		t->count++;
	}
	return 1;
}

/* Validates, and counts the batches.  Returns 1, 2 if stopped, or -1. */
static int validate(struct kf_trainer *t, size_t *count, bool (*stop)(void),
	struct kf_err *err)
{
	*count = 0;
	for (size_t at = 0; at < t->n_valid; at += (size_t)t->options.batch) {
		int n = batch_rows(t, at, t->n_valid), rc;

		if (stop())
			return 2;
		rc = batch_loss(t, t->rows + at, n, false, t->count + *count, err);
		if (rc < 0)
			return -1;
		*count += (size_t)rc;
	}
	return 1;
}

/* Records the best losses so far, and keeps the best weights. */
static void keep_best(struct kf_trainer *t, struct kf_epoch *e)
{
	struct kf_backend *b = t->net->b;
	float judged = isnan(e->valid_loss) ? e->train_loss : e->valid_loss;

	e->best_train = e->train_loss < t->best_train;
	e->best_valid = e->valid_loss < t->best_valid;
	if (e->best_train)
		t->best_train = e->train_loss;
	if (e->best_valid)
		t->best_valid = e->valid_loss;
	if (!(judged < t->best))
		return;
	t->best = judged;
	t->best_epoch = e->epoch;
	if (t->best_weights)
		b->op->copy(b, t->best_weights, t->net->weights,
			t->net->layers->floats);
}

static bool finished(const struct kf_trainer *t)
{
	return t->epoch >= t->options.epochs ||
		(t->options.patience && t->best_epoch &&
			t->best_epoch + t->options.patience < t->epoch);
}

int kf_trainer_epoch(struct kf_trainer *t, struct kf_epoch *e, bool (*stop)(void),
	struct kf_err *err)
{
	double start = kf_seconds();
	size_t valid;
	int rc;

	if (finished(t))
		return 0;
	*e = (struct kf_epoch){ .epoch = t->epoch + 1 };
	if (order_rows(t, err) < 0)
		return -1;
	rc = train(t, stop, err);
	if (rc != 1)
		return rc;
	if (!t->count)
		return kf_fail(err, "no target is present in the %zu rows to train on",
			t->n - t->n_valid);
	rc = validate(t, &valid, stop, err);
	if (rc != 1)
		return rc;
	if (read_losses(t, e, valid, err) < 0)
		return -1;
	keep_best(t, e);
	if (kf_flip_looks(&t->flip, t->epoch + 1, t->options.epochs))
		kf_flip_move(&t->flip, &t->augmenter);
	t->epoch++;
	t->at = t->count = 0;
	e->seconds = kf_seconds() - start;
	return 1;
}

void kf_trainer_finish(struct kf_trainer *t)
{
	struct kf_backend *b = t->net->b;

	if (t->best_weights && t->best_epoch)
		b->op->copy(b, t->net->weights, t->best_weights,
			t->net->layers->floats);
}
