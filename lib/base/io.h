/* Complete reads and writes on file descriptors, and temporary files. */
#ifndef KF_IO_H
#define KF_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* Where bytes come from: name and offset are for messages. */
struct kf_source {
	int fd;
	const char *name;
	uint64_t offset; /* bytes read so far */
};

/*
 * Reads n bytes, fewer only at the end of the input.  Returns the count, or
 * -1 with err filled.
 */
ssize_t kf_read(struct kf_source *src, void *buf, size_t n, struct kf_err *err);

/* Puts name and offset before the message of a failure; returns -1. */
int kf_source_place(const struct kf_source *src, struct kf_err *err);

/* Reads exactly n bytes at an offset of a seekable file: 0, or -1 with err
 * filled, also where the file is too short. */
int kf_pread(int fd, const char *name, void *buf, size_t n, uint64_t offset,
	struct kf_err *err);

/* Writes all n bytes: 0, or -1 with err filled. */
int kf_write(int fd, const char *name, const void *buf, size_t n, struct kf_err *err);

/* What messages call such a file as follows. */
#define KF_TEMPFILE "temporary file in TMPDIR"

/* Creates an unnamed file under $TMPDIR (else /tmp).  Returns its descriptor,
 * which is the caller's, or -1. */
int kf_tempfile(struct kf_err *err);

/* A file with what can be read from fd, and that can be read twice: fd itself, or for a
 * pipe a temporary file, which is the caller's.  -1. */
int kf_seekable(int fd, const char *name, struct kf_err *err);

#endif
