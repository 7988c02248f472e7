/* Letters, thin lines and a frame for figures with axes. */
#include "draw/axes.h"

#include <stdio.h>
#include <string.h>

void kf_axes_text(struct kf_canvas *c, double x, double y, enum kf_align align,
	bool upright, const char *text)
{
	kf_ink_text(c, x, y, KF_TEXT, 1.25, align, upright, text);
	kf_ink_dry(c, kf_grey(40));
}

double kf_axes_width(const char *text)
{
	return kf_text_width(KF_TEXT, text);
}

void kf_axes_line(struct kf_canvas *c, double x0, double y0, double x1, double y1,
	int level)
{
	kf_ink_line(c, x0, y0, x1, y1, 1);
	kf_ink_dry(c, kf_grey(level));
}

void kf_axes_frame(struct kf_canvas *c, struct kf_box box)
{
	double l = box.left, t = box.top, r = box.right - 1, b = box.bottom - 1;

	kf_ink_line(c, l, t, r, t, 1);
	kf_ink_line(c, r, t, r, b, 1);
	kf_ink_line(c, r, b, l, b, 1);
	kf_ink_line(c, l, b, l, t, 1);
	kf_ink_dry(c, kf_grey(90));
}

void kf_axes_name(char *text, size_t size, const char *name, int max)
{
	size_t length = strlen(name);

	if (length > (size_t)max)
		snprintf(text, size, "..%s", name + length - (size_t)max);
	else
		snprintf(text, size, "%s", name);
}
