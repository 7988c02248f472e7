/* EXIF: which way up a photograph is. */
#ifndef KF_EXIF_H
#define KF_EXIF_H

#include <stddef.h>

#include "base/err.h"

/* What stands before the data in a JPEG's marker. */
#define KF_EXIF_MARK "Exif\0"
#define KF_EXIF_MARK_BYTES 6

/*
 * The orientation, 1 to 8, in n bytes of EXIF data, which begin with TIFF's header; 1
 * where they have none or are damaged.  -1 when out of memory.
 */
int kf_exif_orientation(const unsigned char *data, size_t n, struct kf_err *err);

#endif
