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

/* A file that belongs to one run, which writes its checkpoints there. */
struct kf_checkpoint {
	const char *path;
	int lock; /* -1 while there is no file */
	bool written;
};

/*
 * Takes path, which must live as long as c, for the run.  -1 if another run has
 * it, or if it cannot be written; and, unless overwrite is set, if what is there
 * would be lost: a checkpoint with epochs in it, or any other file that is not
 * empty.  A file that is the same as the one at resume, which may be NULL, goes on
 * and is not lost.
 */
int kf_checkpoint_open(struct kf_checkpoint *c, const char *path, const char *resume,
	bool overwrite, struct kf_err *err);

/*
 * Writes the checkpoint completely or not at all.  m has the options (its notes) and
 * the histories, and no tensors; digest is the data's.  -1 on
 * failure.
 */
int kf_checkpoint_write(struct kf_checkpoint *c, struct kf_trainer *t,
	struct kf_model *m, uint64_t digest, struct kf_err *err);

void kf_checkpoint_close(struct kf_checkpoint *c);

/*
 * Restores t, which has just been opened, and m's histories from path; m holds the
 * options, and histories long enough for all epochs.  -1 if path is not a checkpoint,
 * or one of a run with other options or data; the message says which.  Where t keeps the
 * best weights and the checkpoint has none, as older ones, t->options.last becomes true.
 */
int kf_checkpoint_read(const char *path, struct kf_trainer *t, struct kf_model *m,
	uint64_t digest, struct kf_err *err);

#endif
