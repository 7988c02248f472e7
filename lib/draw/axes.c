/* Letters, thin lines and a frame for figures with axes. */
#include "draw/axes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SCALE_MIN 0.75

struct kf_axes kf_axes_of(struct kf_canvas *c, double w, double h)
{
	double scale = fmin(c->w / w, c->h / h);

	return (struct kf_axes){ c, fmax(scale, SCALE_MIN) };
}

void kf_axes_text(const struct kf_axes *a, double x, double y, enum kf_align align,
	bool upright, const char *text)
{
	kf_ink_text(a->c, x, y, KF_TEXT * a->scale, 1.25 * fmax(a->scale, 0.9), align,
		upright, text);
	kf_ink_dry(a->c, kf_grey(40));
}

double kf_axes_width(const struct kf_axes *a, const char *text)
{
	return kf_text_width(KF_TEXT * a->scale, text);
}

/* Lines along the axes stay sharp: of whole pixels. */
static double thin(const struct kf_axes *a)
{
	return fmax(1, floor(a->scale));
}

void kf_axes_line(const struct kf_axes *a, double x0, double y0, double x1, double y1,
	int level)
{
	kf_ink_line(a->c, x0, y0, x1, y1, thin(a));
	kf_ink_dry(a->c, kf_grey(level));
}

void kf_axes_frame(const struct kf_axes *a, struct kf_box box)
{
	double l = box.left, t = box.top, r = box.right - 1, b = box.bottom - 1;

	kf_ink_line(a->c, l, t, r, t, thin(a));
	kf_ink_line(a->c, r, t, r, b, thin(a));
	kf_ink_line(a->c, r, b, l, b, thin(a));
	kf_ink_line(a->c, l, b, l, t, thin(a));
	kf_ink_dry(a->c, kf_grey(90));
}

void kf_axes_name(char *text, size_t size, const char *name, int max)
{
	size_t length = strlen(name);

	if (length > (size_t)max)
		snprintf(text, size, "..%s", name + length - (size_t)max);
	else
		snprintf(text, size, "%s", name);
}
