/* Crops of photographs: a region, resampled to the size of an image. */
#ifndef KF_CROP_H
#define KF_CROP_H

#include "photo/pixels.h"

/*
 * A rectangle of a photograph.  Edges are in pixels from 0 at the upper left corner of
 * the first pixel: that pixel spans 0 to 1, and its centre is at 0.5.  It may leave the
 * photograph, beyond which the pixels of the border go on for ever, as they do where
 * kfkd-train's augmentation moves an image (struct kf_warp, net/backend.h).
 */
struct kf_region {
	double x, y, w, h;
};

/* Bound of a region's sides, and of its distance from the first pixel. */
#define KF_REGION_MAX 1e9

/*
 * The affine map from positions in the photograph to those in the crop of w x h pixels;
 * both count pixels from 0 at the centre of the first one:
 *
 *     crop_x = m[0] x + m[1] y + m[2]
 *     crop_y = m[3] x + m[4] y + m[5]
 */
void kf_region_transform(const struct kf_region *r, int w, int h, float m[6]);

/* The pixels that one side of a crop is made of (private). */
struct kf_crop_axis {
	struct kf_crop_span *span; /* for each column or row of the crop */
	float *weight;             /* theirs, one span after another */
	size_t spans, weights;     /* allocated */
};

/* Buffers, to be used for one crop after another.  All zeros at first. */
struct kf_cropper {
	struct kf_crop_axis x, y;
	float *row;    /* a row of the crop, as wide as its part of the photograph */
	size_t floats; /* allocated */
};

/*
 * Resamples a region to w x h grey pixels: bilinear, and where it becomes smaller, the
 * mean under a triangle of twice the width that a pixel of the crop has in the
 * photograph, as Pillow's resize(size, BILINEAR, box=...); rounded once.  The result is
 * the same on all machines.  -1 where the region is empty or out of bounds, or there is
 * no memory.
 */
int kf_crop(struct kf_cropper *c, const struct kf_photo *p, const struct kf_region *r,
	int w, int h, uint8_t *to, struct kf_err *err);

void kf_cropper_free(struct kf_cropper *c);

#endif
