/*
 * Label files of photographs: which faces are in which files, and where.
 *
 *   COCO's JSON      coco.h
 *   .pts             pts.h
 *   dlib's XML       dlib_xml.h
 *   CSV              file_csv.h
 */
#ifndef KF_PHOTO_LABELS_H
#define KF_PHOTO_LABELS_H

#include "formats/input.h"
#include "labels/faces.h"

enum kf_labels_kind {
	KF_LABELS_NONE,
	KF_LABELS_COCO,
	KF_LABELS_PTS,
	KF_LABELS_DLIB,
	KF_LABELS_CSV
};

/*
 * What an input is by its beginning, of which nothing is used up: one of the enum, which is
 * KF_LABELS_NONE for all that the formats of kfkd-load read, or -1.  A CSV is told by its
 * header and its first row; for others few bytes are read.
 */
int kf_labels_claims(struct kf_input *in, struct kf_err *err);

/*
 * Appends the faces of a label file to f, in the file's order; relative names of pictures
 * begin in directory, where "" and "." are the current one.  -1 with a message that names
 * the label file and the place in it, and f as it was.  The columns of all lists that are
 * appended must be the same.
 */
int kf_faces_read(struct kf_faces *f, struct kf_input *in, const char *directory,
	struct kf_err *err);

#endif
