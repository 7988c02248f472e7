/*
 * A checkpoint: a model of the weights as they are, and all else that a run
 * needs to go on bit for bit: the update rule's state, the best weights, where
 * in which epoch it is.  Random numbers need no more, since each depends only
 * on the seed and on where it is used.
 */
#ifndef KF_CHECKPOINT_H
#define KF_CHECKPOINT_H

#include "net/model.h"
#include "train/train.h"

/*
 * Writes path, whole or not at all.  m tells of options (its notes) and holds
 * the histories; digest is the data's, kf_dataset_digest.
 */
int kf_checkpoint_write(const char *path, struct kf_trainer *t, struct kf_model *m,
	uint64_t digest, struct kf_err *err);

/*
 * Brings t, just opened, and m's histories to where path is.  -1 where that is
 * no checkpoint, or one of other options or data; the message says which.
 */
int kf_checkpoint_read(const char *path, struct kf_trainer *t, struct kf_model *m,
	uint64_t digest, struct kf_err *err);

#endif
