/* One batch of a run. */
#define _GNU_SOURCE
#include "train/step.h"

#include <math.h>
#include <stdlib.h>

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

	if (!kf_trainer_comm(t))
		return 0;
	if (kf_trainer_comm(t)->op->sum_doubles(kf_trainer_comm(t), v, 2, err) < 0)
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
		.share = { kf_trainer_comm(t), a->slice.first, a->slice.all,
			a->idle } };
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
	if (kf_trainer_comm(t) && b->op->check(b, err) < 0)
		return -1;
	return 1;
}

int kf_trainer_batch(struct kf_trainer *t, bool train, size_t i, size_t slot,
	bool (*stop)(void), struct kf_err *err)
{
	struct batch a;
	bool stopped = stop();
	int rc;

	if (stopped && !kf_trainer_comm(t))
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

int kf_trainer_announce(struct kf_trainer *t, struct kf_err *err)
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
