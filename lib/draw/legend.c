/* The legend of a figure. */
#include "draw/legend.h"

#include <math.h>
#include <stdio.h>

#define LETTERS 24 /* of a name, at most */
#define LETTERS_MIN 4
/* In pixels, times the scale. */
#define EDGE 10 /* within the frame, left and right; above and below half of that */
#define SAMPLE 34
#define TEXT_AT (EDGE + SAMPLE + 12)
#define LINE 18 /* from one entry to the next */

static void more_text(const struct kf_legend *l, char *text, size_t size)
{
	snprintf(text, size, "and %d more", l->n - l->shown);
}

static double widest(const struct kf_legend *l)
{
	char text[64];
	double most = 0;

	for (int i = 0; i < l->shown; i++) {
		kf_axes_name(text, sizeof text, l->entry[i].text, l->letters);
		most = fmax(most, kf_axes_width(l->axes, text));
	}
	more_text(l, text, sizeof text);
	if (l->shown < l->n)
		most = fmax(most, kf_axes_width(l->axes, text));
	return most;
}

void kf_legend_init(struct kf_legend *l, const struct kf_axes *axes,
	const struct kf_legend_entry *entry, int n, double most_w, double most_h)
{
	double scale = axes->scale, room = most_w - (TEXT_AT + EDGE) * scale;
	int lines = (int)(most_h / (LINE * scale) - 10.0 / LINE), used;

	*l = (struct kf_legend){ .axes = axes,
		.entry = entry,
		.n = n,
		.letters = LETTERS };
	l->shown = n <= lines ? n : lines > 1 ? lines - 1 : 0;
	while (l->letters > LETTERS_MIN && widest(l) > room)
		l->letters--;
	used = l->shown + (l->shown < n);
	l->w = (int)(widest(l) + (TEXT_AT + EDGE) * scale);
	l->h = (int)((10 + LINE * used) * scale);
}

static void draw_frame(const struct kf_legend *l, int left, int top)
{
	struct kf_box box = { left, top, left + l->w, top + l->h };

	kf_draw_box(l->axes->c, box, kf_grey(200));
	box.left++, box.top++, box.right--, box.bottom--;
	kf_draw_box(l->axes->c, box, KF_WHITE);
}

static void draw_sample(const struct kf_legend *l, const struct kf_legend_entry *e,
	double left, double y)
{
	double scale = l->axes->scale, at = 0;

	kf_ink_styled(l->axes->c, &e->style, e->thin, scale, left, y,
		left + SAMPLE * scale, y, &at);
	kf_ink_shape(l->axes->c, &e->style, scale, left + SAMPLE / 2 * scale, y);
	kf_ink_dry(l->axes->c, e->style.colour);
}

void kf_legend_draw(const struct kf_legend *l, int left, int top)
{
	double scale = l->axes->scale, x = left + TEXT_AT * scale;
	double y = top + 14 * scale, down = KF_TEXT / 2 * scale;
	char text[64];

	draw_frame(l, left, top);
	for (int i = 0; i < l->shown; i++, y += LINE * scale) {
		draw_sample(l, &l->entry[i], left + EDGE * scale, y);
		kf_axes_name(text, sizeof text, l->entry[i].text, l->letters);
		kf_axes_text(l->axes, x, y + down, KF_LEFT, false, text);
	}
	more_text(l, text, sizeof text);
	if (l->shown < l->n)
		kf_axes_text(l->axes, x, y + down, KF_LEFT, false, text);
}
