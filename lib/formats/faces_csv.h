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

#include "formats/format.h"

/* The longest row: an image of 2048 x 2048 and its targets. */
#define KF_CSV_ROW_MAX ((size_t)17 << 20)
#define KF_CSV_HEADER_MAX ((size_t)64 << 10)

extern const struct kf_format kf_faces_csv;

#endif
