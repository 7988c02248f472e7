/* What kfkd-save writes of a stream, and how, whatever the format. */
#ifndef KF_SAVE_H
#define KF_SAVE_H

#include <stdio.h>

#include "stream/schema.h"

enum kf_save_ids {
	KF_IDS_COUNTED, /* no ids: an error unless they count the rows from 1 */
	KF_IDS_ALWAYS,  /* a column ImageId */
	KF_IDS_NEVER    /* no ids, whatever they are */
};

/* What may stand before the values of a row of CSV. */
enum {
	KF_SAVE_ID,
	KF_SAVE_NAME,
	KF_SAVE_FILE,
	KF_SAVE_FACE,
	KF_SAVE_LABEL,
	KF_SAVE_FRONT
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
	/* private to CSV */
	int front[KF_SAVE_FRONT], n_front; /* those that do */
	int n;                             /* columns of y and p that are written */
	struct kf_save_column *column;
};

/* -1 for a scaled stream, and one that lacks the predictions or the truth asked for. */
int kf_save_check(const struct kf_save *s, struct kf_err *err);

/* Flushes the file; -1 where not all was written. */
int kf_save_flush(const struct kf_save *s, struct kf_err *err);

/* The fewest digits, from 6 on, that read back as the same float, directly or by way of a
 * double; v is finite. */
#define KF_NUMBER_TEXT 32
void kf_save_digits(float v, char text[KF_NUMBER_TEXT]);

/* The same to a file; nothing for NaN. */
void kf_save_number(FILE *file, float v);

#endif
