/*
 * Rows in a random order, or some of them.
 *
 * Each row gets a random number, by the seed and its place in the stream; the rows come in
 * the order of these, and a sample of N rows is the first N.  They wait in a temporary
 * file, of which a sample takes no more than N rows; in memory are 16 bytes for each.
 */
#ifndef KF_SHUFFLE_H
#define KF_SHUFFLE_H

#include <stdint.h>

#include "stream/schema.h"

struct kf_shuffle; /* its rows */

/* max is how many rows there are in the end, at most; the schema must outlive what is
 * returned.  NULL on failure. */
struct kf_shuffle *kf_shuffle_open(const struct kf_schema *s, uint64_t seed,
	uint64_t max, struct kf_err *err);

/* Takes all rows of a chunk. */
int kf_shuffle_add(struct kf_shuffle *s, const struct kf_chunk *c, struct kf_err *err);

/* When all are there: the next rows, as many as a full chunk has.  1, 0 after the last,
 * or -1. */
int kf_shuffle_next(struct kf_shuffle *s, struct kf_chunk *to, struct kf_err *err);

void kf_shuffle_close(struct kf_shuffle *s);

#endif
