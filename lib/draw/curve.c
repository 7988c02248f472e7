/* Learning curves. */
#include "draw/curve.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "draw/axes.h"
#include "draw/legend.h"
#include "draw/line_style.h"
#include "draw/ticks.h"

/* Margins and distances in pixels, times the scale. */
#define LEFT 84
#define TOP 20
#define RIGHT 76
#define BOTTOM 58
#define CORNER_X 12 /* from the frame to the legend */
#define CORNER_Y 10
#define SHAPES 80 /* from one shape on a curve to the next */

#define UNEVEN 10    /* lengths of curves; beyond, the axis is logarithmic */
#define OUTSIDE 0.35 /* of the width: what a legend beside the plot may have, */
#define NARROW 0.4   /* and what the plot must have with an axis on its right */

/* Where the curves are, and what values the edges stand for. */
struct plot {
	struct kf_axes axes;
	struct kf_box box;
	struct kf_curve_view view;
	bool pixels; /* an axis on the right */
	const struct kf_curve *curves;
	int n;
};

static double across(const struct plot *p, double x)
{
	const struct kf_curve_view *v = &p->view;
	double part = v->log_x ? log(x / v->left) / log(v->right / v->left) :
				 (x - v->left) / (v->right - v->left);

	return p->box.left + (p->box.right - 1 - p->box.left) * part;
}

static double down(const struct plot *p, double loss)
{
	return p->box.bottom - 1 -
		(p->box.bottom - 1 - p->box.top) * log(loss / p->view.low) /
		log(p->view.high / p->view.low);
}

/* -- points ---------------------------------------------------------------------- */

/* Where an epoch, counted from 0, is on the axis. */
static double place(const struct kf_curve *c, bool by_time, int i)
{
	return by_time ? c->seconds[i] : i + 1;
}

static bool drawable(const float *loss /* or NULL */, int i)
{
	return loss && isfinite(loss[i]) && loss[i] > 0;
}

static bool has_any(const float *loss, int epochs)
{
	for (int i = 0; i < epochs; i++)
		if (drawable(loss, i))
			return true;
	return false;
}

static bool any_has(const struct kf_curve *curves, int n, bool train)
{
	for (int i = 0; i < n; i++)
		if (has_any(train ? curves[i].train : curves[i].valid,
			    curves[i].epochs))
			return true;
	return false;
}

static bool limited_x(const struct kf_curve_view *v)
{
	return v->right > 0;
}

static bool limited_y(const struct kf_curve_view *v)
{
	return v->high > 0;
}

static bool within_x(const struct kf_curve_view *v, double x)
{
	return (!limited_x(v) || (x >= v->left && x <= v->right)) &&
		(!v->log_x || x > 0);
}

static bool within_y(const struct kf_curve_view *v, double loss)
{
	return !limited_y(v) || (loss >= v->low && loss <= v->high);
}

/* -- the range ------------------------------------------------------------------- */

/* The smallest and the largest values of what is seen. */
struct extent {
	double left, right, low, high;
};

static void widen(struct extent *e, const struct kf_curve *c, const float *loss,
	const struct kf_curve_view *v)
{
	for (int i = 0; i < c->epochs; i++) {
		double x = place(c, v->by_time, i);

		if (!drawable(loss, i) || !within_x(v, x) || !within_y(v, loss[i]))
			continue;
		e->left = fmin(e->left, x);
		e->right = fmax(e->right, x);
		e->low = fmin(e->low, loss[i]);
		e->high = fmax(e->high, loss[i]);
	}
}

static struct extent extent_of(const struct kf_curve *curves, int n,
	const struct kf_curve_view *v)
{
	struct extent e = { INFINITY, 0, INFINITY, 0 };

	for (int i = 0; i < n; i++) {
		widen(&e, &curves[i], curves[i].train, v);
		widen(&e, &curves[i], curves[i].valid, v);
	}
	return e;
}

bool kf_curves_within(const struct kf_curve *curves, int n,
	const struct kf_curve_view *view)
{
	return extent_of(curves, n, view).high > 0;
}

