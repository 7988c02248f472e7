/* Opening a run: its data go to the backend, and memory is got for all that it keeps. */
#define _GNU_SOURCE
#include "train/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The most rows that this rank has of a batch. */
static size_t most_rows(const struct kf_trainer *t)
{
	size_t batch = (size_t)t->options.batch;

	return t->n < batch ? t->n : batch;
}

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
	if (!kf_trainer_comm(t))
		return 0;
	return kf_trainer_comm(t)->op->sum_doubles(kf_trainer_comm(t), values,
		t->outputs, err);
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
		kf_slices_open(&t->valid, o->comm, o->valid_shards, o->batch,
			t->n_valid, err) < 0)
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
		.n_valid = data->n_valid +
			kf_valid_rows(data->n - data->n_valid, options->valid),
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
	if (!options->last && (options->patience || t->valid.rows))
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
