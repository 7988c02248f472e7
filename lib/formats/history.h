/*
 * The log of a training run: a table of tab-separated values with a line for each epoch,
 * which grows while the run goes on.  Its first line names the columns, of which these
 * are used, in any order:
 *
 *   epoch         counted from 1, rising; epochs that are left out have no losses
 *   train, valid  losses
 *   px            the RMSE of validation in pixels; may be missing
 *   seconds       that the epoch took; may be missing
 *
 * "-" or nothing stands for no value.  A last line without its end is still being written,
 * and is left out.
 */
#ifndef KF_HISTORY_H
#define KF_HISTORY_H

#include <stdbool.h>

#include "base/err.h"

#define KF_HISTORY_EPOCHS 1000000 /* at most */

struct kf_history {
	int epochs;
	float *train, *valid; /* (epochs), NaN where there is none */
	double *seconds; /* (epochs) from the log's start to the end of each; NaN from */
			 /* the first line on that lacks them */
	double pixels;   /* the RMSE in pixels is pixels * sqrt(loss); 0: not known */
};

/* Whether what a file of any kind holds may be a log and no model: 1, 0 or -1, as where
 * there is nothing.  fd must be seekable, and stays where it is. */
int kf_history_claims(int fd, const char *name, struct kf_err *err);

/* Reads a log from fd, which stays the caller's.  -1 with nothing to free, also where it
 * has no epoch. */
int kf_history_read(struct kf_history *h, int fd, const char *name, struct kf_err *err);
void kf_history_free(struct kf_history *h);

#endif
