/*
 * A complete scaled stream, for training.  Its images are in memory as long as they fit a
 * bound; larger ones stay in the file that they come from, or go to a temporary one.
 */
#ifndef KF_DATASET_H
#define KF_DATASET_H

#include "stream/reader.h"
#include "train/image_file.h"

struct kf_dataset {
	struct kf_schema schema;
	size_t n;
	size_t n_valid;             /* of them the first ones, which validate */
	void *X;                    /* (n, c, h, w) of the schema's dtype, */
	struct kf_image_file *file; /* or else where they are */
	int buffers;     /* in that case, batches that may be in memory at a time */
	float *y;        /* (n, columns); or (n) labels */
	int m;           /* columns of y */
	int64_t *id;     /* (n) */
	uint64_t digest; /* if it was asked for */
};

struct kf_dataset_options {
	bool labels; /* in y, instead of targets */
	/* The rows that validate, which come before the others; NULL: none so far. */
	struct kf_reader *validation;
	/*
	 * The digest is XXH3-64 of all rows in their order: tells whether data is the
	 * same.  Bytes have the digest of the floats that they stand for.
	 */
	bool digest;
	/* Bytes that the data may take while it is trained on, in batches of so many
	 * rows. */
	size_t memory;
	int batch;
};

/*
 * Reads a stream to its end.  A file must stay open as long as d->file, or what has
 * taken it over, is in use, and must not change.  Returns 0, and the caller frees d with
 * kf_dataset_free; or -1, with nothing to free, if the stream is not scaled, lacks what is
 * asked for, has no rows or has a value that is not finite, if rows that validate are not
 * like the others, or if even without images the rows take more than the memory.
 */
int kf_dataset_read(struct kf_dataset *d, struct kf_reader *r,
	const struct kf_dataset_options *options, struct kf_err *err);

/* Moves the rows that are marked in taken (n) in front of the others, to validate; both keep
 * their order.  None validates before.  -1 without memory. */
int kf_dataset_set_aside(struct kf_dataset *d, const bool *taken, struct kf_err *err);

/* Permutes the n rows that do not validate in place to the order of kf_shuffle(n, seed),
 * though not those of a file; -1 without memory. */
int kf_dataset_shuffle(struct kf_dataset *d, uint32_t seed, struct kf_err *err);

void kf_dataset_free(struct kf_dataset *d);

/* -1 unless images and targets are scaled; the message says what to do. */
int kf_check_scaled(const struct kf_schema *s, struct kf_err *err);

#endif
