/* JPEG, by libjpeg. */
#ifndef KF_READ_JPEG_H
#define KF_READ_JPEG_H

#include <stdio.h>

#include "photo/pixels.h"

/* Reads the photograph that f is at the start of; messages do not name the file. */
int kf_read_jpeg(struct kf_photo *p, FILE *f, struct kf_err *err);

#endif
