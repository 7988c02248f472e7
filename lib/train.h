/* The epoch loop. */
#ifndef KF_TRAIN_H
#define KF_TRAIN_H

#include "dataset.h"
#include "net.h"
#include "optim.h"

struct kf_train_options {
	enum kf_rule rule;
	double rate, momentum;
	int epochs;
	int batch;             /* rows in a batch; the last may have fewer */
	double valid;          /* the share of rows, the first ones, that validate */
	uint64_t seed;         /* of random numbers while training */
};

/* What an epoch came to. */
struct kf_epoch {
	int epoch;             /* 1, 2, ... */
	float train_loss;      /* mean over the batches, each before its update */
	float valid_loss;      /* after the epoch; NaN without validation */
	double seconds;
	bool best_train, best_valid; /* lower than in all epochs before */
};

/* Rows that validate: the first fold of scikit-learn's KFold for a share 1/k. */
size_t kf_valid_rows(size_t n, double valid);

/*
 * Trains for options->epochs epochs, calling each_epoch after every one with
 * the context given.  Takes over the data's X and y.  A batch's loss is the sum
 * of squared errors over the number of targets present in it; a batch without
 * any is passed over.  Ends with -1 when a loss is not finite.
 */
int kf_train(struct kf_net *net, struct kf_dataset *data,
	const struct kf_train_options *options,
	void (*each_epoch)(void *context, const struct kf_epoch *e), void *context,
	struct kf_err *err);

#endif
