/*
 * CSV with names of pictures: a header, then a face a row.  The file name is in the first
 * column whose first value ends like a picture's name, whatever that column is called.  Of
 * the others
 *
 *   x, y, w, h or left, top, width, height, all four, are its box, or empty;
 *   name and label are its name and its class;
 *   id, ImageId and face are left alone;
 *   where names end in _x or _y, these are the points, and others are left alone;
 *   else, where names are numbers (or none has a name), these are x, y, x, y, ..., of
 *   points without names.
 *
 * Where there is none of all that but other columns, they are not understood, which is an
 * error.  Coordinates count from 0 at the centre of the first pixel; empty is missing.
 */
#ifndef KF_FILE_CSV_H
#define KF_FILE_CSV_H

#include "formats/input.h"
#include "labels/faces.h"

/* Whether an input begins like such a table and not like one with pixels, of which nothing
 * is used up: 1, 0 or -1.  A picture's name in the first line counts, too. */
int kf_file_csv_claims(struct kf_input *in, struct kf_err *err);

/* Fills an empty list. */
int kf_file_csv_read(struct kf_faces *f, struct kf_input *in, const char *directory,
	struct kf_err *err);

#endif
