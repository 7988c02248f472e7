/* What kfkd-dropna and kfkd-scale do to rows. */
#ifndef KF_FILTER_H
#define KF_FILTER_H

#include "stream/schema.h"

/* Whether a row has all of its targets. */
bool kf_row_is_complete(const struct kf_schema *s, const struct kf_chunk *c,
	size_t row);

/* Drops, in place, the rows that have a missing target. */
void kf_drop_missing(struct kf_chunk *c, const struct kf_schema *s);

/*
 * Scaling: pixels v / 255; targets and predictions (v - half) / half, where
 * half is half the width for columns named ..._x and half the height for ..._y.
 * out gets the schema of the scaled rows, which the caller frees; -1 where in
 * is scaled already or has a column of another name.  With `bytes` pixels stay bytes,
 * which stand for v / 255.
 */
int kf_scale_schema(const struct kf_schema *in, bool bytes, struct kf_schema *out,
	struct kf_err *err);
/* Whether pixels that are not scaled lie between 0 and 1, and not all are 0: they may
 * have been scaled elsewhere. */
bool kf_looks_scaled(const struct kf_schema *s, const struct kf_chunk *c);
/* to's memory grows as needed; -1 without any, or where a pixel that should become a
 * byte is no whole number from 0 to 255. */
int kf_scale_rows(const struct kf_schema *in, struct kf_chunk *from,
	const struct kf_schema *out, struct kf_chunk *to, struct kf_err *err);

/* Undoes scaling: pixels become U8 again; -1 where one is not from 0 to 255. */
int kf_unscale_schema(const struct kf_schema *in, struct kf_schema *out,
	struct kf_err *err);
int kf_unscale_rows(const struct kf_schema *in, struct kf_chunk *from,
	const struct kf_schema *out, struct kf_chunk *to, struct kf_err *err);

#endif
