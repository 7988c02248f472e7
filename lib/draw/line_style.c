/* Colours, dashes and shapes of curves. */
#include "draw/line_style.h"

#include <math.h>
#include <stddef.h>

/*
 * Six colours of Okabe and Ito ("Color Universal Design", 2008: without their yellow,
 * which is too light for a line on white, and without black), then wine, indigo and green
 * of Tol's "muted" scheme (SRON/EPS/TN/09-002, issue 3.2), and black.  Any two of them
 * are at least 17 apart in CIELAB, also as those see them who lack the red or the green
 * cones (Machado, Oliveira and Fernandes 2009, severity 1).
 */
static const struct kf_colour colours[KF_LINE_STYLES] = { { 0, 114, 178 },
	{ 213, 94, 0 }, { 0, 158, 115 }, { 204, 121, 167 }, { 86, 180, 233 },
	{ 230, 159, 0 }, { 136, 34, 85 }, { 51, 34, 136 }, { 17, 119, 51 },
	{ 0, 0, 0 } };

static const int greys[] = { 0, 110, 50, 150 };

/* On, off, on, off ... and 0 after the last; all for thick lines, whose round ends make
 * them longer. */
#define DASHES 7
static const double dashes[KF_LINE_STYLES][DASHES] = { { 0 }, { 12, 7, 0 },
	{ 0.1, 6, 0 }, { 12, 6, 0.1, 6, 0 }, { 5, 6, 0 }, { 22, 7, 0 },
	{ 12, 6, 0.1, 6, 0.1, 6, 0 }, { 16, 6, 4, 6, 0 }, { 0.1, 12, 0 },
	{ 5, 14, 0 } };

static const double short_dashes[] = { 6, 5, 0 };

struct kf_line_style kf_line_style(bool colour, int i, int n)
{
	struct kf_line_style s = { .width = 2.4,
		.thin = 1.4,
		.shape = n > 1 ? 1 + i % KF_LINE_STYLES : 0,
		.thin_dash = short_dashes };
	const double *dash = dashes[i % KF_LINE_STYLES];

	s.colour = colours[i % KF_LINE_STYLES];
	if (colour)
		return s;
	s.colour = kf_grey(greys[i % (int)(sizeof greys / sizeof *greys)]);
	if (n > 1) {
		s.dash = s.thin_dash = *dash > 0 ? dash : NULL;
		s.thin = 1.1;
	}
	return s;
}

struct kf_line_style kf_line_style_mean(void)
{
	return (struct kf_line_style){ .colour = KF_BLACK, .width = 5, .thin = 5 };
}

struct kf_line_style kf_line_style_key(bool colour)
{
	struct kf_line_style s = kf_line_style(colour, 0, 2);

	s.colour = kf_grey(90);
	s.shape = 0;
	return s;
}

void kf_ink_styled(struct kf_canvas *c, const struct kf_line_style *s, bool thin,
	double scale, double x0, double y0, double x1, double y1, double *at)
{
	const double *dash = thin ? s->thin_dash : s->dash;
	double width = (thin ? s->thin : s->width) * scale;

	if (dash)
		kf_ink_dashes(c, x0, y0, x1, y1, width, dash, scale, at);
	else
		kf_ink_line(c, x0, y0, x1, y1, width);
}

void kf_ink_point(struct kf_canvas *c, const struct kf_line_style *s, bool thin,
	double scale, double x, double y)
{
	if (thin)
		kf_ink_ring(c, x, y, 4 * scale, s->thin * scale);
	else
		kf_ink_ring(c, x, y, 0, fmax(9, s->width) * scale);
}

static void ink_polygon(struct kf_canvas *c, double x, double y, double radius,
	int corners, double turn, double width)
{
	double step = 2 * acos(-1) / corners;

	for (int i = 0; i < corners; i++) {
		double a = turn + step * i, b = a + step;

		kf_ink_line(c, x + radius * cos(a), y + radius * sin(a),
			x + radius * cos(b), y + radius * sin(b), width);
	}
}

static void ink_plus(struct kf_canvas *c, double x, double y, double r, double width)
{
	kf_ink_line(c, x - r, y, x + r, y, width);
	kf_ink_line(c, x, y - r, x, y + r, width);
}

void kf_ink_shape(struct kf_canvas *c, const struct kf_line_style *s, double scale,
	double x, double y)
{
	double right = acos(0), r = 5 * scale, w = 1.5 * scale;

	switch (s->shape) {
	case 1: kf_ink_ring(c, x, y, 0.8 * r, w); break;
	case 2: kf_ink_cross(c, x, y, r, w); break;
	case 3: ink_polygon(c, x, y, r, 3, -right, w); break;
	case 4: ink_polygon(c, x, y, r, 4, right / 2, w); break;
	case 5: ink_plus(c, x, y, r, w); break;
	case 6: ink_polygon(c, x, y, r, 3, right, w); break;
	case 7: ink_polygon(c, x, y, r, 4, 0, w); break;
	case 8: kf_ink_ring(c, x, y, 0, 1.6 * r); break;
	case 9:
		kf_ink_cross(c, x, y, r, w);
		ink_plus(c, x, y, r, w);
		break;
	case 10: ink_polygon(c, x, y, r, 6, right, w); break;
	}
}
