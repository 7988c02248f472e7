/* Predictions of one or more models for the rows of a stream. */
#ifndef KF_PREDICT_H
#define KF_PREDICT_H

#include "net/backend.h"
#include "net/model.h"
#include "train/mirror_mean.h"
#include "stream/schema.h"

/*
 * Opens n models for rows of schema in, on a backend that must outlive the predictor.
 * The models stay the caller's and may be freed afterwards.  out, which the caller
 * frees, gets the schema with the predictions added: the columns of all models, each
 * once.  NULL, with nothing to free, if a model does not fit the rows or another model.
 */
struct kf_predictor *kf_predictor_open(struct kf_backend *b,
	const struct kf_model *models, int n, const struct kf_schema *in,
	struct kf_schema *out, struct kf_err *err);
void kf_predictor_close(struct kf_predictor *p);

/*
 * Averages each prediction with that for the mirror image of the face, mirrored back, from
 * the next run on; models are those that p was opened with.  -1 for models of classes, and
 * for columns that lack their other side.
 */
int kf_predictor_flip(struct kf_predictor *p, const struct kf_model *models,
	struct kf_err *err);

/* The sums of the i-th model. */
struct kf_flip_sum kf_predictor_sum(const struct kf_predictor *p, int i);

/*
 * Fills to, which shares all but p with from; p belongs to the predictor and is valid
 * until the next call.  A column that several models predict gets their mean.  -1 on
 * failure.
 */
int kf_predictor_run(struct kf_predictor *p, const struct kf_chunk *from,
	struct kf_chunk *to, struct kf_err *err);

#endif
