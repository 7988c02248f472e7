/* One batch of a run: a step by it, or its share of the validation. */
#ifndef KF_STEP_H
#define KF_STEP_H

#include "train/trainer.h"

/* Has the images come of the batches that the epoch still has, in their order; -1 on
 * failure. */
int kf_trainer_announce(struct kf_trainer *t, struct kf_err *err);

/*
 * Computes the loss of batch number i, of those to train on or to validate, into a slot
 * and, in training, makes a step.  The order of rows and the number of the step are set
 * already.  Returns 1, 0 if no target is present, 2 if stop() or that of another rank
 * returned true, or -1.
 */
int kf_trainer_batch(struct kf_trainer *t, bool train, size_t i, size_t slot,
	bool (*stop)(void), struct kf_err *err);

#endif
