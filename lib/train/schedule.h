/* The validation split, and values that change over the epochs. */
#ifndef KF_SCHEDULE_H
#define KF_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* The number of validation rows, the first ones of n, for a share of them.  For 1/k, it
 * is the size of the first fold of scikit-learn's KFold. */
size_t kf_valid_rows(size_t n, double share);

enum kf_shape { KF_LINEAR_SHAPE, KF_COSINE_SHAPE, KF_STEP_SHAPE };

/* How a value changes over the epochs; all zeros but `from` and `to` is a line. */
struct kf_schedule {
	double from, to;
	enum kf_shape shape;
	int stages; /* of a step shape */
};

/*
 * Sets the shape from "linear", "cosine", "step", which has 3 stages, or "step:4"; -1 with
 * a message on an error.
 */
int kf_schedule_shape(struct kf_schedule *s, const char *text, struct kf_err *err);

/* Writes "0.1:0.001:step:3": what is given to the options that make it s. */
void kf_schedule_print(const struct kf_schedule *s, char *text, size_t size);

/* Whether the value depends on the number of epochs. */
bool kf_schedule_changes(const struct kf_schedule *s);

/*
 * The value in epoch e = 1, 2, ... of n.
 *
 *   linear  As in the tutorial, the first two epochs both have `from`, and each further
 *           one goes (to - from) / (n - 1) on, so that the last is one such step short.
 *   cosine  to + (from - to) (1 + cos(pi (e - 1) / n)) / 2: half a cosine, whose next
 *           value would be `to`, as in PyTorch's CosineAnnealingLR.
 *   step    `stages` parts of the same length, of which each has the value of the one
 *           before times the same factor, from `from` to `to`.
 */
double kf_schedule_at(const struct kf_schedule *s, int epoch, int epochs);

/*
 * The same after `warmup` epochs in which it rises to `from` in equal steps, from
 * from / (warmup + 1) on; the schedule takes the epochs behind them.
 */
double kf_schedule_warm(const struct kf_schedule *s, int warmup, int epoch, int epochs);

#endif
