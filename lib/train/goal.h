/* How far a model's outputs for a row are off. */
#ifndef KF_GOAL_H
#define KF_GOAL_H

#include "net/model.h"

/*
 * The error of a row is, in pixels, the root of the mean of the squared differences
 * between its outputs and its targets, over those that are present; and of a model of
 * classes -log of the probability of the row's class.  A row without them has in their
 * place what the model finds in the image as it is.
 */
struct kf_goal {
	int m; /* outputs */
	bool classify;
	const struct kf_schema *schema;
	int *column;    /* (m) the column of y that each is compared with, or -1 */
	double *pixels; /* (m) that an output of 1 stands for */
	double *truth;  /* (m) NaN where missing; of classes the number, in the first */
};

/* For rows of a schema, which must outlive it.  -1 when out of memory; kf_goal_close it in
 * any case. */
int kf_goal_open(struct kf_goal *g, const struct kf_model *m,
	const struct kf_schema *schema, struct kf_err *err);
void kf_goal_close(struct kf_goal *g);

/* Whether a row has a class, or a target that is predicted. */
bool kf_goal_known(const struct kf_goal *g, const struct kf_chunk *c, size_t row);

/* The row that the others are about from now on, and its outputs (m) as it is. */
void kf_goal_set(struct kf_goal *g, const struct kf_chunk *c, size_t row,
	const float *out);

double kf_goal_error(const struct kf_goal *g, const float *out /* (m) */);
/* d (m) = the error's derivatives by the outputs; 0 where the error is. */
void kf_goal_gradient(const struct kf_goal *g, const float *out /* (m) */, float *d);

#endif
