/* The epoch loop. */
#define _GNU_SOURCE
#include "train/train.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/rng.h"
#include "train/step.h"

/* -- results ------------------------------------------------------------------------- */

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
	return kf_trainer_comm(t) ?
		kf_trainer_comm(t)->op->sum(kf_trainer_comm(t), t->host, n, err) :
		0;
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

/* Trains on the epoch's batches that are left.  Returns 1, 2 if stopped, or -1. */
static int train(struct kf_trainer *t, bool (*stop)(void), struct kf_err *err)
{
	while (t->batches < kf_slices_batches(&t->train)) {
		int rc;

		t->step++;
		rc = kf_trainer_batch(t, true, t->batches, t->count, stop, err);
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
		int rc = kf_trainer_batch(t, false, i, t->count + *count, stop, err);

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
	if (!kf_trainer_comm(t) || !t->flip.sums)
		return 0;
	return kf_trainer_comm(t)->op->sum(kf_trainer_comm(t), t->flip.sums,
		kf_flip_values(&t->flip), err);
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

/* The rows that the rest of the epoch takes through the net, on all ranks. */
static size_t rows_left(const struct kf_trainer *t)
{
	size_t done = kf_slices_position(&t->train, t->batches);

	return (done < t->train.rows ? t->train.rows - done : 0) + t->valid.rows;
}

int kf_trainer_epoch(struct kf_trainer *t, struct kf_epoch *e, bool (*stop)(void),
	struct kf_err *err)
{
	double start = kf_seconds();
	size_t valid = 0;
	int rc;

	if (finished(t))
		return 0;
	*e = (struct kf_epoch){ .epoch = t->epoch + 1, .rows = rows_left(t) };
	if (order_rows(t, err) < 0 || kf_trainer_announce(t, err) < 0)
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

int kf_trainer_finish(struct kf_trainer *t)
{
	struct kf_backend *b = t->net->b;

	if (!t->best_weights || !t->best_epoch)
		return t->epoch;
	b->op->copy(b, t->net->weights, t->best_weights, t->net->layers->floats);
	return t->best_epoch;
}

int kf_trainer_gather(struct kf_trainer *t, struct kf_err *err)
{
	struct kf_backend *b = t->net->b;

	if (!kf_trainer_comm(t))
		return 0;
	if (read_sums(t, t->losses, 0, t->count, err) < 0 || sum_flip(t, err) < 0)
		return -1;
	b->op->write(b, t->losses, 0, t->host, t->count);
	kf_trainer_restored(t);
	return b->op->sync(b, err);
}

void kf_trainer_restored(struct kf_trainer *t)
{
	if (!kf_trainer_comm(t) || kf_trainer_comm(t)->rank == 0)
		return;
	memset(t->host, 0, t->count * sizeof *t->host);
	t->net->b->op->write(t->net->b, t->losses, 0, t->host, t->count);
	if (t->flip.sums)
		memset(t->flip.sums, 0, kf_flip_values(&t->flip) * sizeof(float));
}
