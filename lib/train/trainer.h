/* The state of a training run, which a checkpoint must hold, and its data. */
#ifndef KF_TRAINER_H
#define KF_TRAINER_H

#include "train/augment.h"
#include "train/dataset.h"
#include "train/flip_sum.h"
#include "train/images.h"
#include "train/schedule.h"
#include "train/slices.h"
#include "net/net.h"
#include "net/optim.h"

struct kf_train_options {
	enum kf_rule rule;
	struct kf_schedule rate, momentum;
	int warmup;          /* epochs in which the rate rises to its start */
	double weight_decay; /* see kf_update */
	int epochs;
	int batch;    /* rows in a batch; the last may have fewer */
	double valid; /* share of the rows that do not validate already, the */
		      /* first ones, to validate as well */
	bool shuffle; /* the training rows, again in each epoch */
	int patience; /* the run ends after more epochs than this without a */
		      /* better loss; 0 for no limit */
	bool last;    /* ends with the last weights, where else it would with the */
		      /* best: where rows validate, or with a patience */
	uint64_t seed;
	struct kf_augment augment;
	bool classify;       /* cross-entropy with labels, else a loss of targets */
	struct kf_loss loss; /* in pixels */
	/* Where several ranks train the net together, else NULL: each has the same rows to
	 * train on, or, with shards, rows of its own; and likewise to validate.  All of them
	 * call what follows together. */
	struct kf_comm *comm;
	bool shards, valid_shards;
};

struct kf_trainer {
	struct kf_net *net;
	struct kf_train_options options;
	struct kf_augmenter augmenter;
	struct kf_flip_finder flip;
	struct kf_loss loss; /* as outputs are scaled */

	/* Progress. */
	int epoch;      /* completed epochs */
	size_t batches; /* of the current epoch that are done, */
	size_t count;   /* and those of them that had a loss */
	uint32_t step;  /* updates made */
	int best_epoch; /* by validation loss, else by training loss */
	float best_train, best_valid, best; /* losses; best is best_epoch's */

	/* On the backend: arenas, and values for each batch. */
	struct kf_mem *state[2];
	struct kf_mem *best_weights; /* or NULL where the last are wanted */
	size_t slots;                /* batches of an epoch: as many values have */
	struct kf_mem *losses,
		*hits; /* training's, then validation's: this rank's part */

	/* This rank's data: the first n_valid rows validate. */
	size_t n, n_valid, outputs;
	struct kf_slices train, valid; /* the rows on all ranks, cut into batches */
	struct kf_images images;
	struct kf_part *parts; /* (slots) the batches of an epoch that images gets */
	struct kf_mem *targets;
	float *y;             /* (n, outputs) on the host, for augmentation, or NULL */
	struct kf_mem *moved; /* (batch, outputs): augmented targets */
	uint32_t *rows;       /* (n) the current epoch's order */
	uint32_t *present;    /* (n) targets present in each row */
	float *host;          /* (slots) values read back */
	float *outputs_read;  /* (batch, outputs), if flip looks for the sum */
};

/* The ranks that train the net, or NULL. */
static inline struct kf_comm *kf_trainer_comm(const struct kf_trainer *t)
{
	return t->options.comm;
}

/*
 * Prepares to train a net, which must outlive t, on data.  It takes ownership of data's
 * X or file and of y, and sets them to NULL; the rest stays the caller's.  -1 on failure, also
 * where a target is missing in all rows to train on; kf_trainer_close it in any case.
 */
int kf_trainer_open(struct kf_trainer *t, struct kf_net *net, struct kf_dataset *data,
	const struct kf_train_options *options, struct kf_err *err);
void kf_trainer_close(struct kf_trainer *t);

#endif
