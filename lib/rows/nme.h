/*
 * The normalised mean error: of a row, the mean over its points of the distance between
 * truth and prediction, divided by a distance d of the row's own.
 *
 * d is that between two true points, as 300-W and WFLW take the outer corners of the eyes
 * (Sagonas et al., 300 Faces In-The-Wild Challenge, 2016), or sqrt(w h) of the smallest box
 * around all true points (Bulat and Tzimiropoulos, How far are we from solving the 2D & 3D
 * face alignment problem?, 2017).
 */
#ifndef KF_NME_H
#define KF_NME_H

#include "rows/score.h"

/* A sum of errors, 1 being d, and of how many rows. */
struct kf_nme_sum {
	double errors;
	uint64_t n;
};

struct kf_nme {
	struct kf_nme_sum all;    /* of rows */
	struct kf_nme_sum *point; /* (score->n): of a keypoint in rows */
	/* private */
	const struct kf_schema *schema; /* borrowed */
	struct kf_nme_pair *scored;     /* (points) in y and in p */
	struct kf_nme_pair *truth;      /* (truths) in y */
	int points, truths;
	int from, to; /* of truth: d is the distance between; -1: the box */
};

/*
 * Starts for a stream and the keypoints of a score that was started for it.  d is the
 * distance between the points from and to, which are among y's, or where both are NULL,
 * the box's.  -1 where there are no such points, and where no point is both in y and in p
 * with its x and its y.
 */
int kf_nme_init(struct kf_nme *m, const struct kf_score *score,
	const struct kf_schema *schema, const char *from, const char *to,
	struct kf_err *err);

/* Adds a row whose predictions are finite, as kf_score_row says; returns its error, or NaN
 * where it has none and does not count: d is missing or 0, or all points are missing. */
double kf_nme_row(struct kf_nme *m, const struct kf_chunk *c, size_t row);

/* The mean; NaN without a row. */
double kf_nme_mean(const struct kf_nme_sum *s);

void kf_nme_free(struct kf_nme *m);

#endif