bool kf_curves_uneven(const struct kf_curve *curves, int n, bool by_time)
{
	double shortest = INFINITY, longest = 0;

	for (int i = 0; i < n; i++) {
		double x = curves[i].epochs ?
			place(&curves[i], by_time, curves[i].epochs - 1) :
			0;

		shortest = fmin(shortest, x);
		longest = fmax(longest, x);
	}
	return shortest > 0 && longest > UNEVEN * shortest;
}

/* The next number of one digit below (or above) v, but not v itself. */
static double round_out(double v, bool up)
{
	double power = pow(10, floor(log10(v))), digit = v / power;

	if (up)
		return (floor(digit + 1e-6) + 1) * power;
	digit = ceil(digit - 1e-6) - 1;
	return digit < 0.5 ? 0.9 * power : digit * power;
}

/* Losses from one round number to another; where these are so far apart that the curves
 * would have less than half of the height, those of two digits. */
static void fit_losses(struct kf_curve_view *v, const struct extent *e)
{
	v->low = round_out(e->low, false);
	v->high = round_out(e->high, true);
	if (log(v->high / v->low) <= 2 * log(e->high / e->low))
		return;
	v->low = kf_round_out(e->low, false);
	v->high = kf_round_out(e->high, true);
}

static int find_range(struct plot *p, struct kf_err *err)
{
	struct kf_curve_view *v = &p->view;
	struct extent e = extent_of(p->curves, p->n, v);

	if (!(e.high > 0))
		return kf_fail(err, "there is no loss to draw");
	if (!limited_y(v))
		fit_losses(v, &e);
	if (limited_x(v))
		return 0;
	/* What is at the first or only epoch is not half behind the frame. */
	v->left = v->log_x ? e.left / 1.1 : 0;
	v->right = v->log_x ? e.right * 1.1 :
		!v->by_time ? fmax(e.right, 2) :
		e.right > 0 ? e.right :
			      1;
	return 0;
}

/* -- axes ------------------------------------------------------------------------ */

static void draw_place(const struct plot *p, double place, const char *text)
{
	int x = (int)(across(p, place) + 0.5);
	double s = p->axes.scale;

	kf_axes_line(&p->axes, x, p->box.top, x, p->box.bottom + 4 * s, 215);
	kf_axes_text(&p->axes, x, p->box.bottom + 20 * s, KF_CENTRE, false, text);
}

static void draw_log_places(const struct plot *p)
{
	const struct kf_curve_view *v = &p->view;
	double tick[KF_TICKS_MAX], width = p->box.right - p->box.left;
	int n = kf_log_ticks(v->left, v->right, width, 50 * p->axes.scale, tick);
	char text[32];

	for (int i = 0; i < n; i++) {
		if (!v->by_time && tick[i] < floor(tick[i] + 1e-9))
			continue;
		kf_print_tick(text, sizeof text, tick[i]);
		draw_place(p, tick[i], text);
	}
}

static void draw_even_places(const struct plot *p)
{
	const struct kf_curve_view *v = &p->view;
	int room = (int)((p->box.right - p->box.left) / (70 * p->axes.scale));
	int most = room < 2 ? 2 : room > 10 ? 10 : room;
	double length = v->right - v->left;
	double step =
		v->by_time ? kf_round_step(length, most) : kf_linear_step(length, most);
	char text[32];

	for (double i = fabs(ceil(v->left / step - 1e-9));
		i * step <= v->right * (1 + 1e-9); i++) {
		snprintf(text, sizeof text, "%.8g", i * step);
		draw_place(p, i * step, text);
	}
}

static void draw_places(const struct plot *p)
{
	if (p->view.log_x)
		draw_log_places(p);
	else
		draw_even_places(p);
	kf_axes_text(&p->axes, (p->box.left + p->box.right) / 2.0,
		p->box.bottom + 42 * p->axes.scale, KF_CENTRE, false,
		p->view.by_time ? "seconds" : "epoch");
}

