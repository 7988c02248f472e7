/*
 * Faces in photographs, as label files list them.
 *
 * Coordinates are in pixels of the upright photograph, from 0 at the centre of the first
 * pixel, as everywhere in kfkd; those of boxes alone count edges.
 */
#ifndef KF_FACES_H
#define KF_FACES_H

#include <math.h>

#include "stream/names.h"

struct kf_photo_face {
	char *file; /* path as it is to be opened */
	int number; /* among the faces of its file in the list, from 1, once these were */
		    /* numbered; else 0 */
	/* Its box: the edges, in pixels from 0 at the upper left corner of the first
	 * pixel, so that it spans x to x + w; NaN, all four, where there is none. */
	double x, y, w, h;
	double *point; /* (columns.n / 2, 2) x and y, each NaN where it is missing; NULL */
	/* where the list has no points */
	char *name;  /* of the face, such as a person's, or NULL */
	char *label; /* its class, as text, or NULL */
};

/* All zeros is an empty list; free it with kf_faces_free. */
struct kf_faces {
	struct kf_names columns; /* of the coordinates: "<point>_x" and "<point>_y", */
				 /* alternating; none: no points */
	size_t n;
	struct kf_photo_face *face; /* (n) */
	size_t room;                /* private */
};

/* The box of a face that has none. */
#define KF_NO_BOX .x = NAN, .y = NAN, .w = NAN, .h = NAN

/* Whether a face has a box. */
bool kf_face_has_box(const struct kf_photo_face *face);

/* The path of a picture: a relative name begins in directory, where "" and "." are the
 * current one.  The caller's to free; NULL when out of memory. */
char *kf_face_path(const char *directory, const char *file);

/* Gives a list without faces its columns, from names of points.  -1 where one cannot be a
 * column's, comes twice, or there are too many. */
int kf_faces_name_points(struct kf_faces *f, const struct kf_names *points,
	struct kf_err *err);

/* The same for n points without names, which are called by their numbers, from 0. */
int kf_faces_number_points(struct kf_faces *f, size_t n, struct kf_err *err);

/*
 * Adds a copy of a face with so many points.  A relative file name begins in directory,
 * where "" and "." are the current one.  A box of 0 x 0 is none.  -1 where a text of it
 * could not be shown, as it is not UTF-8 or has control characters, or its box is not one.
 */
int kf_faces_add(struct kf_faces *f, const char *directory,
	const struct kf_photo_face *face, size_t points, struct kf_err *err);

/* Adds a photograph without labels, to a list without points. */
int kf_faces_add_photo(struct kf_faces *f, const char *path, struct kf_err *err);

/* Moves all faces of `from`, which becomes empty, to the end of `to`.  -1 where both have
 * faces and their columns differ, with neither changed. */
int kf_faces_append(struct kf_faces *to, struct kf_faces *from, struct kf_err *err);

/* Counts the faces of each file, wherever they are in the list: sets their numbers. */
int kf_faces_number(struct kf_faces *f, struct kf_err *err);

void kf_faces_free(struct kf_faces *f);

#endif
