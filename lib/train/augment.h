/*
 * Augmentation: random transformations of a batch's images and keypoints.  Each step
 * draws new ones and applies them to the originals.
 */
#ifndef KF_AUGMENT_H
#define KF_AUGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "net/backend.h"
#include "stream/schema.h"
#include "train/slices.h"

/*
 * The ranges from which each row's transformation is drawn uniformly.  The image is
 * mirrored pixel by pixel, from x to width - 1 - x, as 0 is the centre of the first one.
 * Targets go to flip_sum - x, which is the same where they are measured like pixels; the
 * tutorial has width - x, which is one pixel off.
 */
struct kf_augment {
	bool flip;         /* mirrors half the rows of a batch */
	bool find_sum;     /* flip_sum is to be found, see flip_sum.h, */
	bool has_sum;      /* or given, else it is width - 1 */
	double flip_sum;   /* pixels */
	double shift;      /* up to this many pixels along x and along y */
	double rotate;     /* up to this many degrees, about the centre */
	double scale;      /* by a factor of 1 - scale to 1 + scale */
	double contrast;   /* the same, about mid-grey */
	double brightness; /* up to this much added, of a range from 0 to 1 */
	double shear;      /* up to this many degrees that upright lines lean */
	double hole;       /* a grey square of up to so many pixels a side */
};

/* What x of a point and of its mirror image add up to, in images of this width; where it
 * is to be found, at the start. */
double kf_flip_sum(const struct kf_augment *a, int width);

/* Parses any of "flip:96,shift:2,rotate:10,scale:.1,contrast:.2" and so on; -1 on an
 * error. */
int kf_augment_parse(struct kf_augment *a, const char *text, struct kf_err *err);
/* Whether a changes anything. */
bool kf_augment_any(const struct kf_augment *a);
/* Writes the text that parses to a. */
void kf_augment_print(const struct kf_augment *a, char *text, size_t size);

/* An augmentation for rows of a schema. */
struct kf_augmenter {
	struct kf_augment what;
	int w, h;
	struct kf_scale scale[2]; /* of the targets */
	int m;
	double flip_sum; /* pixels */
	int *axis;       /* (m) 0 for x, 1 for y */
	int *partner;    /* (m) the same point's other coordinate, or -1 */
	int *mirror;     /* (m) the column that a flip takes its value from */
};

/*
 * -1 if a flip lacks the other side of a column (left in one name, right in the other)
 * or a rotation or a shear lacks the other coordinate; kf_augmenter_close it in any case.
 */
int kf_augmenter_open(struct kf_augmenter *g, const struct kf_augment *what,
	const struct kf_schema *s, struct kf_err *err);
void kf_augmenter_close(struct kf_augmenter *g);

/*
 * Draws the transformations of a slice of n rows of a batch at a step: warps (n) for the
 * images, and in moved (n, m) the transformed targets of these rows of y (.., m), which
 * keep their scale.  Points that leave the picture, unless it is only mirrored, are NaN.  0,
 * or -1 when out of memory.
 */
int kf_augment_batch(const struct kf_augmenter *g, uint64_t seed, uint32_t step,
	const float *y, const uint32_t *rows, const struct kf_slice *slice,
	struct kf_warp *warps, float *moved);

#endif
