/*
 * Dividing rows in two by chance.  Each goes by itself, by the seed and its key, which is
 * its id or stands for its group: it is on the same side in any stream, whatever other
 * rows there are.
 */
#ifndef KF_SPLIT_H
#define KF_SPLIT_H

#include "stream/schema.h"

struct kf_split {
	uint64_t seed;
	double share;    /* the chance of a row, from 0 to 1, */
	int fold, folds; /* or with folds > 0, the fold whose rows it takes, from 1 */
};

/* Sets the fold from a text such as "2/5"; -1 with a message. */
int kf_split_fold(struct kf_split *s, const char *text, struct kf_err *err);

/* Whether a row with this key is taken. */
bool kf_split_takes(const struct kf_split *s, uint64_t key);

/* Keeps the rows that are taken (c->n) in c, and adds the others to rest, which grows as
 * needed; -1 when out of memory. */
int kf_split_rows(struct kf_chunk *c, const bool *taken, struct kf_chunk *rest,
	const struct kf_schema *schema, struct kf_err *err);

#endif
