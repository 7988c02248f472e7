/* The epoch loop. */
#define _GNU_SOURCE
#include "train.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

struct run {
	struct kf_net *net;
	const struct kf_train_options *options;
	struct kf_mem *images, *targets;
	struct kf_mem *state[2];          /* of the update rule */
	struct kf_mem *losses;            /* one a batch */
	float *host_losses;
	uint32_t *rows;                   /* 0 to n - 1 */
	uint32_t *present;                /* targets present in each row */
	size_t n, n_valid;
	size_t outputs;
	uint32_t step;                    /* updates made */
};

size_t kf_valid_rows(size_t n, double valid)
{
	/* the product may come out a little above a whole number */
	return (size_t)ceil((double)n * valid - 1e-6);
}


static void count_present(struct run *r, const float *y)
{
	for (size_t i = 0; i < r->n; i++) {
		r->rows[i] = (uint32_t)i;
		r->present[i] = 0;
		for (size_t j = 0; j < r->outputs; j++)
			r->present[i] += !isnan(y[i * r->outputs + j]);
	}
}

/* Moves the data to the backend and makes room for all else. */
static int prepare(struct run *r, struct kf_dataset *d, struct kf_err *err)
{
	struct kf_backend *b = r->net->b;
	size_t pixels = kf_image_bytes(&d->schema) / sizeof(float);
	size_t floats = r->net->layers->floats;

	r->n = d->n;
	r->n_valid = kf_valid_rows(d->n, r->options->valid);
	r->outputs = (size_t)d->schema.columns.n;
	r->rows = malloc(r->n * sizeof *r->rows);
	r->present = malloc(r->n * sizeof *r->present);
	r->host_losses = malloc(r->n * sizeof *r->host_losses);
	if (!r->rows || !r->present || !r->host_losses)
		return kf_fail(err, "out of memory for %zu rows", r->n);
	if (r->n_valid >= r->n)
		return kf_fail(err, "of %zu rows, %zu for validation leave none to "
			"train on", r->n, r->n_valid);
	count_present(r, d->y);
	r->images = b->op->adopt(b, d->X, r->n * pixels);
	r->targets = b->op->adopt(b, d->y, r->n * r->outputs);
	d->X = d->y = NULL;
	for (int i = 0; i < kf_rule_states(r->options->rule); i++)
		r->state[i] = b->op->alloc(b, floats);
	r->losses = b->op->alloc(b, r->n);
	return b->op->sync(b, err);
}

static void release(struct run *r)
{
	struct kf_backend *b = r->net->b;

	b->op->free(b, r->images);
	b->op->free(b, r->targets);
	b->op->free(b, r->state[0]);
	b->op->free(b, r->state[1]);
	b->op->free(b, r->losses);
	free(r->rows);
	free(r->present);
	free(r->host_losses);
}

static void update(struct run *r)
{
	struct kf_backend *b = r->net->b;
	struct kf_update u = kf_update(r->options->rule, r->options->rate,
		r->options->momentum, ++r->step);

	b->op->update(b, &u, r->net->weights, r->net->grads, r->state[0],
		r->state[1], r->net->layers->floats);
}

/*
 * Passes over rows [begin, end) in batches, with an update after each when
 * training.  Sets the mean of the batches' losses, NaN where there was none.
 */
static int pass_over(struct run *r, size_t begin, size_t end, bool train,
	float *loss, struct kf_err *err)
{
	struct kf_backend *b = r->net->b;
	size_t batch = (size_t)r->options->batch, count = 0;
	double sum = 0;

	for (size_t at = begin; at < end; at += batch) {
		size_t n = end - at < batch ? end - at : batch;
		struct kf_pass pass = { train, r->options->seed, r->step };
		double present = 0;

		for (size_t i = at; i < at + n; i++)
			present += r->present[i];
		if (present == 0)
			continue;
		kf_net_loss(r->net, r->images, r->targets, r->rows + at, (int)n,
			present, &pass, r->losses, count++);
		if (train)
			update(r);
	}
	b->op->read(b, r->losses, 0, r->host_losses, count);
	if (b->op->sync(b, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		sum += r->host_losses[i];
	*loss = count ? (float)(sum / (double)count) : NAN;
	return count && !isfinite(*loss) ? 1 : 0;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int epoch(struct run *r, struct kf_epoch *e, struct kf_err *err)
{
	double start = seconds();
	int train = pass_over(r, r->n_valid, r->n, true, &e->train_loss, err);
	int valid = train ? 0 : pass_over(r, 0, r->n_valid, false, &e->valid_loss, err);

	if (train < 0 || valid < 0)
		return -1;
	if (train || valid)
		return kf_fail(err, "epoch %d: the %s loss is not finite; "
			"try a lower --rate", e->epoch, train ? "train" : "valid");
	if (isnan(e->train_loss))
		return kf_fail(err, "no target is present in the %zu rows to train on",
			r->n - r->n_valid);
	e->seconds = seconds() - start;
	return 0;
}

int kf_train(struct kf_net *net, struct kf_dataset *data,
	const struct kf_train_options *options,
	void (*each_epoch)(void *context, const struct kf_epoch *e), void *context,
	struct kf_err *err)
{
	struct run r = { .net = net, .options = options };
	float best_train = INFINITY, best_valid = INFINITY;
	int rc = prepare(&r, data, err);

	for (int i = 1; rc == 0 && i <= options->epochs; i++) {
		struct kf_epoch e = { .epoch = i };

		rc = epoch(&r, &e, err);
		if (rc < 0)
			break;
		e.best_train = e.train_loss < best_train;
		e.best_valid = e.valid_loss < best_valid;
		if (e.best_train)
			best_train = e.train_loss;
		if (e.best_valid)
			best_valid = e.valid_loss;
		each_epoch(context, &e);
	}
	release(&r);
	return rc;
}