/* Round losses, or pixels, from the bottom to the top. */
static int ticks_up(const struct plot *p, double low, double high,
	double tick[KF_TICKS_MAX])
{
	return kf_log_ticks(low, high, p->box.bottom - p->box.top, 26 * p->axes.scale,
		tick);
}

static void draw_losses(const struct plot *p)
{
	double tick[KF_TICKS_MAX], s = p->axes.scale;
	int n = ticks_up(p, p->view.low, p->view.high, tick);
	double widest = 0, middle = (p->box.top + p->box.bottom) / 2.0;
	char text[32];

	for (int i = 0; i < n; i++) {
		int y = (int)(down(p, tick[i]) + 0.5);

		kf_print_tick(text, sizeof text, tick[i]);
		widest = fmax(widest, kf_axes_width(&p->axes, text));
		kf_axes_line(&p->axes, p->box.left - 4 * s, y, p->box.right - 1, y,
			215);
		kf_axes_text(&p->axes, p->box.left - 9 * s, y + KF_TEXT / 2 * s,
			KF_RIGHT, false, text);
	}
	kf_axes_text(&p->axes, p->box.left - 22 * s - widest, middle, KF_CENTRE, true,
		any_has(p->curves, p->n, true) ? "loss" : "loss in validation");
}

/* The same axis on the right, in pixels = factor * sqrt(loss), if it has a number. */
static void draw_pixels(const struct plot *p, double factor)
{
	double tick[KF_TICKS_MAX], s = p->axes.scale;
	int n = ticks_up(p, factor * sqrt(p->view.low), factor * sqrt(p->view.high),
		tick);
	double widest = 0, middle = (p->box.top + p->box.bottom) / 2.0;
	char text[32];

	if (n == 0)
		return;
	for (int i = 0; i < n; i++) {
		int y = (int)(down(p, pow(tick[i] / factor, 2)) + 0.5);

		kf_print_tick(text, sizeof text, tick[i]);
		widest = fmax(widest, kf_axes_width(&p->axes, text));
		kf_axes_line(&p->axes, p->box.right - 5 * s, y, p->box.right + 3 * s, y,
			90);
		kf_axes_text(&p->axes, p->box.right + 8 * s, y + KF_TEXT / 2 * s,
			KF_LEFT, false, text);
	}
	kf_axes_text(&p->axes, p->box.right + (22 + KF_TEXT) * s + widest, middle,
		KF_CENTRE, true, "RMSE in pixels");
}

/* -- curves ---------------------------------------------------------------------- */

static struct kf_line_style style_of(const struct plot *p, int i)
{
	return p->curves[i].mean ? kf_line_style_mean() :
				   kf_line_style(p->axes.c->depth == 3, i, p->n);
}

/* A point of a curve on the canvas: false where there is none. */
static bool point_at(const struct plot *p, const struct kf_curve *c, const float *loss,
	int i, double *x, double *y)
{
	double at;

	if (i < 0 || i >= c->epochs || !drawable(loss, i))
		return false;
	at = place(c, p->view.by_time, i);
	if (p->view.log_x && at <= 0)
		return false;
	*x = across(p, at);
	*y = down(p, loss[i]);
	return true;
}

/* Inks the line, and points that have none. */
static void ink_curve(const struct plot *p, const struct kf_curve *c, const float *loss,
	const struct kf_line_style *style, bool thin)
{
	double at = 0, x0, y0, x1, y1;
	bool joined = false; /* to the point before */

	for (int i = 0; i < c->epochs; i++) {
		bool next = point_at(p, c, loss, i + 1, &x1, &y1);

		if (point_at(p, c, loss, i, &x0, &y0)) {
			if (next)
				kf_ink_styled(p->axes.c, style, thin, p->axes.scale, x0,
					y0, x1, y1, &at);
			else if (!joined)
				kf_ink_point(p->axes.c, style, thin, p->axes.scale, x0,
					y0);
			joined = next;
		} else {
			joined = false;
		}
	}
}

/* Shapes along a curve, each so far behind the one before, but not where other curves
 * have theirs. */
