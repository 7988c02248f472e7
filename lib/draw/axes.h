/* What figures with axes have in common: how large they are drawn, their letters, thin
 * lines, a frame. */
#ifndef KF_AXES_H
#define KF_AXES_H

#include <stddef.h>

#include "draw/draw.h"

#define KF_TEXT 9.0 /* height of a capital letter, times the scale */

/* A figure's canvas, and by how much letters, lines and margins grow with it. */
struct kf_axes {
	struct kf_canvas *c;
	double scale;
};

/* 1 where the canvas has the size of w x h; never so small that letters could not be
 * read. */
struct kf_axes kf_axes_of(struct kf_canvas *c, double w, double h);

void kf_axes_text(const struct kf_axes *a, double x, double y, enum kf_align align,
	bool upright, const char *text);
double kf_axes_width(const struct kf_axes *a, const char *text);

void kf_axes_line(const struct kf_axes *a, double x0, double y0, double x1, double y1,
	int level /* of grey */);
void kf_axes_frame(const struct kf_axes *a, struct kf_box box);

/* A name, of which only the last letters are kept when it is longer than max. */
void kf_axes_name(char *text, size_t size, const char *name, int max);

#endif
