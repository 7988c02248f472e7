/*
 * The header of a chunk: a schema as the metadata and tensors of a safetensors
 * blob, and back.  Messages come without a place, which kf_st_place adds.
 */
#ifndef KF_HEADER_H
#define KF_HEADER_H

#include "stream/safetensors.h"
#include "stream/schema.h"

/* The metadata that says what the tensors do not; the caller frees it.  As with
 * all metadata, what writes it notices where it is incomplete. */
struct kf_meta kf_header_meta(const struct kf_schema *s);

/* Whether an open blob claims to be a chunk, rather than a model. */
bool kf_header_is_chunk(const struct kf_st *st);

/*
 * The schema, which the caller frees, and the number of rows of an open blob.
 * In a foreign one X may lack its channels, and columns without names are
 * called y1, y2, ... Returns -1, with nothing to free, where the blob is not a
 * chunk.
 */
int kf_header_schema(const struct kf_st *st, struct kf_schema *s, size_t *rows,
	struct kf_err *err);

/* The names of so many classes in the metadata of a stream or model, if it has any; the
 * caller frees them even where this fails. */
int kf_header_class_names(const struct kf_st *st, int classes, struct kf_names *names,
	struct kf_err *err);

#endif
