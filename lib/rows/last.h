/* The last rows of a stream, kept in memory while it passes. */
#ifndef KF_LAST_H
#define KF_LAST_H

#include <stdint.h>

#include "stream/schema.h"

struct kf_last {
	uint64_t max;         /* rows to keep, at most */
	struct kf_chunk rows; /* once there are max, a ring */
	size_t first;         /* the oldest of them */
	struct kf_chunk spare;
	size_t taken; /* of them, at the end */
};

/* Starts keeping max rows, for which memory is taken as they come. */
void kf_last_init(struct kf_last *l, uint64_t max);

/*
 * Takes the rows of a chunk, which gets those in their place that are no longer among the
 * last: the older ones, in order.  -1 when out of memory.
 */
int kf_last_pass(struct kf_last *l, struct kf_chunk *c, const struct kf_schema *s,
	struct kf_err *err);

/* Moves the oldest rows to a chunk, as many as a full one has: 1, 0 where there are none
 * left, or -1.  Nothing is passed after that. */
int kf_last_take(struct kf_last *l, struct kf_chunk *to, const struct kf_schema *s,
	struct kf_err *err);

void kf_last_free(struct kf_last *l);

#endif
