/* Learning curves. */
#include "draw/curve.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "draw/axes.h"
#include "draw/ticks.h"

#define NAME_MAX_LETTERS 24 /* in the legend */

/* Where the curves are, and what values the edges stand for. */
struct plot {
	struct kf_canvas *c;
	struct kf_box box;
	double epochs, low, high;
};

static double across(const struct plot *p, double epoch)
{
	return p->box.left + (p->box.right - 1 - p->box.left) * epoch / p->epochs;
}

static double down(const struct plot *p, double loss)
{
	return p->box.bottom - 1 -
		(p->box.bottom - 1 - p->box.top) * log(loss / p->low) /
		log(p->high / p->low);
}

/* -- axes ------------------------------------------------------------------------ */

static void draw_epochs(const struct plot *p)
{
	int room = (p->box.right - p->box.left) / 70;
	double step = kf_linear_step(p->epochs, room < 2 ? 2 : room > 10 ? 10 : room);
	char text[32];

	for (double epoch = 0; epoch <= p->epochs; epoch += step) {
		int x = (int)(across(p, epoch) + 0.5);

		kf_axes_line(p->c, x, p->box.top, x, p->box.bottom + 4, 215);
		snprintf(text, sizeof text, "%.0f", epoch);
		kf_axes_text(p->c, x, p->box.bottom + 20, KF_CENTRE, false, text);
	}
	kf_axes_text(p->c, (p->box.left + p->box.right) / 2.0, p->box.bottom + 42,
		KF_CENTRE, false, "epoch");
}

static void draw_losses(const struct plot *p)
{
	double tick[KF_TICKS_MAX];
	int n = kf_log_ticks(p->low, p->high, p->box.bottom - p->box.top, 26, tick);
	double widest = 0, middle = (p->box.top + p->box.bottom) / 2.0;
	char text[32];

	for (int i = 0; i < n; i++) {
		int y = (int)(down(p, tick[i]) + 0.5);

		kf_print_tick(text, sizeof text, tick[i]);
		widest = fmax(widest, kf_axes_width(text));
		kf_axes_line(p->c, p->box.left - 4, y, p->box.right - 1, y, 215);
		kf_axes_text(p->c, p->box.left - 9, y + KF_TEXT / 2, KF_RIGHT, false,
			text);
	}
	kf_axes_text(p->c, p->box.left - 22 - widest, middle, KF_CENTRE, true, "loss");
}

/* The same axis on the right, in pixels = factor * sqrt(loss). */
static void draw_pixels(const struct plot *p, double factor)
{
	double tick[KF_TICKS_MAX];
	int n = kf_log_ticks(factor * sqrt(p->low), factor * sqrt(p->high),
		p->box.bottom - p->box.top, 26, tick);
	double widest = 0, middle = (p->box.top + p->box.bottom) / 2.0;
	char text[32];

	for (int i = 0; i < n; i++) {
		int y = (int)(down(p, pow(tick[i] / factor, 2)) + 0.5);

		kf_print_tick(text, sizeof text, tick[i]);
		widest = fmax(widest, kf_axes_width(text));
		kf_axes_line(p->c, p->box.right - 5, y, p->box.right + 3, y, 90);
		kf_axes_text(p->c, p->box.right + 8, y + KF_TEXT / 2, KF_LEFT, false,
			text);
	}
	kf_axes_text(p->c, p->box.right + 22 + KF_TEXT + widest, middle, KF_CENTRE,
		true, "RMSE in pixels");
}

/* -- curves ---------------------------------------------------------------------- */

/* Colours that the colour-blind can tell apart, and greys. */
static const struct kf_colour colours[] = { { 0, 114, 178 }, { 213, 94, 0 },
	{ 0, 158, 115 }, { 204, 121, 167 }, { 86, 180, 233 }, { 230, 159, 0 } };
static const struct kf_colour greys[] = { { 0, 0, 0 }, { 120, 120, 120 },
	{ 60, 60, 60 }, { 160, 160, 160 } };

/* How one model's curves look: its colour, and where there are several, a
 * shape that marks them here and there. */
