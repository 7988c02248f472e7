/*
 * One safetensors blob: u64 little-endian header length, JSON header, data.
 * Streams, models and checkpoints are made of these; kfkd-stream(5) has the
 * byte table.  Data is read and written front to back, so neither side needs
 * the blob in memory.
 *
 * A blob of kfkd's own carries the metadata "kfkd" (the format's version) and
 * "xxh3": XXH3-64 over the whole blob with the 16 hexadecimal digits of that
 * value taken as zeros.  Foreign blobs have neither and are not checked; one
 * of the two alone is damage.  Where another program has saved a blob again, both
 * may be there and the checksum does not fit; its layout tells that from damage.
 */
#ifndef KF_SAFETENSORS_H
#define KF_SAFETENSORS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/io.h"
#include "stream/digest.h"
#include "stream/meta.h"
#include "stream/tensor.h"

#define KF_FORMAT_VERSION "1"
#define KF_HEADER_MAX (1 << 20) /* bytes of JSON */
#define KF_TENSORS_MAX 4096     /* in one blob */
#define KF_META_MAX 1024        /* entries of metadata in one blob */

/* A blob that is being read. */
struct kf_st {
	struct kf_meta meta;
	int n;
	struct kf_tensor *tensor; /* in the order of their data; data is NULL */
	uint64_t data_bytes;
	uint64_t start;       /* of the blob in the source, */
	uint64_t data_offset; /* and of its data */
	bool foreign;         /* not written by kfkd */
	bool adopt; /* the caller's choice: a blob saved again is foreign, no error */
	/* private */
	struct kf_source *src;
	uint64_t left;           /* data bytes not read yet */
	struct kf_digest digest; /* as the header gives it */
	bool own_layout;         /* the header is laid out as kf_st_write does */
	XXH3_state_t *hash;
};

/*
 * Reads and checks a header: 1, 0 when the source ends before its first byte,
 * or -1.  The header is not trusted: lengths, ranks, sizes and their products
 * are bounded, and the data must be contiguous.
 */
int kf_st_open(struct kf_st *st, struct kf_source *src, struct kf_err *err);

/* Puts where the header is before the message of a failure; returns -1. */
int kf_st_place(const struct kf_st *st, struct kf_err *err);

/* The next n bytes of data into dst, or nowhere when dst is NULL; -1 where there
 * are fewer. */
int kf_st_read(struct kf_st *st, void *dst, size_t n, struct kf_err *err);

/* Takes the next n bytes of data as read, which are those at `bytes`: mapped from the
 * source, which is a file. */
int kf_st_skip(struct kf_st *st, const void *bytes, size_t n, struct kf_err *err);

/* Reads what is left and checks the digest; only then is it known whether a blob
 * that is adopted is foreign.  Frees nothing. */
int kf_st_finish(struct kf_st *st, struct kf_err *err);

void kf_st_free(struct kf_st *st); /* what kf_st_open allocated */

const struct kf_tensor *kf_st_find(const struct kf_st *st,
	const char *name); /* or NULL */

/*
 * Writes a blob of n tensors in the order given.  Where t[i].data is NULL and
 * the tensor is not empty, its bytes are those of the file files[i] from its
 * start.  "kfkd" and "xxh3" are added to the metadata.  -1 on failure, and where
 * the metadata is incomplete.
 */
int kf_st_write(int fd, const char *name, const struct kf_meta *meta,
	const struct kf_tensor *t, int n, const int *files, struct kf_err *err);

#endif
