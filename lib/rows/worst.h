/* The rows of a stream with the largest errors, kept in memory. */
#ifndef KF_WORST_H
#define KF_WORST_H

#include "stream/schema.h"

/* One of them, and where in the chunk it is. */
struct kf_worst_row {
	double error;
	size_t at;
};

struct kf_worst {
	struct kf_schema schema;  /* a copy, so that the stream may be closed */
	int n, max;               /* rows kept, and how many at most */
	struct kf_worst_row *row; /* (n), the largest error first; of two that */
				  /* are equal, the one that came first */
	struct kf_chunk chunk;    /* their data, in no order */
};

/* -1 where max rows would take more than some megabytes; err says how many do
 * not. */
int kf_worst_init(struct kf_worst *w, const struct kf_schema *schema, int max,
	struct kf_err *err);

/* Keeps a row of c, unless as many with larger errors are there. */
void kf_worst_add(struct kf_worst *w, const struct kf_chunk *c, size_t row,
	double error);

void kf_worst_free(struct kf_worst *w);

#endif
