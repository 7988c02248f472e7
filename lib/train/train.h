/*
 * Training, epoch by epoch, with all that a checkpoint must hold in one place.
 */
#ifndef KF_TRAIN_H
#define KF_TRAIN_H

#include "train/augment.h"
#include "train/dataset.h"
#include "train/schedule.h"
#include "net/model.h"
#include "net/net.h"
#include "net/optim.h"

struct kf_train_options {
	enum kf_rule rule;
	double rate[2]; /* from and to, linear over the epochs */
	double momentum[2];
	double weight_decay; /* this times a weight is added to its gradient */
	int epochs;
	int batch;    /* rows in a batch; the last may have fewer */
	double valid; /* the share of rows, the first ones, that validate */
	bool shuffle; /* new batches in each epoch */
	int patience; /* epochs without a better loss that end the run; */
		      /* with it the best weights are restored. 0: none */
	uint64_t seed;
	struct kf_augment augment;
	bool classify; /* cross-entropy with the labels, not squared error */
		       /* with the targets */
};

/* The results of an epoch. */
struct kf_epoch {
	int epoch;        /* 1, 2, ... */
	float train_loss; /* mean over the batches, each before its update */
	float valid_loss; /* after the epoch; NaN without validation */
	double accuracy;  /* share of validation rows that are classified */
			  /* right; NaN unless the data has labels */
	double seconds;
	bool best_train, best_valid; /* lower than in all epochs before */
};

struct kf_trainer {
	struct kf_net *net;
	struct kf_train_options options;
	struct kf_augmenter augmenter;

	/* Where the run is. */
	int epoch;      /* epochs that are complete */
	size_t at;      /* rows of the next epoch that were trained on */
	size_t count;   /* batches of it that gave a loss */
	uint32_t step;  /* updates made */
	int best_epoch; /* of the validation loss, else the train loss */
	float best_train, best_valid, best;

	/* On the backend: arenas, and one value for each batch. */
	struct kf_mem *state[2], *best_weights;
	struct kf_mem *losses, *hits; /* training's, then validation's */

	/* The data: the first n_valid rows validate. */
	size_t n, n_valid, outputs;
	struct kf_mem *images, *targets;
	float *y;             /* (n, outputs), on the host: to augment */
	struct kf_mem *moved; /* (batch, outputs): augmented targets */
	uint32_t *rows;       /* (n) the order of the epoch at hand */
	uint32_t *present;    /* (n) targets present in each row */
	float *host;          /* (n) */
};

/*
 * Prepares training a net on data, whose X and y (or labels) it takes over;
 * schema and ids stay.  Free with kf_trainer_close, also after a failure.
 */
int kf_trainer_open(struct kf_trainer *t, struct kf_net *net, struct kf_dataset *data,
	const struct kf_train_options *options, struct kf_err *err);
void kf_trainer_close(struct kf_trainer *t);

/*
 * Trains for one epoch.  A batch's loss is the sum of squared errors over the
 * number of targets present in it, and a batch without any is passed over; or
 * the mean cross-entropy.  Returns
 *
 *   1   an epoch is complete, and e describes it
 *   0   there is no further one: as many as wanted, or patience is at its end
 *   2   stop, which is asked before each batch, said so: the run is within an
 *       epoch, from where it goes on
 *   -1  a failure; one is a loss that is not finite
 */
int kf_trainer_epoch(struct kf_trainer *t, struct kf_epoch *e, bool (*stop)(void),
	struct kf_err *err);

/* After the last epoch: with patience, the best weights are restored. */
void kf_trainer_finish(struct kf_trainer *t);

#endif
