/* Horizontal bars. */
#include "draw/bars.h"

#include <math.h>
#include <stdio.h>

#include "draw/axes.h"
#include "draw/ticks.h"

#define TOP 20
#define BOTTOM 58 /* numbers and the axis's name */
#define SUITS 26  /* pixels for a bar and the gap to the next */
#define LEAST 14
#define NAME_LETTERS 32
#define VALUE_EDGE 16 /* from the values to the right edge */

/* The whole's bar is set off by half a bar. */
#define PLACES(n) ((n) + 1.5)

/* Where bars are, and what the right edge stands for. */
struct plot {
	struct kf_axes axes;
	struct kf_box box;
	double end;
	double pitch; /* from bar to bar */
};

int kf_bars_height(int n)
{
	return TOP + BOTTOM + (int)(PLACES(n) * SUITS);
}

int kf_bars_least_height(int n)
{
	return TOP + BOTTOM + (int)(PLACES(n) * LEAST);
}

static double across(const struct plot *p, double value)
{
	return p->box.left + (p->box.right - 1 - p->box.left) * value / p->end;
}

static void print_value(char *text, size_t size, double v)
{
	if (isnan(v))
		snprintf(text, size, "-");
	else if (v == 0 || (v >= 0.1 && v < 1e5))
		snprintf(text, size, "%.2f", v);
	else
		kf_print_tick(text, size, v);
}

/* The width of names, or of values. */
static double widest(const struct kf_axes *a, const struct kf_bar *bars, int n,
	bool names)
{
	char text[NAME_LETTERS + 3];
	double most = 0;

	for (int i = 0; i < n; i++) {
		if (names)
			kf_axes_name(text, sizeof text, bars[i].name, NAME_LETTERS);
		else
			print_value(text, sizeof text, bars[i].value);
		most = fmax(most, kf_axes_width(a, text));
	}
	return most;
}

/* The same, with the bar for all. */
static double widest_of(const struct kf_axes *a, const struct kf_bar *bars, int n,
	struct kf_bar whole, bool names)
{
	return fmax(widest(a, bars, n, names), widest(a, &whole, 1, names));
}

static void draw_axis(const struct plot *p)
{
	double s = p->axes.scale;
	int room = (int)((p->box.right - p->box.left) / (70 * s));
	double step = kf_round_step(p->end, room < 3 ? 3 : room > 10 ? 10 : room);
	char text[32] = "0";

	for (int i = 0; i * step <= p->end * (1 + 1e-9); i++) {
		int x = (int)(across(p, i * step) + 0.5);

		if (i > 0)
			kf_print_tick(text, sizeof text, i * step);
		kf_axes_line(&p->axes, x, p->box.top, x, p->box.bottom + 4 * s, 215);
		kf_axes_text(&p->axes, x, p->box.bottom + 20 * s, KF_CENTRE, false,
			text);
	}
	kf_axes_text(&p->axes, (p->box.left + p->box.right) / 2.0,
		p->box.bottom + 42 * s, KF_CENTRE, false, "RMSE in pixels");
}

/* The middle of a bar; place counts bars from the top. */
static double middle_of(const struct plot *p, double place)
{
	return p->box.top + (place + 0.5) * p->pitch;
}

static void draw_bar(const struct plot *p, double place, double value,
	struct kf_colour colour)
{
	double middle = middle_of(p, place),
	       half = fmin(p->pitch * 0.31, 16 * p->axes.scale);

	if (isfinite(value) && value > 0)
		kf_draw_box(p->axes.c,
			(struct kf_box){ p->box.left, (int)(middle - half + 0.5),
				(int)(across(p, value) + 0.5) + 1,
				(int)(middle + half + 0.5) },
			colour);
}

/* The name on the left of the plot, and the value on the right, where no line is. */
static void write_bar(const struct plot *p, double place, const struct kf_bar *bar)
{
	double s = p->axes.scale, y = middle_of(p, place) + KF_TEXT / 2 * s;
	char text[NAME_LETTERS + 3];

	kf_axes_name(text, sizeof text, bar->name, NAME_LETTERS);
	kf_axes_text(&p->axes, p->box.left - 9 * s, y, KF_RIGHT, false, text);
	print_value(text, sizeof text, bar->value);
	kf_axes_text(&p->axes, p->axes.c->w - VALUE_EDGE * s, y, KF_RIGHT, false, text);
}

static void draw_mark(const struct plot *p, double value, struct kf_colour colour)
{
	static const double dash[] = { 6, 4, 0 };
	double x = across(p, value), s = p->axes.scale, at = 0;

	kf_ink_dashes(p->axes.c, x, p->box.top, x, p->box.bottom - 1, 1.4 * s, dash, s,
		&at);
	kf_ink_dry(p->axes.c, colour);
}

void kf_draw_bars(struct kf_canvas *c, const struct kf_bar *bars, int n,
	struct kf_bar whole)
{
	bool colour = c->depth == 3;
	struct kf_colour one =
		colour ? (struct kf_colour){ 86, 160, 211 } : kf_grey(150);
	struct kf_colour all = colour ? (struct kf_colour){ 213, 94, 0 } : kf_grey(30);
	struct plot p = { .axes = kf_axes_of(c, 800, kf_bars_height(n)) };
	double s = p.axes.scale,
	       left = 24 * s + widest_of(&p.axes, bars, n, whole, true);
	double right = (9 + VALUE_EDGE) * s + widest_of(&p.axes, bars, n, whole, false);

	p.box = (struct kf_box){ (int)fmin(left, c->w / 2), (int)(TOP * s),
		c->w - (int)right, c->h - (int)(BOTTOM * s) };
	p.pitch = (p.box.bottom - p.box.top) / PLACES(n);
	if (isfinite(whole.value))
		p.end = whole.value;
	for (int i = 0; i < n; i++)
		if (isfinite(bars[i].value))
			p.end = fmax(p.end, bars[i].value);
	/* The longest bar ends before the frame. */
	p.end = p.end > 0 ? p.end * 1.04 : 1;
	draw_axis(&p);
	for (int i = 0; i < n; i++)
		draw_bar(&p, i, bars[i].value, one);
	draw_bar(&p, n + 0.5, whole.value, all);
	if (isfinite(whole.value))
		draw_mark(&p, whole.value, all);
	for (int i = 0; i < n; i++)
		write_bar(&p, i, &bars[i]);
	write_bar(&p, n + 0.5, &whole);
	kf_axes_frame(&p.axes, p.box);
}