static void ink_shapes(const struct plot *p, const struct kf_curve *c,
	const float *loss, const struct kf_line_style *style, int number)
{
	double s = p->axes.scale, x, y;
	double next = p->box.left + (24 + number % KF_LINE_STYLES * 8) * s;

	for (int i = 0; i < c->epochs; i++) {
		if (!point_at(p, c, loss, i, &x, &y) || (c->epochs > 1 && x < next))
			continue;
		kf_ink_shape(p->axes.c, style, s, x, y);
		next += SHAPES * s * (1 + floor((x - next) / (SHAPES * s)));
	}
}

static void draw_curve(const struct plot *p, int i)
{
	const struct kf_curve *c = &p->curves[i];
	struct kf_line_style style = style_of(p, i);

	ink_curve(p, c, c->train, &style, true);
	ink_curve(p, c, c->valid, &style, false);
	ink_shapes(p, c, has_any(c->valid, c->epochs) ? c->valid : c->train, &style, i);
	kf_ink_dry(p->axes.c, style.colour);
}

/* -- legend ---------------------------------------------------------------------- */

/* The entries, of which there is room for n + 2: the models; and what is thin and what is
 * thick, where both are there, or there is nothing else. */
static int legend_entries(const struct plot *p, struct kf_legend_entry *entry)
{
	bool train = any_has(p->curves, p->n, true);
	bool valid = any_has(p->curves, p->n, false);
	struct kf_line_style key =
		p->n == 1 ? style_of(p, 0) : kf_line_style_key(p->axes.c->depth == 3);
	int n = 0;

	for (int i = 0; p->n > 1 && i < p->n; i++) {
		const struct kf_curve *c = &p->curves[i];
		bool thin = !has_any(c->valid, c->epochs);

		if (!thin || has_any(c->train, c->epochs))
			entry[n++] = (struct kf_legend_entry){ c->name, style_of(p, i),
				thin };
	}
	if (p->n == 1 ? train : train && valid)
		entry[n++] = (struct kf_legend_entry){ "train", key, true };
	if (p->n == 1 ? valid : train && valid)
		entry[n++] = (struct kf_legend_entry){ "valid", key, false };
	return n;
}

/* Whether a line meets a box (Liang and Barsky): whether a part of it is left when what
 * lies beyond each edge is cut off. */
static bool crosses(const double edge[4] /* left, top, right, bottom */, double x0,
	double y0, double x1, double y1)
{
	const double by[4] = { x0 - x1, y0 - y1, x1 - x0, y1 - y0 };
	const double to[4] = { x0 - edge[0], y0 - edge[1], edge[2] - x0, edge[3] - y0 };
	double from = 0, until = 1;

	for (int i = 0; i < 4; i++) {
		if (by[i] < 0)
			from = fmax(from, to[i] / by[i]);
		else if (by[i] > 0)
			until = fmin(until, to[i] / by[i]);
		else if (to[i] < 0)
			return false;
	}
	return from <= until;
}

static bool curve_crosses(const struct plot *p, const struct kf_curve *c,
	const float *loss, const double edge[4])
{
	double x0, y0, x1, y1;

	for (int i = 0; i < c->epochs; i++) {
		if (!point_at(p, c, loss, i, &x0, &y0))
			continue;
		if (!point_at(p, c, loss, i + 1, &x1, &y1)) {
			x1 = x0;
			y1 = y0;
		}
		if (crosses(edge, x0, y0, x1, y1))
			return true;
	}
	return false;
}

/* Whether no curve comes near the legend there. */
static bool is_free(const struct plot *p, const struct kf_legend *l, int left, int top)
{
	double near = 6 * p->axes.scale;
	double edge[4] = { left - near, top - near, left + l->w + near,
		top + l->h + near };

	for (int i = 0; i < p->n; i++)
		if (curve_crosses(p, &p->curves[i], p->curves[i].train, edge) ||
			curve_crosses(p, &p->curves[i], p->curves[i].valid, edge))
			return false;
	return true;
}

