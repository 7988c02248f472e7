/*
 * A checkpoint: a model of the weights as they are, and all else that a run
 * needs to continue bit for bit: the update rule's state, the best weights, the
 * position within the current epoch.  Random numbers need nothing more, since
 * each depends only on the seed and on where it is used.
 */
#ifndef KF_CHECKPOINT_H
#define KF_CHECKPOINT_H

#include "net/model.h"
#include "train/train.h"

/*
 * Writes path, whole or not at all. m has the options (its notes) and the
 * histories; digest is the data's, kf_dataset_digest.
 */
int kf_checkpoint_write(const char *path, struct kf_trainer *t, struct kf_model *m,
	uint64_t digest, struct kf_err *err);

/*
 * Restores t, just opened, and m's histories from path.  -1 where that is not a
 * checkpoint, or one of other options or data; the message says which.
 */
int kf_checkpoint_read(const char *path, struct kf_trainer *t, struct kf_model *m,
	uint64_t digest, struct kf_err *err);

#endif
