/*
 * A tensor stream as CSV in Kaggle's layout: ImageId where it is needed, the
 * names of rows, the targets, Image.  What kfkd-load reads from it equals the stream, unless
 * the images, and so the column Image, are left out; then the columns file, face and label,
 * where the stream has them, stand before the targets.
 */
#ifndef KF_SAVE_CSV_H
#define KF_SAVE_CSV_H

#include "formats/save.h"

/* Checks that CSV can hold the stream, and writes the header; before any rows, and
 * then, even if it fails, kf_save_free is due. */
int kf_save_header(struct kf_save *s, struct kf_err *err);

/* Writes the rows and flushes them. */
int kf_save_rows(struct kf_save *s, const struct kf_chunk *chunk, struct kf_err *err);

void kf_save_free(struct kf_save *s);

#endif
