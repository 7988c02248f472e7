/* Errors as horizontal bars: one for each keypoint, and one for all. */
#ifndef KF_BARS_H
#define KF_BARS_H

#include "draw/draw.h"

struct kf_bar {
	const char *name;
	double value; /* in pixels; NaN where there is none */
};

/* The height that suits n bars and the one for all, and the least that has
 * room for them. */
int kf_bars_height(int n);
int kf_bars_least_height(int n);
#define KF_BARS_MIN_W 320

/*
 * Draws bars from the top down over a whole white canvas, each between its name
 * and its value, and below them the bar for all, whose value a line marks across
 * the others.
 */
void kf_draw_bars(struct kf_canvas *c, const struct kf_bar *bars, int n,
	struct kf_bar whole);

#endif
