/*
 * The header of a chunk: a schema as the metadata and tensors of a safetensors
 * blob, and back.  Messages have no place: kf_st_place knows it.
 */
#ifndef KF_HEADER_H
#define KF_HEADER_H

#include "stream/safetensors.h"
#include "stream/schema.h"

/* The metadata that says what the tensors do not; the caller frees it. */
struct kf_meta kf_header_meta(const struct kf_schema *s);

/*
 * The schema and the number of rows of a blob that was opened; the caller frees
 * the schema.  Of a foreign one columns are named y1, y2, ... and X may lack
 * its channels.  -1 with nothing to free where the blob is no chunk.
 */
int kf_header_schema(const struct kf_st *st, struct kf_schema *s, size_t *rows,
	struct kf_err *err);

#endif
