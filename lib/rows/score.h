/* How far predictions are from the truth, in pixels. */
#ifndef KF_SCORE_H
#define KF_SCORE_H

#include "stream/schema.h"

/* Squared errors of a keypoint: of its x and its y together. */
struct kf_point_score {
	char *name;     /* "nose_tip"; a column without a partner: its own name */
	double squares; /* sum, in pixels */
	uint64_t n;     /* values that are present */
};

struct kf_score {
	int n; /* keypoints, in the order of y's columns */
	struct kf_point_score *point;
	/* private */
	int pairs; /* columns that y and p share */
	struct kf_score_pair *pair;
};

/*
 * Starts for a stream with y and p, whose columns are matched by name.  -1 where
 * one of them is missing or no name is in both.
 */
int kf_score_init(struct kf_score *s, const struct kf_schema *schema,
	struct kf_err *err);

/* Adds rows.  Missing targets do not count; -1 where a prediction is no number. */
int kf_score_add(struct kf_score *s, const struct kf_schema *schema,
	const struct kf_chunk *c, struct kf_err *err);

/* Adds one row; alone gets its own squares and values, and no name. */
int kf_score_row(struct kf_score *s, const struct kf_schema *schema,
	const struct kf_chunk *c, size_t row, struct kf_point_score *alone,
	struct kf_err *err);

/* All keypoints together, which have no name. */
struct kf_point_score kf_score_sum(const struct kf_score *s);

/* Of one keypoint or row, and over all values; NaN without a value. */
double kf_score_rmse(const struct kf_point_score *p);
double kf_score_overall(const struct kf_score *s);

void kf_score_free(struct kf_score *s);

#endif
