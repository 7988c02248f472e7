/* Writing the tensor stream that reader.h reads. */
#ifndef KF_WRITER_H
#define KF_WRITER_H

#include "stream/schema.h"

/* Opens a writer on fd, which stays the caller's; the schema is copied.  NULL
 * with err filled on failure. */
struct kf_writer *kf_writer_open(int fd, const char *name, const struct kf_schema *s,
	struct kf_err *err);
/* Passes a chunk on at once; an empty one is dropped. */
int kf_writer_write(struct kf_writer *w, const struct kf_chunk *chunk,
	struct kf_err *err);
/* Writes the last chunk, without which a stream counts as truncated. */
int kf_writer_end(struct kf_writer *w, struct kf_err *err);
void kf_writer_close(struct kf_writer *w);

/*
 * A writer of a single blob that holds all rows; temporary files keep them
 * until kf_writer_end.
 */
struct kf_writer *kf_writer_open_single(int fd, const char *name,
	const struct kf_schema *s, struct kf_err *err);

#endif
