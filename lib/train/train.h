/* Training, epoch by epoch. */
#ifndef KF_TRAIN_H
#define KF_TRAIN_H

#include "train/trainer.h"

/* The results of an epoch. */
struct kf_epoch {
	int epoch;        /* 1, 2, ... */
	float train_loss; /* mean over the batches, each before its update */
	float valid_loss; /* after the epoch; NaN without validation */
	double accuracy;  /* share of validation rows classified correctly; */
			  /* NaN unless it classifies and validates */
	size_t rows; /* that went through the net meanwhile, to train or to validate, */
	double seconds; /* and how long that took: less after a stop within the epoch */
	bool best_train, best_valid; /* lower than in all earlier epochs */
};

/*
 * Trains for one epoch.  A batch's loss is the sum of squared errors divided by the
 * number of targets present in it, whatever loss the gradients are of, and a batch
 * without any is skipped; or it is the mean cross-entropy.  Returns
 *
 *   1   the epoch is complete, and e describes it
 *   0   training is over: all epochs are done, or patience has run out
 *   2   stop(), which is called before each batch, returned true: the next call
 *       continues within the epoch
 *   -1  failure, such as a loss that is not finite
 */
int kf_trainer_epoch(struct kf_trainer *t, struct kf_epoch *e, bool (*stop)(void),
	struct kf_err *err);

/*
 * Before a checkpoint: of what the ranks have summed apart since the epoch began, rank 0 has
 * the sums, and the others have zeros.  Restored does the latter after one was read.
 */
int kf_trainer_gather(struct kf_trainer *t, struct kf_err *err);
void kf_trainer_restored(struct kf_trainer *t);

/* After the last epoch: restores the best weights, unless the last are wanted.  Returns the
 * epoch that they are of. */
int kf_trainer_finish(struct kf_trainer *t);

#endif
