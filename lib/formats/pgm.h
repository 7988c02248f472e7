/*
 * A sequence of PGM images of one size, one after the other, as netpbm's
 * programs and ffmpeg's image2pipe write them.  Each is a row.
 *
 * This is the live format: a chunk ends as soon as there is an image and no
 * more input is ready.  libnetpbm waits for a whole buffer, and exits by itself
 * where something is wrong; so the header, four words, is read here.
 */
#ifndef KF_PGM_H
#define KF_PGM_H

#include "formats/format.h"

/* Including comments. */
#define KF_PGM_HEADER_MAX ((size_t)64 << 10)

extern const struct kf_format kf_pgm;

#endif
