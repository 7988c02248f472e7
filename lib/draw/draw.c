/*
 * Drawing in memory.  Every stroke is the set of pixels nearer than half its
 * width to a line or a circle, which gives smooth edges between pixels;
 * libnetpbm's ppmd_text supplies the letters as dots that are inked the same
 * way.
 */
#define _GNU_SOURCE
#include "draw/draw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netpbm/ppmdraw.h>

#include "base/visible.h"

static struct kf_box everything(const struct kf_canvas *c)
{
	return (struct kf_box){ 0, 0, c->w, c->h };
}

static struct kf_box nothing(const struct kf_canvas *c)
{
	return (struct kf_box){ c->w, c->h, 0, 0 };
}

static int least(int a, int b)
{
	return a < b ? a : b;
}

static int most(int a, int b)
{
	return a > b ? a : b;
}

static struct kf_box meet(struct kf_box a, struct kf_box b)
{
	return (struct kf_box){ most(a.left, b.left), most(a.top, b.top),
		least(a.right, b.right), least(a.bottom, b.bottom) };
}

static struct kf_box join(struct kf_box a, struct kf_box b)
{
	return (struct kf_box){ least(a.left, b.left), least(a.top, b.top),
		most(a.right, b.right), most(a.bottom, b.bottom) };
}

/* -- the canvas ------------------------------------------------------------------ */

static int allocate(struct kf_canvas *c, int w, int h, bool colour, struct kf_err *err)
{
	size_t count = (size_t)w * (size_t)h;

	*c = (struct kf_canvas){ .w = w, .h = h, .depth = colour ? 3 : 1 };
	c->pixels = malloc(count * (size_t)c->depth);
	c->ink = calloc(count, 1);
	if (!c->pixels || !c->ink) {
		kf_canvas_free(c);
		return kf_fail(err, "out of memory for a picture of %d x %d", w, h);
	}
	c->wet = nothing(c);
	kf_unclip(c);
	return 0;
}

int kf_canvas_init(struct kf_canvas *c, int w, int h, bool colour, struct kf_err *err)
{
	size_t count = (size_t)w * (size_t)h;

	*c = (struct kf_canvas){ 0 };
	if (w < 1 || h < 1 || count > KF_CANVAS_MAX)
		return kf_fail(err, "a picture of %d x %d pixels is too large", w, h);
	if (allocate(c, w, h, colour, err) < 0)
		return -1;
	memset(c->pixels, 255, count * (size_t)c->depth);
	return 0;
}

