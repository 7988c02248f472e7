/*
 * Images that stay in a file: where those of each row lie in it.  The file is the data
 * set's own, or one of two that it consists of, or a temporary one that the images of a
 * pipe are written to.
 */
#ifndef KF_IMAGE_FILE_H
#define KF_IMAGE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/err.h"

struct kf_extent; /* rows whose images lie one after another */

struct kf_image_source { /* a file that some of them are in */
	int fd;
	const char *name;
	struct stat opened;
};

#define KF_IMAGE_SOURCES 2

struct kf_image_file {
	size_t image;    /* bytes of one */
	uint32_t *order; /* (rows) row i of the data is the order[i]-th of the file; */
			 /* NULL: i-th.  Freed with the rest. */
	struct kf_image_source source[KF_IMAGE_SOURCES];
	int sources;
	bool temporary; /* it is unnamed, and closed with the rest */
	/* private */
	struct kf_extent *extent; /* (n) in the order of their rows */
	size_t n, room;
	uint64_t end; /* of a temporary file */
};

/*
 * An open file of images of so many bytes each, without rows as yet.  Descriptor and
 * name are the caller's, who keeps both until it is closed; opened tells the file as it
 * was before any of it was read.  NULL when out of memory.
 */
struct kf_image_file *kf_image_file_open(int fd, const char *name,
	const struct stat *opened, size_t image, struct kf_err *err);
/* Rows that are added from then on lie in another file, the second. */
void kf_image_file_also(struct kf_image_file *f, int fd, const char *name,
	const struct stat *opened);
/* The same as _open for a new temporary file. */
struct kf_image_file *kf_image_file_new(size_t image, struct kf_err *err);
void kf_image_file_close(struct kf_image_file *f); /* f may be NULL */

/* The images of the n rows from `row` on, which follow those before, lie at an offset. */
int kf_image_file_add(struct kf_image_file *f, size_t row, size_t n, uint64_t offset,
	struct kf_err *err);
/* Writes them to the end of a temporary file. */
int kf_image_file_write(struct kf_image_file *f, size_t row, size_t n,
	const void *images, struct kf_err *err);

/* Bytes of memory that it takes, the order apart. */
size_t kf_image_file_memory(const struct kf_image_file *f);

/*
 * Reads the images of rows of the data to `to` (n, image).  -1 also where the file was
 * changed since it was opened, so that they may be others.
 */
int kf_image_file_read(const struct kf_image_file *f, const uint32_t *rows /* (n) */,
	int n, void *to, struct kf_err *err);
/* Has the system begin to read them, if it has not got them. */
void kf_image_file_expect(const struct kf_image_file *f, const uint32_t *rows /* (n) */,
	int n);

#endif
