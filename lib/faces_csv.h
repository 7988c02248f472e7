/*
 * Kaggle's CSV of faces: a header, then one face a row.  The column Image
 * holds the pixels, separated by spaces; ImageId, where there is one, the id;
 * all others are targets, float32, empty where missing.
 *
 * Rows may be quoted in any way that RFC 4180 allows; libcsv reads the header
 * and what is unusual.  Plain rows, nearly all, are read in place.
 */
#ifndef KF_FACES_CSV_H
#define KF_FACES_CSV_H

#include "input.h"
#include "schema.h"

/* The longest row: an image of 2048 x 2048 and its targets. */
#define KF_CSV_ROW_MAX ((size_t)17 << 20)
#define KF_CSV_HEADER_MAX ((size_t)64 << 10)

struct kf_csv_options {
	const struct kf_names *columns; /* targets in order; NULL: all there are */
	int w, h;                       /* of an image; 0: square, as the first is */
	bool libcsv_only;               /* no row is read in place: for tests */
};

/* Reads the header and, to know the image size, the first row.  in stays the
 * caller's and must outlive the reader; options need not. */
struct kf_csv *kf_csv_open(struct kf_input *in, const struct kf_csv_options *options,
	struct kf_err *err);
const struct kf_schema *kf_csv_schema(const struct kf_csv *c);

/*
 * The next rows, a full chunk except at the end; they are the reader's and
 * live until the next call.  Returns 1, 0 at the end, or -1.
 */
int kf_csv_next(struct kf_csv *c, struct kf_chunk **chunk, struct kf_err *err);
void kf_csv_close(struct kf_csv *c);

#endif
