/*
 * Reading the tensor stream between the programs: chunks of rows, each one
 * safetensors blob with the tensors of kf_fields, and a last chunk that gives
 * the number of rows.  kfkd-stream(5) describes the format.
 *
 * A reader yields chunks of bounded size: a blob with more data than that
 * (a single file of a whole data set) is handed out in slices, read from the
 * file itself or, from a pipe, through a temporary file.  Its checksum is known
 * before the first, unless the reader is eager.
 */
#ifndef KF_READER_H
#define KF_READER_H

#include <sys/stat.h>

#include "stream/schema.h"

struct kf_st; /* safetensors.h */

/*
 * Opens a stream for reading on fd, which stays the caller's, and reads its
 * first rows, so that the schema is known to be undamaged.  With adopt a foreign
 * safetensors file that holds an X is a stream too: ids are counted from 1 and
 * columns are named y1, y2, ...; and so is a stream that another program has saved
 * again.  NULL with err filled on failure.
 */
struct kf_reader *kf_reader_open(int fd, const char *name, bool adopt,
	struct kf_err *err);
/* The same where the first header has been read already; takes ownership of
 * st. */
struct kf_reader *kf_reader_from(struct kf_st *st, bool adopt, struct kf_err *err);
/*
 * The same, without adopt, for a program whose output lacks its end where the input turns
 * out to be damaged.  Slices are handed out while the blob is read, from a pipe too, and
 * none of its rows is checked before its end; so what the program passes on is known to be
 * good only to those who read it to the end.  Who stops earlier and writes an end of its
 * own, as kfkd-head does, does not learn of damage.  Blobs that are hardly larger than a
 * chunk are checked before they are handed out, as ever.
 *
 * The images of a file lie where the system has them, and must not be changed; there is
 * one such reader at a time.  kf_reader_intact then says whether what the chunk was made
 * of is still what was read.
 */
struct kf_reader *kf_reader_open_eager(int fd, const char *name, struct kf_err *err);
/* 0, or -1 where the file of an eager reader was changed after it was opened. */
int kf_reader_intact(const struct kf_reader *r, struct kf_err *err);
const struct kf_schema *kf_reader_schema(const struct kf_reader *r);
/*
 * Where the images of the chunk that was handed out last lie, one after another, in the
 * file that is read: an offset; -1 where what is read is no file, such as a pipe.
 */
int64_t kf_reader_images_at(const struct kf_reader *r);
/* The descriptor of that file, its name, and its size and times as it was opened. */
int kf_reader_file(const struct kf_reader *r, const char **name, struct stat *opened);
/*
 * The next chunk, which is the reader's and lives until the next call; the
 * caller may change its rows.  Returns 1, 0 at the end of a whole stream, or -1.
 */
int kf_reader_next(struct kf_reader *r, struct kf_chunk **chunk, struct kf_err *err);
void kf_reader_close(struct kf_reader *r);

#endif
