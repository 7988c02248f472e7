/* Reading photographs from files: JPEG, PNG, and netpbm's formats P1 to P7. */
#ifndef KF_PHOTO_H
#define KF_PHOTO_H

#include <stdbool.h>

#include "photo/pixels.h" /* struct kf_photo */

/* As many first bytes of a file as kf_photo_claims looks at. */
#define KF_PHOTO_FIRST_BYTES 8

/* Whether a file that starts with these n bytes is one that kf_photo_read knows. */
bool kf_photo_claims(const unsigned char *first, size_t n);

/*
 * Reads a file; a photograph that held another one is reused.  Alpha is ignored, as are
 * colour profiles.  It takes a byte a pixel and some rows, but progressive JPEGs take up to
 * six more.
 *
 * -1 where the file is missing, truncated, damaged, of another kind, too large, or one of
 * netpbm's with several images; the
 * message names it, and p holds nothing of use, but can be read into again.  One thread
 * at a time: libnetpbm has its state in variables of its own.
 */
int kf_photo_read(struct kf_photo *p, const char *path, struct kf_err *err);

void kf_photo_free(struct kf_photo *p);

#endif
