/*
 * The tensor stream between the programs: chunks of rows, each one
 * safetensors blob with the tensors id, label, y, p and X, and a last chunk
 * that gives the number of rows.  kfkd-stream(5) describes the format.
 *
 * A reader yields chunks of bounded size: a blob with more data than that
 * (a single file of a whole data set) is handed out in slices, read from the
 * file itself or, from a pipe, through a temporary file.
 */
#ifndef KF_STREAM_H
#define KF_STREAM_H

#include "stream/schema.h"

struct kf_st; /* safetensors.h */

/*
 * Opens a stream for reading on fd, which stays the caller's, and reads its
 * first rows, so that the schema is known to be undamaged.  With adopt a
 * foreign safetensors file that holds an X is a stream too: ids are counted
 * from 1 and columns are named y1, y2, ...
 */
struct kf_reader *kf_reader_open(int fd, const char *name, bool adopt,
	struct kf_err *err);
/* The same where the first header was read already; takes st over. */
struct kf_reader *kf_reader_from(struct kf_st *st, bool adopt, struct kf_err *err);
const struct kf_schema *kf_reader_schema(const struct kf_reader *r);
/*
 * The next chunk, which is the reader's and lives until the next call; the
 * caller may change its rows.  Returns 1, 0 at the end of a whole stream, or -1.
 */
int kf_reader_next(struct kf_reader *r, struct kf_chunk **chunk, struct kf_err *err);
void kf_reader_close(struct kf_reader *r);

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