struct style {
	struct kf_colour colour;
	int shape; /* 0 none, 1 ring, 2 cross, 3 triangle, 4 square */
	double width;
};

static struct style style_of(const struct plot *p, const struct kf_curve *curves, int i,
	int n)
{
	struct style s = { .shape = n > 1 ? 1 + i % 4 : 0, .width = 2.4 };

	if (curves[i].mean)
		s = (struct style){ .colour = KF_BLACK, .width = 5 };
	else if (p->c->depth == 3)
		s.colour = colours[i % (int)(sizeof colours / sizeof *colours)];
	else
		s.colour = greys[i % (int)(sizeof greys / sizeof *greys)];
	return s;
}

static void ink_polygon(struct kf_canvas *c, double x, double y, double radius,
	int corners, double turn)
{
	double step = 2 * acos(-1) / corners;

	for (int i = 0; i < corners; i++) {
		double a = turn + step * i, b = a + step;

		kf_ink_line(c, x + radius * cos(a), y + radius * sin(a),
			x + radius * cos(b), y + radius * sin(b), 1.5);
	}
}

static void ink_shape(struct kf_canvas *c, double x, double y, int shape)
{
	double right = acos(0);

	if (shape == 1)
		kf_ink_ring(c, x, y, 4, 1.5);
	else if (shape == 2)
		kf_ink_cross(c, x, y, 5, 1.5);
	else if (shape == 3)
		ink_polygon(c, x, y, 5, 3, -right);
	else if (shape == 4)
		ink_polygon(c, x, y, 5, 4, right / 2);
}

static bool drawable(const float *loss /* or NULL */, int i)
{
	return loss && isfinite(loss[i]) && loss[i] > 0;
}

/* Inks the line; training is thin and dashed. */
static void ink_curve(const struct plot *p, const float *loss, int epochs, bool train,
	double width)
{
	double at = 0;

	for (int i = 0; i + 1 < epochs; i++) {
		double x0 = across(p, i + 1), x1 = across(p, i + 2);

		if (!drawable(loss, i) || !drawable(loss, i + 1))
			continue;
		if (train)
			kf_ink_dashes(p->c, x0, down(p, loss[i]), x1,
				down(p, loss[i + 1]), width, 6, 5, &at);
		else
			kf_ink_line(p->c, x0, down(p, loss[i]), x1,
				down(p, loss[i + 1]), width);
	}
	if (epochs == 1 && drawable(loss, 0))
		kf_ink_ring(p->c, across(p, 1), down(p, loss[0]), 0, train ? 4 : 6);
}

/* Shapes along a curve, every 80 pixels and not where other curves have theirs. */
static void ink_shapes(const struct plot *p, const float *loss, int epochs, int shape,
	int first)
{
	double width = p->box.right - 1 - p->box.left;

	for (double x = first; x <= width; x += 80) {
		int i = (int)(x / width * p->epochs + 0.5) - 1;

		if (i >= 0 && i < epochs && drawable(loss, i))
			ink_shape(p->c, across(p, i + 1), down(p, loss[i]), shape);
	}
}

static void draw_curve(const struct plot *p, const struct kf_curve *curve,
	struct style style, int i)
{
	ink_curve(p, curve->train, curve->epochs, true, 1.4);
	ink_curve(p, curve->valid, curve->epochs, false, style.width);
	if (style.shape) {
		int first = 24 + i % 4 * 18;

		ink_shapes(p, curve->train, curve->epochs, style.shape, first);
		ink_shapes(p, curve->valid, curve->epochs, style.shape, first);
	}
	kf_ink_dry(p->c, style.colour);
}

/* -- legend ---------------------------------------------------------------------- */

static bool has_any(const float *loss, int epochs)
{
	for (int i = 0; i < epochs; i++)
		if (drawable(loss, i))
			return true;
	return false;
}

static void legend_text(char *text, size_t size, const struct kf_curve *curve, int n,
	const char *what)
{
	char name[NAME_MAX_LETTERS + 3];

	kf_axes_name(name, sizeof name, curve->name, NAME_MAX_LETTERS);
	if (n == 1)
		snprintf(text, size, "%s", what);
	else
		snprintf(text, size, "%s %s", name, what);
}