int kf_canvas_show(struct kf_canvas *c, const unsigned char *grey, int w, int h,
	bool colour, struct kf_err *err)
{
	size_t count = (size_t)w * (size_t)h;

	if (allocate(c, w, h, colour, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		memset(c->pixels + i * (size_t)c->depth, grey[i], (size_t)c->depth);
	return 0;
}

void kf_canvas_free(struct kf_canvas *c)
{
	free(c->pixels);
	free(c->ink);
	c->pixels = c->ink = NULL;
}

void kf_clip(struct kf_canvas *c, struct kf_box box)
{
	c->clip = meet(box, everything(c));
}

void kf_unclip(struct kf_canvas *c)
{
	c->clip = everything(c);
}

struct kf_colour kf_grey(int level)
{
	unsigned char v = (unsigned char)level;

	return (struct kf_colour){ v, v, v };
}

/* A colour as the canvas's bytes: on a grey one its lightness. */
static void bytes_of(const struct kf_canvas *c, struct kf_colour colour,
	unsigned char to[3])
{
	to[0] = colour.r;
	to[1] = colour.g;
	to[2] = colour.b;
	if (c->depth == 1)
		to[0] = (unsigned char)((299 * colour.r + 587 * colour.g +
						114 * colour.b + 500) /
			1000);
}

static unsigned char *pixel_of(const struct kf_canvas *c, int x, int y)
{
	return c->pixels + ((size_t)y * (size_t)c->w + (size_t)x) * (size_t)c->depth;
}

void kf_draw_box(struct kf_canvas *c, struct kf_box box, struct kf_colour colour)
{
	unsigned char to[3], *p;

	bytes_of(c, colour, to);
	box = meet(box, c->clip);
	for (int y = box.top; y < box.bottom; y++) {
		p = pixel_of(c, box.left, y);
		for (int x = box.left; x < box.right; x++)
			for (int k = 0; k < c->depth; k++)
				*p++ = to[k];
	}
}

/* -- strokes --------------------------------------------------------------------- */

/* All that is nearer than half to the line from (x, y) by (dx, dy) or, with a
 * radius, to the outline at that distance around it. */
struct stroke {
	double x, y, dx, dy;
	double radius, half;
};

static double distance(const struct stroke *s, double x, double y)
{
	double square = s->dx * s->dx + s->dy * s->dy, t = 0;

	x -= s->x;
	y -= s->y;
	if (square > 0)
		t = fmin(1, fmax(0, (x * s->dx + y * s->dy) / square));
	return fabs(hypot(x - t * s->dx, y - t * s->dy) - s->radius);
}

/* A coordinate in whole pixels, clamped far outside of any canvas. */
static int pixel_at(double v)
{
	return (int)fmin(1e8, fmax(-1e8, v));
}

static void ink(struct kf_canvas *c, const struct stroke *s)
{
	double reach = s->radius + s->half + 1;
	struct kf_box box = { pixel_at(floor(fmin(s->x, s->x + s->dx) - reach)),
		pixel_at(floor(fmin(s->y, s->y + s->dy) - reach)),
		pixel_at(ceil(fmax(s->x, s->x + s->dx) + reach)) + 1,
		pixel_at(ceil(fmax(s->y, s->y + s->dy) + reach)) + 1 };

	box = meet(box, c->clip);
	if (box.left >= box.right || box.top >= box.bottom)
		return;
	c->wet = join(c->wet, box);
	for (int y = box.top; y < box.bottom; y++)
		for (int x = box.left; x < box.right; x++) {
			unsigned char *wet = c->ink + (size_t)y * (size_t)c->w + x;
			double part = s->half + 0.5 - distance(s, x, y);
			int level = (int)(255 * fmin(1, fmax(0, part)) + 0.5);

			if (level > *wet)
				*wet = (unsigned char)level;
		}
}

void kf_ink_line(struct kf_canvas *c, double x0, double y0, double x1, double y1,
	double width)
{
	ink(c, &(struct stroke){ x0, y0, x1 - x0, y1 - y0, 0, width / 2 });
}

/* Which dash or gap is at a place of the pattern, and how much of it is left. */
static int dash_at(const double *dash, double scale, double place, double *left)
{
	double end = *dash * scale;
	int i = 0;

	while (place >= end && dash[i + 1] > 0)
		end += dash[++i] * scale;
	*left = end - place;
	return i;
}

void kf_ink_dashes(struct kf_canvas *c, double x0, double y0, double x1, double y1,
	double width, const double *dash, double scale, double *at)
{
	double length = hypot(x1 - x0, y1 - y0), from = 0, period = 0;

	for (const double *d = dash; *d > 0; d++)
		period += *d * scale;
	if (!(length > 0 && length < 1e6)) /* too many dashes to draw */
		return;
	while (from < length) {
		double left;
		int i = dash_at(dash, scale, fmod(*at + from, period), &left);
		double to = fmin(length, from + fmax(left, 1e-3));

		if (i % 2 == 0)
			kf_ink_line(c, x0 + (x1 - x0) * from / length,
				y0 + (y1 - y0) * from / length,
				x0 + (x1 - x0) * to / length,
				y0 + (y1 - y0) * to / length, width);
		from = to;
	}
	*at = fmod(*at + length, period);
}

void kf_ink_ring(struct kf_canvas *c, double x, double y, double radius, double width)
{
	ink(c, &(struct stroke){ x, y, 0, 0, radius, width / 2 });
}

void kf_ink_cross(struct kf_canvas *c, double x, double y, double radius, double width)
{
	double arm = radius * sqrt(0.5);

	kf_ink_line(c, x - arm, y - arm, x + arm, y + arm, width);
	kf_ink_line(c, x - arm, y + arm, x + arm, y - arm, width);
}

void kf_ink_dry(struct kf_canvas *c, struct kf_colour colour)
{
	unsigned char to[3];

	bytes_of(c, colour, to);
	for (int y = c->wet.top; y < c->wet.bottom; y++)
		for (int x = c->wet.left; x < c->wet.right; x++) {
			unsigned char *wet = c->ink + (size_t)y * (size_t)c->w + x;
			unsigned char *p = pixel_of(c, x, y);

			for (int k = 0; *wet && k < c->depth; k++)
				p[k] = (unsigned char)((p[k] * (255 - *wet) +
							       to[k] * *wet + 127) /
					255);
			*wet = 0;
		}
	c->wet = nothing(c);
}

/* -- text ------------------------------------------------------------------------ */

#define FINE 4       /* ppmd_text's dots to a pixel */
#define TEXT_MAX 128 /* letters; libnetpbm bounds its coordinates */
#define MIDDLE 16000 /* where its text begins: away from its own edges */
#define SPACE 0.7    /* between words, in heights of a capital letter */

struct pen {
	struct kf_canvas *canvas;
	double x, y, width;
	bool upright;
	double begin; /* of the word, from (x, y) along the line */
};

static void dot(pixel **pixels, int w, int h, pixval max, int x, int y,
	const void *data)
{
	const struct pen *pen = data;
	double along = pen->begin + (double)(x - MIDDLE) / FINE;
	double down = (double)(y - MIDDLE) / FINE;

	(void)pixels, (void)w, (void)h, (void)max;
	if (pen->upright)
		kf_ink_ring(pen->canvas, pen->x + down, pen->y - along, 0, pen->width);
	else
		kf_ink_ring(pen->canvas, pen->x + along, pen->y + down, 0, pen->width);
}

static int fine_height(double height)
{
	return (int)(height * FINE + 0.5);
}

static void printable(char *to, const char *text)
{
	for (int n = 0; *text && n < TEXT_MAX; n++) {
		int control, bytes = kf_utf8_length(text, &control);

		*to++ = *text >= ' ' && *text <= '~' ? *text : '?';
		text += bytes ? bytes : 1;
	}
	*to = '\0';
}

static double word_width(double height, const char *word)
{
	int left, top, right, bottom;

	ppmd_text_box(fine_height(height), 0, word, &left, &top, &right, &bottom);
	return (double)right / FINE;
}

/* Inks a line word by word, since the font's own space is as wide as two letters, or with
 * no pen only measures it.  Returns its width. */
static double ink_words(struct pen *pen, double height, const char *text)
{
	char plain[TEXT_MAX + 1], *next = plain;
	double at = 0;

	printable(plain, text);
	for (char *word; (word = strsep(&next, " "));) {
		if (*word && pen) {
			pen->begin = at;
			ppmd_text(NULL, 2 * MIDDLE, 2 * MIDDLE, 255, MIDDLE, MIDDLE,
				fine_height(height), 0, word, dot, pen);
		}
		at += *word ? word_width(height, word) : 0;
		at += next ? SPACE * height : 0;
	}
	return at;
}

double kf_text_width(double height, const char *text)
{
	return ink_words(NULL, height, text);
}

void kf_text_cut(char *text, double height, double width)
{
	size_t n = strlen(text);

	while (n > 0 && kf_text_width(height, text) > width) {
		while (--n > 0 && (text[n] & 0xc0) == 0x80)
			;
		strcpy(text + n, n > 0 ? ".." : "");
	}
}

void kf_ink_text(struct kf_canvas *c, double x, double y, double height, double width,
	enum kf_align align, bool upright, const char *text)
{
	struct pen pen = { c, x, y, width, upright, 0 };
	double back = align == KF_LEFT ?
		0 :
		kf_text_width(height, text) / (align == KF_CENTRE ? 2 : 1);

	if (upright)
		pen.y += back;
	else
		pen.x -= back;
	ink_words(&pen, height, text);
}
