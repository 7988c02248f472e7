/*
 * A checkpoint: a model with the current weights, and everything else that a run
 * needs to continue bit for bit: the optimizer states, the best weights, and the
 * position within the current epoch.  Random numbers have no state, since each depends
 * only on the seed and on where it is used.
 */
#ifndef KF_CHECKPOINT_H
#define KF_CHECKPOINT_H

#include "net/model.h"
#include "train/train.h"

/*
 * Writes path completely or not at all.  m has the options (its notes) and the
 * histories, and no tensors; digest is the data's, from kf_dataset_digest.  -1 on
 * failure.
 */
int kf_checkpoint_write(const char *path, struct kf_trainer *t, struct kf_model *m,
	uint64_t digest, struct kf_err *err);

/*
 * Restores t, which has just been opened, and m's histories from path; m holds the
 * options, and histories long enough for all epochs.  -1 if path is not a checkpoint,
 * or one of a run with other options or data; the message says which.
 */
int kf_checkpoint_read(const char *path, struct kf_trainer *t, struct kf_model *m,
	uint64_t digest, struct kf_err *err);

#endif
