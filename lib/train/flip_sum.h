/*
 * Finding what x of a point and of its mirror image add up to: labels need not be
 * measured from the middle of the first pixel, as images are mirrored.
 *
 * A net cannot tell a mirrored face from another, so that it learns the mean of both
 * kinds' labels: where their sum is too large by s, it is wrong by s / 2 to one side on
 * faces as they are, and to the other on mirrored ones.
 */
#ifndef KF_FLIP_SUM_H
#define KF_FLIP_SUM_H

#include "net/model.h"
#include "train/augment.h"

/* Errors along x in an epoch so far, in pixels: of rows as they are, and mirrored. */
struct kf_flip_errors {
	double sum[2], count[2];
};

/*
 * Whether training looks for the sum in this epoch of `epochs`: from the second eighth on,
 * when the net knows where a face's points are, and for a quarter of them.
 */
bool kf_flip_looks(const struct kf_augment *a, int epoch, int epochs);

/* Adds the errors of a batch: p and targets (n, m), NaN where missing, of the images that
 * warps (n) made. */
void kf_flip_add(struct kf_flip_errors *e, const struct kf_augmenter *g, const float *p,
	const float *targets, const struct kf_warp *warps, int n);

/* Moves g's sum by what the errors of this epoch say, and clears them.  The first moves it
 * all the way, and later ones, which mostly repeat it, a part. */
void kf_flip_update(struct kf_flip_errors *e, struct kf_augmenter *g, int epoch,
	int epochs);

#endif
