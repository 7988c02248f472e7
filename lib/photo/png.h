/* PNG, by libpng. */
#ifndef KF_READ_PNG_H
#define KF_READ_PNG_H

#include <stdio.h>

#include "photo/pixels.h"

/* Reads the photograph that f is at the start of; messages do not name the file. */
int kf_read_png(struct kf_photo *p, FILE *f, struct kf_err *err);

#endif