/* A corner of the plot in which the legend hides nothing. */
static bool find_corner(const struct plot *p, const struct kf_legend *l, int *left,
	int *top)
{
	/* Falling curves leave the upper right corner free first. */
	static const struct {
		bool right, top;
	} corner[] = { { true, true }, { false, false }, { false, true },
		{ true, false } };
	double s = p->axes.scale;
	int x = (int)(CORNER_X * s), y = (int)(CORNER_Y * s);

	if (l->w + 2 * x > p->box.right - p->box.left ||
		l->h + 2 * y > p->box.bottom - p->box.top)
		return false;
	for (int i = 0; i < 4; i++) {
		*left = corner[i].right ? p->box.right - x - l->w : p->box.left + x;
		*top = corner[i].top ? p->box.top + y : p->box.bottom - y - l->h;
		if (is_free(p, l, *left, *top))
			return true;
	}
	return false;
}

/* -- the mean -------------------------------------------------------------------- */

int kf_curves_mean(const struct kf_curve *curves, int n, float *mean)
{
	int epochs = curves[0].epochs;
	double weights = 0;

	for (int i = 0; i < n; i++) {
		epochs = curves[i].epochs < epochs ? curves[i].epochs : epochs;
		weights += curves[i].targets;
	}
	for (int e = 0; e < epochs; e++) {
		double sum = 0;

		for (int i = 0; i < n; i++)
			sum += curves[i].targets * (double)curves[i].valid[e];
		mean[e] = (float)(sum / weights);
	}
	return epochs;
}

/* -- the whole ------------------------------------------------------------------- */

/* Those of logs are told by rounded numbers. */
static bool same_pixels(const struct kf_curve *curves, int n)
{
	for (int i = 1; i < n; i++)
		if (fabs(curves[i].pixels - curves[0].pixels) > 0.01 * curves[0].pixels)
			return false;
	return curves[0].pixels > 0;
}

/* Finds the place of the legend, for which the plot becomes narrower where it has no
 * free corner. */
static void place_legend(struct plot *p, struct kf_legend *l,
	const struct kf_legend_entry *entry, int n, int *left, int *top)
{
	struct kf_canvas *c = p->axes.c;
	double s = p->axes.scale, beside = CORNER_X * s;

	kf_legend_init(l, &p->axes, entry, n, c->w, c->h);
	if (find_corner(p, l, left, top))
		return;
	kf_legend_init(l, &p->axes, entry, n, OUTSIDE * c->w - beside,
		c->h - 2 * TOP * s);
	p->box.right -= l->w + (int)beside;
	if (p->box.right - p->box.left < NARROW * c->w) {
		p->pixels = false;
		p->box.right = c->w - l->w - 2 * (int)beside;
	}
	*left = c->w - l->w - (int)beside;
	*top = p->box.top;
}

static void draw_all(struct plot *p, struct kf_legend_entry *entry)
{
	struct kf_canvas *c = p->axes.c;
	struct kf_legend legend;
	int left, top;

	place_legend(p, &legend, entry, legend_entries(p, entry), &left, &top);
	draw_places(p);
	draw_losses(p);
	if (p->pixels)
		draw_pixels(p, p->curves[0].pixels);
	kf_clip(c, p->box);
	for (int i = 0; i < p->n; i++)
		draw_curve(p, i);
	kf_unclip(c);
	kf_legend_draw(&legend, left, top);
	kf_axes_frame(&p->axes, p->box);
}

int kf_draw_curves(struct kf_canvas *c, const struct kf_curve *curves, int n,
	const struct kf_curve_view *view, struct kf_err *err)
{
	struct plot p = { .axes = kf_axes_of(c, 800, 600),
		.view = *view,
		.pixels = same_pixels(curves, n),
		.curves = curves,
		.n = n };
	double s = p.axes.scale;
	struct kf_legend_entry *entry;

	p.box = (struct kf_box){ (int)(LEFT * s), (int)(TOP * s),
		c->w - (int)(RIGHT * s), c->h - (int)(BOTTOM * s) };
	if (find_range(&p, err) < 0)
		return -1;
	entry = calloc((size_t)n + 2, sizeof *entry);
	if (!entry)
		return kf_fail_memory(err);
	draw_all(&p, entry);
	free(entry);
	return 0;
}
