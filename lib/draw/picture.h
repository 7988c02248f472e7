/* Pictures as files: PGM, or PPM for those in colour; or PNG. */
#ifndef KF_PICTURE_H
#define KF_PICTURE_H

#include <stdio.h>

#include "draw/draw.h"

/* Where pictures go.  f and name stay the caller's. */
struct kf_outlet {
	FILE *f;
	const char *name; /* the file's, for messages */
	bool png;
};

/* A picture that is being written. */
struct kf_picture {
	struct kf_outlet to;
	struct kf_png_writer *png; /* or NULL */
};

/*
 * Begins a picture of that size; its rows follow from the top down.  0, or -1 with err
 * filled, as for all below.  The caller frees it with kf_picture_free in any case.
 */
int kf_picture_begin(struct kf_picture *p, const struct kf_outlet *to, int w, int h,
	bool colour, struct kf_err *err);
/* The first n rows of a canvas as wide as the picture. */
int kf_picture_rows(struct kf_picture *p, const struct kf_canvas *c, int n,
	struct kf_err *err);
/* After the last row; flushes the file. */
int kf_picture_end(struct kf_picture *p, struct kf_err *err);
/* All zeros is allowed. */
void kf_picture_free(struct kf_picture *p);

/* A whole canvas as a picture; flushes the file. */
int kf_picture_write(const struct kf_outlet *to, const struct kf_canvas *c,
	struct kf_err *err);

/*
 * A whole canvas as a new file, which appears complete or not at all.  Fails
 * where the name is taken already.
 */
int kf_picture_save(const char *path, bool png, const struct kf_canvas *c,
	struct kf_err *err);

/* The ending of such files: "png", "ppm" for colours, else "pgm". */
const char *kf_picture_ending(bool png, bool colour);

#endif
