/*
 * Finding what x of a point and of its mirror image add up to: labels need not be
 * measured from the middle of the first pixel, as images are mirrored.
 *
 * A net cannot tell a mirrored face from another, so that where the sum S that labels are
 * mirrored by is not the labels' own S*, it learns what lies between.  As long as it learns,
 * it keeps to the mean, too: p = c + k (t + d) for labels t, with the same c and k on both
 * kinds of rows, and d = S* - S on mirrored ones, 0 on others.  So the difference of the
 * means of p is k times d and the difference of the means of t.  Where that is large, as of
 * faces beside the middle, a net does tell the kinds apart by where they are: then it learns
 * both kinds' labels, whatever S is, and tells nothing.
 */
#ifndef KF_FLIP_SUM_H
#define KF_FLIP_SUM_H

#include "train/augment.h"

/* Sums of an epoch so far: F32, so that a checkpoint holds them as they are. */
enum kf_flip_value { KF_FLIP_N, KF_FLIP_P, KF_FLIP_T, KF_FLIP_PT, KF_FLIP_TT };
enum { KF_FLIP_VALUES = KF_FLIP_TT + 1 };

struct kf_flip_finder {
	int m;
	float *sums; /* (2, KF_FLIP_VALUES, m), those of mirrored rows last; NULL if it does */
		     /* not look for the sum at all */
	int moves; /* of the sum so far */
};

/* For m targets; kf_flip_close it in any case.  -1 when out of memory. */
int kf_flip_open(struct kf_flip_finder *f, int m, struct kf_err *err);
void kf_flip_close(struct kf_flip_finder *f);
size_t kf_flip_values(const struct kf_flip_finder *f); /* how many sums has */

/*
 * Whether it looks for the sum in this epoch of `epochs`: from the second eighth on, when
 * a net knows where a face's points are, and for a quarter of them.
 */
bool kf_flip_looks(const struct kf_flip_finder *f, int epoch, int epochs);

/* Adds a batch: outputs p and targets (n, m), NaN where missing, of the images that warps
 * (n) made. */
void kf_flip_add(struct kf_flip_finder *f, const struct kf_augmenter *g, const float *p,
	const float *targets, const struct kf_warp *warps, int n);

/*
 * At the end of an epoch, moves g's sum by what its rows say, if they say anything.  The first time it goes all the way, and later, when it mostly hears the same, a
 * part of it.
 */
void kf_flip_move(struct kf_flip_finder *f, struct kf_augmenter *g);

#endif
