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
	struct kf_worst_row *row; /* (n), the largest error first; of equal ones, */
				  /* the one that came first */
	struct kf_chunk chunk;    /* their data, in no order */
};

/* Starts keeping max rows; -1 where they would take more than some
 * megabytes, and err says how many would fit. */
int kf_worst_init(struct kf_worst *w, const struct kf_schema *schema, int max,
	struct kf_err *err);

/* Keeps a row of c, unless max rows with errors no smaller are kept already. */
void kf_worst_add(struct kf_worst *w, const struct kf_chunk *c, size_t row,
	double error);

void kf_worst_free(struct kf_worst *w);

#endif
