/* The epoch loop. */
#define _GNU_SOURCE
#include "train/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/rng.h"

/* The most rows that this rank has of a batch. */
static size_t most_rows(const struct kf_trainer *t)
{
	size_t batch = (size_t)t->options.batch;

	return t->n < batch ? t->n : batch;
}

static struct kf_comm *comm(const struct kf_trainer *t)
{
	return t->options.comm;
}

/* -- opening ----------------------------------------------------------------------- */

static int host_memory(struct kf_trainer *t, struct kf_err *err)
{
	t->rows = malloc(t->n * sizeof *t->rows);
	t->parts = malloc((t->slots + 1) * sizeof *t->parts);
	t->present = malloc(t->n * sizeof *t->present);
	t->host = malloc((t->slots + 1) * sizeof *t->host);
	if (!t->rows || !t->parts || !t->present || !t->host)
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

/* Counts the values of each column in the rows to train on, of all ranks. */
static int count_values(const struct kf_trainer *t, const float *y, double *values,
	struct kf_err *err)
{
	for (size_t i = t->n_valid; i < t->n; i++)
		for (size_t j = 0; j < t->outputs; j++)
			values[j] += !isnan(y[i * t->outputs + j]);
	if (!comm(t))
		return 0;
	return comm(t)->op->sum_doubles(comm(t), values, t->outputs, err);
}

/* A column without a value to learn from would be predicted at random. */
static int check_columns(const struct kf_trainer *t, const struct kf_dataset *d,
	struct kf_err *err)
{
	double *values = calloc(t->outputs + 1, sizeof *values);
	int rc = values ? count_values(t, d->y, values, err) : kf_fail_memory(err);

	for (size_t j = 0; rc == 0 && j < t->outputs; j++)
		if (values[j] == 0)
			rc = kf_fail(err,
				"no row to train on has a value of '%s'; "
				"leave it out with kfkd-load --columns",
				d->schema.columns.name[j]);
	free(values);
	return rc;
}

/* Moves the data to the backend. */
static int take_data(struct kf_trainer *t, struct kf_dataset *d, struct kf_err *err)
{
	struct kf_backend *b = t->net->b;

	if ((t->options.classify ? check_labels : check_columns)(t, d, err) < 0)
		return -1;
	count_present(t, d->y);
	if (kf_augment_any(&t->options.augment) && !t->options.classify) {
		t->y = malloc(t->n * t->outputs * sizeof *t->y);
		if (!t->y)
			return kf_fail(err, "out of memory for %zu rows", t->n);
		memcpy(t->y, d->y, t->n * t->outputs * sizeof *t->y);
		t->moved = b->op->alloc(b, most_rows(t) * t->outputs);
	}
	if (kf_images_open(&t->images, b, d, (int)most_rows(t), err) < 0)
		return -1;
	t->targets = b->op->adopt(b, d->y, KF_F32, t->n * t->outputs);
	d->y = NULL;
	return b->op->sync(b, err);
}

static int open_flip(struct kf_trainer *t, struct kf_err *err)
{
	size_t n = most_rows(t) * t->outputs;

	if (!t->options.augment.find_sum)
		return 0;
	t->outputs_read = malloc(n * sizeof *t->outputs_read);
	if (!t->outputs_read)
		return kf_fail_memory(err);
	return kf_flip_open(&t->flip, (int)t->outputs, err);
}

static int open_slices(struct kf_trainer *t, struct kf_err *err)
{
	const struct kf_train_options *o = &t->options;

	if (kf_slices_open(&t->train, o->comm, o->shards, o->batch, t->n - t->n_valid,
		    err) < 0 ||
		kf_slices_open(&t->valid, o->comm, o->shards, o->batch, t->n_valid,
			err) < 0)
		return -1;
	t->slots = kf_slices_batches(&t->train) + kf_slices_batches(&t->valid);
	return 0;
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
	if (open_slices(t, err) < 0 || host_memory(t, err) < 0 ||
		kf_augmenter_open(&t->augmenter, &options->augment, &schema, err) < 0 ||
		open_flip(t, err) < 0 || take_data(t, data, err) < 0)
		return -1;
	for (int i = 0; i < kf_rule_states(options->rule); i++)
		t->state[i] = b->op->alloc(b, net->layers->learned);
	if (options->patience)
		t->best_weights = b->op->alloc(b, floats);
	t->losses = b->op->alloc(b, t->slots);
	t->hits = b->op->alloc(b, t->slots);
	return b->op->sync(b, err);
}

void kf_trainer_close(struct kf_trainer *t)
{
	struct kf_backend *b = t->net->b;
	struct kf_mem *const mem[] = { t->targets, t->moved, t->losses, t->hits,
		t->state[0], t->state[1], t->best_weights };

	for (size_t i = 0; i < sizeof mem / sizeof *mem; i++)
		b->op->free(b, mem[i]);
	kf_images_close(&t->images);
	kf_augmenter_close(&t->augmenter);
	kf_flip_close(&t->flip);
	kf_slices_close(&t->train);
	kf_slices_close(&t->valid);
	free(t->y);
	free(t->rows);
	free(t->parts);
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

/* This rank's part of a batch. */
struct batch {
	bool train;
	struct kf_slice slice;
	bool idle; /* the slice is empty: one row, which does not count, stands in */
	const uint32_t *rows;   /* (slice.n) */
	const uint32_t *images; /* (slice.n) the same among t->images */
	struct kf_target target;

	/* Its augmentation, or NULL: warps, transformed targets, and their rows. */
	struct kf_warp *warps; /* (n) */
	float *moved;          /* (n, outputs) */
	uint32_t *moved_rows;  /* (n) 0 to n - 1 */
};

static void free_batch(struct batch *a)
{
	free(a->warps);
	free(a->moved);
	free(a->moved_rows);
}

static double count_targets(const struct kf_trainer *t, const uint32_t *rows, int n)
{
	double present = 0;

	for (int i = 0; i < n; i++)
		present += t->present[rows[i]];
	return present;
}

/* Draws a batch's augmentation, and points its target at the transformed targets. */
static int augment(struct kf_trainer *t, struct batch *a, struct kf_err *err)
{
	int n = a->slice.n;
	size_t count = (size_t)n * t->outputs;

	a->warps = malloc((size_t)n * sizeof *a->warps);
	a->moved = malloc(count * sizeof *a->moved);
	a->moved_rows = malloc((size_t)n * sizeof *a->moved_rows);
	if (!a->warps || !a->moved || !a->moved_rows)
		return kf_fail(err, "out of memory for a batch");
	if (kf_augment_batch(&t->augmenter, t->options.seed, t->step, t->y, a->rows,
		    &a->slice, a->warps, a->moved) < 0)
		return kf_fail(err, "out of memory for a batch");
	if (!t->moved)
		return 0;      /* labels do not change */
	a->target.present = 0; /* a point that lacks a coordinate cannot be rotated */
	for (size_t i = 0; i < count; i++)
		a->target.present += !isnan(a->moved[i]);
	for (int i = 0; i < n; i++)
		a->moved_rows[i] = (uint32_t)i;
	t->net->b->op->write(t->net->b, t->moved, 0, a->moved, count);
	a->target.values = t->moved;
	a->target.rows = a->moved_rows;
	return 0;
}

/* The rows of batch number i of those to train on, or to validate. */
static struct batch cut_batch(const struct kf_trainer *t, bool train, size_t i)
{
	struct batch a = { .train = train,
		.slice = kf_slice_of(train ? &t->train : &t->valid, i) };

	a.idle = a.slice.n == 0;
	if (a.idle) {
		a.slice = (struct kf_slice){ .n = 1, .all = a.slice.all };
		train = true; /* of these there is one */
	}
	a.rows = t->rows + (train ? t->n_valid : 0) + a.slice.at;
	return a;
}

/* The same with its images, targets and augmentation; free_batch it in any case. */
static int begin_batch(struct kf_trainer *t, struct batch *a, bool train, size_t i,
	struct kf_err *err)
{
	*a = cut_batch(t, train, i);
	if (kf_images_next(&t->images, a->rows, a->slice.n, &a->images, err) < 0)
		return -1;
	a->target = (struct kf_target){ .values = t->targets,
		.rows = a->rows,
		.present = count_targets(t, a->rows, a->slice.n),
		.classify = t->options.classify,
		.loss = t->loss,
		.losses = t->losses,
		.hits = t->hits };
	if (train && kf_augment_any(&t->options.augment) && augment(t, a, err) < 0)
		return -1;
	if (a->idle)
		a->target.present = 0;
	return 0;
}

/* What the ranks have to agree on before a pass: the number of targets in all of the batch,
 * and whether to stop. */
static int agree(const struct kf_trainer *t, double *present, bool *stop,
	struct kf_err *err)
{
	double v[] = { *present, *stop };

	if (!comm(t))
		return 0;
	if (comm(t)->op->sum_doubles(comm(t), v, 2, err) < 0)
		return -1;
	*present = v[0];
	*stop = v[1] > 0;
	return 0;
}

/* Validates on a batch, or makes a step by it. */
static int run_net(struct kf_trainer *t, const struct batch *a, struct kf_err *err)
{
	const struct kf_pass pass = { .train = a->train,
		.seed = t->options.seed,
		.step = t->step,
		.share = { comm(t), a->slice.first, a->slice.all, a->idle } };
	struct kf_update u;

	if (!a->train)
		return kf_net_loss(t->net, t->images.mem, a->images, a->warps,
			a->slice.n, &a->target, &pass, err);
	u = current_update(t);
	return kf_net_train(t->net, t->images.mem, a->images, a->warps, a->slice.n,
		&a->target, &pass, &u, t->state[0], t->state[1], err);
}

/* The batch, from which the sum of mirrored labels is found. */
static void add_flip_errors(struct kf_trainer *t, const struct batch *a)
{
	struct kf_backend *b = t->net->b;

	if (!a->warps || a->idle || !t->moved ||
		!kf_flip_looks(&t->flip, t->epoch + 1, t->options.epochs))
		return;
	b->op->read_act(b, kf_net_outputs(t->net, a->slice.n), t->outputs_read);
	kf_flip_add(&t->flip, &t->augmenter, t->outputs_read, a->moved, a->warps,
		a->slice.n);
}

/* The pass through the net, once it is known how many targets the batch has. */
static int run_batch(struct kf_trainer *t, struct batch *a, struct kf_err *err)
{
	struct kf_backend *b = t->net->b;
	const float none = 0;

	if (a->idle)
		a->target.present = INFINITY;
	if (run_net(t, a, err) < 0)
		return -1;
	if (a->idle && t->options.classify)
		b->op->write(b, t->hits, a->target.slot, &none, 1);
	add_flip_errors(t, a);
	/* the others wait for a rank that failed and leaves out its sums */
	if (comm(t) && b->op->check(b, err) < 0)
		return -1;
	return 1;
}

/*
 * Computes the loss of a batch into a slot and, in training, makes a step.  Returns 1, 0 if
 * no target is present, 2 if stopped, or -1.
 */
static int batch_loss(struct kf_trainer *t, bool train, size_t i, size_t slot,
	bool (*stop)(void), struct kf_err *err)
{
	struct batch a;
	bool stopped = stop();
	int rc;

	if (stopped && !comm(t))
		return 2;
	rc = begin_batch(t, &a, train, i, err);
	if (rc == 0)
		rc = agree(t, &a.target.present, &stopped, err);
	a.target.slot = slot;
	if (rc == 0 && stopped)
		rc = 2;
	else if (rc == 0 && a.target.present > 0)
		rc = run_batch(t, &a, err);
	free_batch(&a);
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

/* Reads n values back, summed over the ranks. */
static int read_sums(struct kf_trainer *t, const struct kf_mem *m, size_t offset,
	size_t n, struct kf_err *err)
{
	struct kf_backend *b = t->net->b;

	b->op->read(b, m, offset, t->host, n);
	if (b->op->sync(b, err) < 0)
		return -1;
	return comm(t) ? comm(t)->op->sum(comm(t), t->host, n, err) : 0;
}

/*
 * The results of an epoch, whose validation had `valid` batches.  Nothing else is read
 * back from the backend, and this only once an epoch.
 */
static int read_losses(struct kf_trainer *t, struct kf_epoch *e, size_t valid,
	struct kf_err *err)
{
	if (read_sums(t, t->losses, 0, t->count + valid, err) < 0 ||
		mean_loss(t, "train", 0, t->count, &e->train_loss, err) < 0 ||
		mean_loss(t, "valid", t->count, valid, &e->valid_loss, err) < 0)
		return -1;
	e->accuracy = NAN;
	if (!t->options.classify || !valid)
		return 0;
	if (read_sums(t, t->hits, t->count, valid, err) < 0)
		return -1;
	e->accuracy = sum(t, 0, valid) / (double)t->valid.rows;
	return 0;
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

/* Has the images come of the batches that the epoch still has, in their order. */
static int begin_images(struct kf_trainer *t, struct kf_err *err)
{
	size_t n = 0;

	for (size_t i = t->batches; i < kf_slices_batches(&t->train); i++) {
		struct batch a = cut_batch(t, true, i);

		t->parts[n++] = (struct kf_part){ a.rows, a.slice.n };
	}
	for (size_t i = 0; i < kf_slices_batches(&t->valid); i++) {
		struct batch a = cut_batch(t, false, i);

		t->parts[n++] = (struct kf_part){ a.rows, a.slice.n };
	}
	return kf_images_begin(&t->images, t->parts, n, err);
}

/* Trains on the epoch's batches that are left.  Returns 1, 2 if stopped, or -1. */
static int train(struct kf_trainer *t, bool (*stop)(void), struct kf_err *err)
{
	while (t->batches < kf_slices_batches(&t->train)) {
		int rc;

		t->step++;
		rc = batch_loss(t, true, t->batches, t->count, stop, err);
		if (rc != 1)
			t->step--; /* no update */
		if (rc < 0 || rc == 2)
			return rc;
		t->batches++;
		t->count += (size_t)rc;
	}
	return 1;
}

/* Validates, and counts the batches.  Returns 1, 2 if stopped, or -1. */
static int validate(struct kf_trainer *t, size_t *count, bool (*stop)(void),
	struct kf_err *err)
{
	*count = 0;
	for (size_t i = 0; i < kf_slices_batches(&t->valid); i++) {
		int rc = batch_loss(t, false, i, t->count + *count, stop, err);

		if (rc < 0 || rc == 2)
			return rc;
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

/* What the ranks' rows say of the sum of mirrored labels, together. */
static int sum_flip(struct kf_trainer *t, struct kf_err *err)
{
	if (!comm(t) || !t->flip.sums)
		return 0;
	return comm(t)->op->sum(comm(t), t->flip.sums, kf_flip_values(&t->flip), err);
}

static bool finished(const struct kf_trainer *t)
{
	return t->epoch >= t->options.epochs ||
		(t->options.patience && t->best_epoch &&
			t->best_epoch + t->options.patience < t->epoch);
}

/* Trains and validates.  Returns 1, 2 if stopped, or -1. */
static int all_batches(struct kf_trainer *t, size_t *valid, bool (*stop)(void),
	struct kf_err *err)
{
	int rc = train(t, stop, err);

	if (rc != 1)
		return rc;
	if (!t->count)
		return kf_fail(err, "no target is present in the %zu rows to train on",
			t->n - t->n_valid);
	return validate(t, valid, stop, err);
}

int kf_trainer_epoch(struct kf_trainer *t, struct kf_epoch *e, bool (*stop)(void),
	struct kf_err *err)
{
	double start = kf_seconds();
	size_t valid = 0;
	int rc;

	if (finished(t))
		return 0;
	*e = (struct kf_epoch){ .epoch = t->epoch + 1 };
	if (order_rows(t, err) < 0 || begin_images(t, err) < 0)
		return -1;
	rc = all_batches(t, &valid, stop, err);
	kf_images_end(&t->images);
	if (rc != 1)
		return rc;
	if (read_losses(t, e, valid, err) < 0)
		return -1;
	keep_best(t, e);
	if (kf_flip_looks(&t->flip, t->epoch + 1, t->options.epochs)) {
		if (sum_flip(t, err) < 0)
			return -1;
		kf_flip_move(&t->flip, &t->augmenter);
	}
	t->epoch++;
	t->batches = t->count = 0;
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

int kf_trainer_gather(struct kf_trainer *t, struct kf_err *err)
{
	struct kf_backend *b = t->net->b;

	if (!comm(t))
		return 0;
	if (read_sums(t, t->losses, 0, t->count, err) < 0 || sum_flip(t, err) < 0)
		return -1;
	b->op->write(b, t->losses, 0, t->host, t->count);
	kf_trainer_restored(t);
	return b->op->sync(b, err);
}

void kf_trainer_restored(struct kf_trainer *t)
{
	if (!comm(t) || comm(t)->rank == 0)
		return;
	memset(t->host, 0, t->count * sizeof *t->host);
	t->net->b->op->write(t->net->b, t->losses, 0, t->host, t->count);
	if (t->flip.sums)
		memset(t->flip.sums, 0, kf_flip_values(&t->flip) * sizeof(float));
}
