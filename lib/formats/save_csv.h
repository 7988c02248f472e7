/*
 * A tensor stream as CSV in Kaggle's layout: ImageId where it is needed, the
 * targets, Image.  What kfkd-load reads from it equals the stream, unless the images,
 * and so the column Image, are left out.
 */
#ifndef KF_SAVE_CSV_H
#define KF_SAVE_CSV_H

#include <stdio.h>

#include "stream/schema.h"

enum kf_save_ids {
	KF_IDS_COUNTED, /* no ids: an error unless they count the rows from 1 */
	KF_IDS_ALWAYS,  /* a column ImageId */
	KF_IDS_NEVER    /* no ids, whatever they are */
};

struct kf_save {
	FILE *file;       /* stays the caller's */
	const char *name; /* of it, for messages */
	const struct kf_schema *schema;
	bool predictions; /* p in place of y */
	bool truth;       /* with predictions: y, and labels, beside p */
	bool no_images;   /* leaves them out; a stream may lack them anyhow */
	enum kf_save_ids ids;
	uint64_t rows; /* written so far */
	/* private */
	int n; /* columns of y and p that are written */
	struct kf_save_column *column;
};

/* Checks that CSV can hold the stream, and writes the header; before any rows, and
 * then, even if it fails, kf_save_free is due. */
int kf_save_header(struct kf_save *s, struct kf_err *err);

/* Writes the rows and flushes them. */
int kf_save_rows(struct kf_save *s, const struct kf_chunk *chunk, struct kf_err *err);

void kf_save_free(struct kf_save *s);

/* The fewest digits, from 6 on, that read back as the same float; none for NaN. */
void kf_save_number(FILE *file, float v);

#endif
