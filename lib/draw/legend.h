/* The legend of a figure: a line in its style for each entry, and what it is. */
#ifndef KF_LEGEND_H
#define KF_LEGEND_H

#include "draw/axes.h"
#include "draw/line_style.h"

struct kf_legend_entry {
	const char *text; /* stays the caller's */
	struct kf_line_style style;
	bool thin;
};

struct kf_legend {
	const struct kf_axes *axes;
	const struct kf_legend_entry *entry; /* (n) */
	int n;
	int w, h; /* in pixels */
	/* private */
	int shown;   /* entries; where some have no room, a line says how many */
	int letters; /* of a text, of which only the last are shown */
};

/* Sets the size, which is at most so wide and high. */
void kf_legend_init(struct kf_legend *l, const struct kf_axes *axes,
	const struct kf_legend_entry *entry, int n, double most_w, double most_h);

/* Draws it with its upper left corner at (left, top). */
void kf_legend_draw(const struct kf_legend *l, int left, int top);

#endif
