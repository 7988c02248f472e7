/*
 * Back to the photograph: targets and predictions in pixels of the photograph that a row
 * is from, by the inverse of the row's transform.
 */
#ifndef KF_ORIGINAL_H
#define KF_ORIGINAL_H

#include "stream/schema.h"

/* Free it with kf_original_free. */
struct kf_original {
	const struct kf_schema *in; /* borrowed */
	/* private: for each column of y and of p that of the other axis, or -1 */
	int *y_partner, *p_partner;
};

/*
 * Starts for a stream with transforms.  out gets the schema of its rows in the photograph,
 * which the caller frees: nothing is scaled, and images, which show another place, are
 * left out.  -1 where the stream has no transform, with nothing to free.
 */
int kf_original_open(struct kf_original *o, const struct kf_schema *in,
	struct kf_schema *out, struct kf_err *err);

/*
 * Takes y and p of one row, or of all, to the photograph, in place; X stays where it is,
 * though the schema of the result has none.  Columns are paired as NAME_x and NAME_y, and
 * what is neither is no place and only loses its scaling.  Where a transform turns or
 * shears, a point that lacks a coordinate becomes missing.
 *
 * What it gives is exact to the float32 that holds it: a place at 20,000 pixels to 0.001,
 * and what a place in a small image had lost of it before.
 *
 * -1, with the row's id, for a transform that is not finite or has no inverse, and for one
 * that turns or shears where a column lacks its partner.
 */
int kf_original_row(const struct kf_original *o, struct kf_chunk *c, size_t row,
	struct kf_err *err);
int kf_original_rows(const struct kf_original *o, struct kf_chunk *c,
	struct kf_err *err);

void kf_original_free(struct kf_original *o);

#endif
