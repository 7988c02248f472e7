/*
 * COCO's JSON: the faces are `annotations`, each with an `image_id`, that of one of the
 * `images`, and `keypoints`, three numbers a point: x, y and v, which is 0 where the point
 * is missing.  A `bbox` is the face's box.  Faces come in the order of their images, those
 * of an image in the order of their annotations.
 *
 * Points have the names that the annotation's category has for them (`categories`,
 * `keypoints`), if these are as many; else they are numbers.  All annotations have
 * keypoints, as many and with the same names; only what the file itself declares to be
 * something else is left out: an annotation without keypoints whose category names none
 * while another does.
 *
 * COCO counts from 0 at the centre of the first pixel.
 */
#ifndef KF_COCO_H
#define KF_COCO_H

#include "formats/input.h"
#include "labels/faces.h"

#define KF_COCO_MAX ((size_t)1 << 30) /* bytes of a file */

/* Fills an empty list.  -1 also where the input has more than `most` bytes. */
int kf_coco_read(struct kf_faces *f, struct kf_input *in, const char *directory,
	size_t most, struct kf_err *err);

#endif
