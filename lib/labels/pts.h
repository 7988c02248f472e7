/*
 * .pts, the format of 300-W: one face a file, in a picture beside it that has the same
 * name but for the extension.
 *
 *   version: 1
 *   n_points: 68
 *   {
 *   611.28 272.77
 *   ...
 *   }
 *
 * Spaces and ends of lines may be anywhere between these.  Points have no names, and count
 * from 1 at the centre of the first pixel.
 */
#ifndef KF_PTS_H
#define KF_PTS_H

#include "formats/input.h"
#include "labels/faces.h"

/* Fills an empty list.  The picture is looked for in a directory, "" being the current one,
 * by the last part of in->name, which must end in .pts. */
int kf_pts_read(struct kf_faces *f, struct kf_input *in, const char *directory,
	struct kf_err *err);

#endif
