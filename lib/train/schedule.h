/* The validation split, and values that change over the epochs. */
#ifndef KF_SCHEDULE_H
#define KF_SCHEDULE_H

#include <stddef.h>

/* The number of validation rows, the first ones of n, for a share of them.  For 1/k, it
 * is the size of the first fold of scikit-learn's KFold. */
size_t kf_valid_rows(size_t n, double share);

/*
 * The value in epoch 1, 2, ... of a schedule that goes linearly from range[0] to
 * range[1].  As in the tutorial, the first two epochs both have range[0], so that the
 * last is one step of (range[1] - range[0]) / (epochs - 1) short of range[1].
 */
double kf_schedule(const double range[2], int epoch, int epochs);

#endif
