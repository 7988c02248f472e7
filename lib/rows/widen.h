/*
 * Texts of one width, stream/texts.h, made as wide as those of another stream, so that
 * both can be joined.
 */
#ifndef KF_WIDEN_H
#define KF_WIDEN_H

#include "stream/schema.h"

/* Makes s as wide as other where that is wider, in texts that both have. */
void kf_widen_schema(struct kf_schema *s, const struct kf_schema *other);

/* to becomes the rows of from with the texts of out, the schema in made wider.  Its texts
 * are its own, until kf_widen_free; all else is that of from. */
int kf_widen_rows(const struct kf_schema *in, const struct kf_chunk *from,
	const struct kf_schema *out, struct kf_chunk *to, struct kf_err *err);
void kf_widen_free(struct kf_chunk *to);

#endif
