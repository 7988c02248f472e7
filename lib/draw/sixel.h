/* Pictures as sixels: what terminals such as xterm and foot draw. */
#ifndef KF_SIXEL_H
#define KF_SIXEL_H

#include <stdio.h>

#include "base/err.h"

/*
 * Reads a picture as kf_picture_write writes it, PGM or PPM, from its start, and writes it
 * as sixels, in 216 colours and 40 greys.  Messages call the files from and to.  -1 where
 * the picture is not whole, too.
 */
int kf_sixel_write(FILE *picture, const char *from, FILE *f, const char *to,
	struct kf_err *err);

#endif
