/* The log of a run of kfkd-train: a file of TSV with a line for each epoch. */
#ifndef TRAIN_LOG_H
#define TRAIN_LOG_H

#include "net/model.h"
#include "progress.h"

/* Takes the file for this run, and leaves it as it is.  Dies where that cannot be, or where
 * it holds something else than a log. */
void train_log_open(const char *path);

/*
 * What follows does nothing where no log is open.
 *
 * Before the first epoch: the lines of epochs that t has done stay, if it has done any.  Those
 * that are missing, or have other losses than m, come from m; all others are cut off.
 */
void train_log_start(const struct kf_trainer *t, const struct kf_model *m,
	const struct progress *p);

/* Adds an epoch's line, in one write.  A failure has a warning, and ends the log. */
void train_log_epoch(const struct kf_trainer *t, const struct kf_epoch *e,
	const struct progress *p);

/* Closes the log; -1 if it has ended before the run. */
int train_log_close(void);

#endif
