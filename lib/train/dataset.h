/* A complete scaled stream in memory, for training. */
#ifndef KF_DATASET_H
#define KF_DATASET_H

#include "stream/reader.h"

struct kf_dataset {
	struct kf_schema schema;
	size_t n;
	void *X;     /* (n, c, h, w) of the schema's dtype */
	float *y;    /* (n, columns); or (n) labels */
	int m;       /* columns of y */
	int64_t *id; /* (n) */
};

/*
 * Reads a stream to its end, with its labels in y instead of targets if `labels`.
 * Returns 0, and the caller frees d with kf_dataset_free; or -1, with nothing to free,
 * if the stream is not scaled, lacks what is asked for, has no rows or has a value that
 * is not finite.
 */
int kf_dataset_read(struct kf_dataset *d, struct kf_reader *r, bool labels,
	struct kf_err *err);

/*
 * XXH3-64 of all rows in their order: tells whether data is the same.  Bytes have the
 * digest of the floats that they stand for.  -1 when out of memory.
 */
int kf_dataset_digest(const struct kf_dataset *d, uint64_t *digest, struct kf_err *err);

/* Permutes the rows in place to the order of kf_shuffle(n, seed); -1 without memory. */
int kf_dataset_shuffle(struct kf_dataset *d, uint32_t seed, struct kf_err *err);

void kf_dataset_free(struct kf_dataset *d);

/* -1 unless images and targets are scaled; the message says what to do. */
int kf_check_scaled(const struct kf_schema *s, struct kf_err *err);

#endif
