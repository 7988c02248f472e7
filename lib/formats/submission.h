/*
 * Kaggle's submission: a table says which predictions are wanted, one a row,
 * as RowId,ImageId,FeatureName,Location; what is written holds RowId and
 * Location for each of its rows, in its order.  Only these predictions are kept
 * in memory.
 */
#ifndef KF_SUBMISSION_H
#define KF_SUBMISSION_H

#include <stdio.h>

#include "stream/schema.h"

/* Kaggle's table has 27,124 rows. */
#define KF_SUBMISSION_MAX ((size_t)1 << 19)

/*
 * Reads the table from fd. schema is that of the predictions; name is for
 * messages.  All three stay the caller's, and the latter two must outlive the
 * submission.  NULL with err filled on failure.
 */
struct kf_submission *kf_submission_open(int fd, const char *name,
	const struct kf_schema *schema, struct kf_err *err);

/* Takes from the chunk what the table asks for, in pixels, within the image. */
int kf_submission_add(struct kf_submission *s, const struct kf_chunk *chunk,
	struct kf_err *err);

/* Writes the submission; -1 where an image was not in the stream. to is for
 * messages. */
int kf_submission_write(struct kf_submission *s, FILE *file, const char *to,
	struct kf_err *err);
void kf_submission_free(struct kf_submission *s);

#endif
