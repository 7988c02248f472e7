/*
 * IDX, the format of MNIST: big-endian sizes, then unsigned bytes.  Images are
 * of rank 3 (images, rows, columns); their labels are in a second file, of rank
 * 1.
 */
#ifndef KF_IDX_H
#define KF_IDX_H

#include "formats/format.h"

extern const struct kf_format kf_idx;

/* The most labels that are kept in memory. */
#define KF_LABELS_MAX ((size_t)16 << 20)

struct kf_labels {
	const char *name; /* of the file; borrowed, for messages */
	size_t n;
	uint8_t *label; /* (n) */
	int classes;    /* the largest label + 1 */
};

/* Reads all labels from fd, which stays the caller's.  0, or -1 with nothing
 * to free. */
int kf_labels_read(struct kf_labels *l, int fd, const char *name, struct kf_err *err);
void kf_labels_free(struct kf_labels *l);

#endif
