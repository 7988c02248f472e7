/* Writing the tensor stream that reader.h reads. */
#ifndef KF_WRITER_H
#define KF_WRITER_H

#include "stream/schema.h"

/* Writes to fd, which stays the caller's.  The schema is copied. */
struct kf_writer *kf_writer_open(int fd, const char *name, const struct kf_schema *s,
	struct kf_err *err);
/* Passes a chunk on at once; one without rows is dropped. */
int kf_writer_write(struct kf_writer *w, const struct kf_chunk *chunk,
	struct kf_err *err);
/* Writes the last chunk, without which a stream counts as truncated. */
int kf_writer_end(struct kf_writer *w, struct kf_err *err);
void kf_writer_close(struct kf_writer *w);

/*
 * The same interface, but what is written is one blob that holds all rows:
 * kept in temporary files until kf_writer_end.
 */
struct kf_writer *kf_writer_open_single(int fd, const char *name,
	const struct kf_schema *s, struct kf_err *err);

#endif
