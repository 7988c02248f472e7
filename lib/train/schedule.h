/* Which rows validate, and values that change over the epochs. */
#ifndef KF_SCHEDULE_H
#define KF_SCHEDULE_H

#include <stddef.h>

/* How many rows of n, the first ones, validate for a share of them: as many as in
 * the first fold of scikit-learn's KFold for a share of 1/k. */
size_t kf_valid_rows(size_t n, double share);

/*
 * The value in epoch 1, 2, ... of what goes linearly from range[0] to range[1] over
 * so many epochs.  As in the tutorial, the first two epochs both have range[0], so
 * that the last is one step of (range[1] - range[0]) / (epochs - 1) before range[1].
 */
double kf_schedule(const double range[2], int epoch, int epochs);

#endif
