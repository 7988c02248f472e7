/*
 * Faces of photographs as rows: each photograph is read when its turn comes, and what is
 * cut from it becomes an image with its targets, its name, and the way back.
 */
#ifndef KF_CROPS_H
#define KF_CROPS_H

#include "labels/faces.h"
#include "stream/schema.h"

/* What is cut out: a square around this. */
enum kf_crop_by {
	KF_CROP_NONE, /* the whole photograph instead */
	KF_CROP_BOX,
	KF_CROP_POINTS,
};

struct kf_crop_options {
	enum kf_crop_by by;
	double enlarge;  /* the square's side, by this factor */
	double shift[2]; /* to the right and down, in sides of the square as it was */
	int w, h;        /* of an image; 0: as the first photograph, or KF_CROP_SIDE */
	const struct kf_names *class_names; /* in the order of their numbers, or NULL */
	/* Is told why a photograph or a face is left out; NULL: that is a failure. */
	void (*skip)(const struct kf_err *why);
};

#define KF_CROP_SIDE 96 /* as the faces of Kaggle's set */

/* What is smaller, in either direction, is no face. */
#define KF_CROP_LEAST 2

/*
 * Starts with these faces; both arguments are borrowed until it is closed.  Where the size
 * follows from the first photograph, that is read.  An image of another shape than the
 * square shows more to both sides, or above and below: nothing is distorted.  NULL where
 * there are no faces, one lacks the box or the points that are asked for and is not to be
 * left out, or labels and classes do not fit.
 */
struct kf_crops *kf_crops_open(const struct kf_faces *faces,
	const struct kf_crop_options *options, struct kf_err *err);

const struct kf_schema *kf_crops_schema(const struct kf_crops *c);

/* The next rows, which live until the next call: 1, 0 at the end, or -1.  Ids count all
 * faces from 1, also those that are left out. */
int kf_crops_next(struct kf_crops *c, const struct kf_chunk **chunk,
	struct kf_err *err);

void kf_crops_close(struct kf_crops *c); /* NULL is allowed */

#endif
