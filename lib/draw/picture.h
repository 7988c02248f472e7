/* Pictures as files: PGM, or PPM for those in colour. */
#ifndef KF_PICTURE_H
#define KF_PICTURE_H

#include <stdio.h>

#include "draw/draw.h"

/*
 * Writes the header of a picture of that size; its rows follow from the top
 * down. name is the file's, for messages.  0, or -1 with err filled, as for all
 * below.
 */
int kf_picture_begin(FILE *f, const char *name, int w, int h, bool colour,
	struct kf_err *err);
/* The first n rows of a canvas as wide as the picture. */
int kf_picture_rows(FILE *f, const char *name, const struct kf_canvas *c, int n,
	struct kf_err *err);

/* A whole canvas as a picture; flushes f. */
int kf_picture_write(FILE *f, const char *name, const struct kf_canvas *c,
	struct kf_err *err);

/*
 * A whole canvas as a new file, which appears complete or not at all.  Fails
 * where the name is taken already.
 */
int kf_picture_save(const char *path, const struct kf_canvas *c, struct kf_err *err);

#endif