/* Draws the line number *line of the legend, or only measures it. */
static double legend_line(const struct plot *p, double left, int *line,
	const struct kf_curve *curve, struct style style, int n, bool train, bool draw)
{
	const float *loss = train ? curve->train : curve->valid;
	double y = p->box.top + 24 + 18 * *line, at = 0;
	char text[64];

	if (!has_any(loss, curve->epochs))
		return 0;
	legend_text(text, sizeof text, curve, n, train ? "train" : "valid");
	++*line;
	if (!draw)
		return kf_axes_width(text);
	if (train)
		kf_ink_dashes(p->c, left, y, left + 34, y, 1.4, 6, 5, &at);
	else
		kf_ink_line(p->c, left, y, left + 34, y, style.width);
	ink_shape(p->c, left + 17, y, style.shape);
	kf_ink_dry(p->c, style.colour);
	kf_axes_text(p->c, left + 46, y + KF_TEXT / 2, KF_LEFT, false, text);
	return 0;
}

static double legend_pass(const struct plot *p, double left, int *lines,
	const struct kf_curve *curves, int n, bool draw)
{
	double widest = 0;

	*lines = 0;
	for (int i = 0; i < n; i++)
		for (int train = 1; train >= 0; train--)
			widest = fmax(widest,
				legend_line(p, left, lines, &curves[i],
					style_of(p, curves, i, n), n, train, draw));
	return widest;
}

static void draw_legend(const struct plot *p, const struct kf_curve *curves, int n)
{
	int lines;
	double width = legend_pass(p, 0, &lines, curves, n, false);
	int left = p->box.right - 12 - (int)(width + 66);
	struct kf_box box = { left, p->box.top + 10, p->box.right - 12,
		p->box.top + 20 + 18 * lines };

	kf_draw_box(p->c, box, kf_grey(200));
	box.left++, box.top++, box.right--, box.bottom--;
	kf_draw_box(p->c, box, KF_WHITE);
	legend_pass(p, left + 10, &lines, curves, n, true);
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

static void widen(const float *loss, int epochs, double *low, double *high)
{
	for (int i = 0; i < epochs; i++)
		if (drawable(loss, i)) {
			*low = fmin(*low, loss[i]);
			*high = fmax(*high, loss[i]);
		}
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

static int find_range(struct plot *p, const struct kf_curve *curves, int n,
	struct kf_err *err)
{
	double low = INFINITY, high = 0;

	for (int i = 0; i < n; i++) {
		widen(curves[i].train, curves[i].epochs, &low, &high);
		widen(curves[i].valid, curves[i].epochs, &low, &high);
		p->epochs = fmax(p->epochs, curves[i].epochs);
	}
	if (!(high > 0))
		return kf_fail(err, "there is no loss to draw");
	if (p->high == 0) {
		p->low = round_out(low, false);
		p->high = round_out(high, true);
	}
	return 0;
}

static bool same_pixels(const struct kf_curve *curves, int n)
{
	for (int i = 1; i < n; i++)
		if (curves[i].pixels != curves[0].pixels)
			return false;
	return curves[0].pixels > 0;
}

int kf_draw_curves(struct kf_canvas *c, const struct kf_curve *curves, int n,
	double low, double high, struct kf_err *err)
{
	struct plot p = { c, { 84, 20, c->w - 76, c->h - 58 }, 1, low, high };

	if (find_range(&p, curves, n, err) < 0)
		return -1;
	draw_epochs(&p);
	draw_losses(&p);
	if (same_pixels(curves, n))
		draw_pixels(&p, curves[0].pixels);
	kf_clip(c, p.box);
	for (int i = 0; i < n; i++)
		draw_curve(&p, &curves[i], style_of(&p, curves, i, n), i);
	draw_legend(&p, curves, n);
	kf_unclip(c);
	kf_axes_frame(c, p.box);
	return 0;
}
