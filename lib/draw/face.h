/* One image of a stream with its keypoints, truth as rings, predictions as
 * crosses, or with its class. */
#ifndef KF_FACE_H
#define KF_FACE_H

#include "rows/classes.h"
#include "draw/draw.h"
#include "stream/schema.h"

/* The points that columns make: "nose_tip_x" and "nose_tip_y" are one. */
struct kf_points {
	int n;
	int *x, *y;        /* (n) columns */
	const char *alone; /* a column that is no part of a point, or NULL */
};

/* -1 when out of memory; kf_points_free it in any case. */
int kf_points_find(struct kf_points *p, const struct kf_names *columns);
void kf_points_free(struct kf_points *p);

/* How faces are drawn. */
struct kf_face {
	const struct kf_schema *schema;
	struct kf_points truth, predicted;
	int *pair; /* (truth.n) the predicted point of the same name, or -1 */
	struct kf_classes classes;
	int zoom; /* each pixel of the image becomes zoom x zoom */
	bool ids; /* the row's id and name in the upper left corner */
	/* off unless the caller sets them */
	bool links; /* thin lines from truth to prediction */
	bool stretch; /* the darkest grey of an image is shown black, the lightest white */
};

/* schema stays the caller's.  -1 when out of memory, with nothing to free. */
int kf_face_init(struct kf_face *face, const struct kf_schema *schema, int zoom,
	bool ids, struct kf_err *err);
void kf_face_free(struct kf_face *face);

/* Draws a row with its image's top left corner at (left, top), in pixels and
 * grey levels of 0 to 255 whether the stream is scaled or not. */
void kf_draw_face(struct kf_canvas *c, int left, int top, const struct kf_face *face,
	const struct kf_chunk *chunk, size_t row);

/*
 * Draws the points of a row alone, on a canvas whose pixels they count: y and p are the
 * row's, of face->schema; either may be NULL.  side is that of the face there, by which
 * marks are larger or smaller.
 */
void kf_draw_points(struct kf_canvas *c, const struct kf_face *face, const float *y,
	const float *p, double side);

/* Writes light letters with a dark rim, which show on any image. */
void kf_draw_note(struct kf_canvas *c, double x, double y, enum kf_align align,
	struct kf_colour colour, const char *text);
double kf_note_width(const char *text);
#define KF_NOTE_LINE 14 /* from one baseline to the next, in pixels */

#endif
