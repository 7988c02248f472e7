/*
 * Targets and labels for the rows of a stream, from a CSV with a header: its column `id`
 * or `ImageId`, or where there is none `name` or `file`, says for which rows, `label` is a
 * class, `Image` is left alone, and all others are targets in pixels, empty where missing.
 */
#ifndef KF_JOIN_H
#define KF_JOIN_H

#include "formats/keys.h"

struct kf_join_row;

/* A table.  All zeros is an empty one; free it with kf_join_free. */
struct kf_join {
	const char *name;        /* for messages; stays the caller's */
	enum kf_key_kind by;     /* what rows are found by */
	struct kf_names columns; /* targets */
	const struct kf_names
		*class_names; /* labels may be these; NULL: numbers alone */
	bool has_label;
	int classes; /* 1 more than the largest label */
	bool keep;   /* a row that is not in the table keeps what it has, and what is */
		     /* new to it is missing; else it is an error */
	/* private */
	struct kf_join_row *row; /* (n), by key */
	float *value;            /* (n, columns), in the order of the file */
	size_t n, room;
	int *to; /* (columns) which of the joined stream's columns they are */
	float *y;
	int64_t *label; /* (rows) of the current chunk */
	size_t rows;
};

/* Reads all of it from fd.  With `only` other targets are left alone.  -1 also where a key
 * comes twice. */
int kf_join_read(struct kf_join *j, int fd, const char *name,
	const struct kf_names *only, struct kf_err *err);

/* The schema of a joined stream, which the caller frees: targets of the same name are
 * replaced, others added.  -1 where they are scaled, and where rows have no such keys. */
int kf_join_schema(struct kf_join *j, const struct kf_schema *in, struct kf_schema *out,
	struct kf_err *err);

/* out becomes the joined rows of in; its memory is that of both, and lives until the next
 * call. */
int kf_join_rows(struct kf_join *j, const struct kf_schema *schema,
	const struct kf_chunk *in, const struct kf_schema *joined, struct kf_chunk *out,
	struct kf_err *err);

void kf_join_free(struct kf_join *j);

#endif
