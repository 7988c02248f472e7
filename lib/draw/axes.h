/* What figures with axes have in common: their letters, thin lines, a frame. */
#ifndef KF_AXES_H
#define KF_AXES_H

#include <stddef.h>

#include "draw/draw.h"

#define KF_TEXT 9.0 /* height of a capital letter */

void kf_axes_text(struct kf_canvas *c, double x, double y, enum kf_align align,
	bool upright, const char *text);
double kf_axes_width(const char *text);

void kf_axes_line(struct kf_canvas *c, double x0, double y0, double x1, double y1,
	int level /* of grey */);
void kf_axes_frame(struct kf_canvas *c, struct kf_box box);

/* A name, of which only the last letters are kept when it is longer than max. */
void kf_axes_name(char *text, size_t size, const char *name, int max);

#endif
