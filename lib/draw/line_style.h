/*
 * How the curves of several models are told apart: by colours; without colour, by shades
 * and by dashes; and by shapes here and there.
 */
#ifndef KF_LINE_STYLE_H
#define KF_LINE_STYLE_H

#include "draw/draw.h"

/* As many models are told apart. */
#define KF_LINE_STYLES 10

/* What is drawn thin and what is drawn thick differ in all figures. */
struct kf_line_style {
	struct kf_colour colour;
	double width, thin;
	const double *dash, *thin_dash; /* for kf_ink_dashes; NULL: no dashes */
	int shape;                      /* for kf_ink_shape; 0: none */
};

/* Of curve i of n. */
struct kf_line_style kf_line_style(bool colour, int i, int n);
/* Of the curve that is the mean of others. */
struct kf_line_style kf_line_style_mean(void);
/* The style that says what thin and thick mean. */
struct kf_line_style kf_line_style_key(bool colour);

void kf_ink_styled(struct kf_canvas *c, const struct kf_line_style *style, bool thin,
	double scale, double x0, double y0, double x1, double y1,
	double *at /* of kf_ink_dashes */);
/* A point that has no line to it: hollow or full. */
void kf_ink_point(struct kf_canvas *c, const struct kf_line_style *style, bool thin,
	double scale, double x, double y);
void kf_ink_shape(struct kf_canvas *c, const struct kf_line_style *style, double scale,
	double x, double y);

#endif
