/* One image of a stream with its keypoints or its class. */
#define _GNU_SOURCE
#include "draw/face.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/texts.h"

/* -- points ---------------------------------------------------------------------- */

/* The column of the other axis of the same point, or -1. */
static int partner(const struct kf_names *columns, int i)
{
	int axis = kf_axis(columns->name[i]);
	char name[256]; /* more than kf_name_check allows */

	if (axis < 0)
		return -1;
	snprintf(name, sizeof name, "%s", columns->name[i]);
	name[strlen(name) - 1] = axis == 0 ? 'y' : 'x';
	return kf_names_find(columns, name);
}

int kf_points_find(struct kf_points *p, const struct kf_names *columns)
{
	size_t room = (size_t)columns->n + 1;

	*p = (struct kf_points){ 0 };
	p->x = malloc(room * sizeof *p->x);
	p->y = malloc(room * sizeof *p->y);
	if (!p->x || !p->y)
		return -1;
	for (int i = 0; i < columns->n; i++) {
		int other = partner(columns, i);

		if (other < 0) {
			if (!p->alone)
				p->alone = columns->name[i];
		} else if (kf_axis(columns->name[i]) == 0) {
			p->x[p->n] = i;
			p->y[p->n++] = other;
		}
	}
	return 0;
}

void kf_points_free(struct kf_points *p)
{
	free(p->x);
	free(p->y);
}

/* -- the image ------------------------------------------------------------------- */

static int level(const struct kf_schema *s, const void *X, size_t i)
{
	double v;

	if (s->dtype == KF_U8)
		return ((const uint8_t *)X)[i];
	v = kf_unscale(((const float *)X)[i], s->x_scale);
	return v >= 255 ? 255 : v > 0 ? (int)(v + 0.5) : 0; /* 0 also for a NaN */
}

static size_t plane_of(const struct kf_schema *s)
{
	return (size_t)s->h * (size_t)s->w;
}

/* The mean of a pixel's channels. */
static int grey_at(const struct kf_schema *s, const void *X /* (c, h, w) */, size_t at)
{
	long long sum = 0;

	for (int k = 0; k < s->c; k++)
		sum += level(s, X, at + (size_t)k * plane_of(s));
	return (int)((sum + s->c / 2) / s->c);
}

/* The greys that are shown black and white. */
struct range {
	int low, high;
};

/* Those of an image, unless it is even. */
static struct range range_of(const struct kf_schema *s, const void *X)
{
	struct range r = { 255, 0 };

	for (size_t at = 0; at < plane_of(s); at++) {
		int grey = grey_at(s, X, at);

		r.low = grey < r.low ? grey : r.low;
		r.high = grey > r.high ? grey : r.high;
	}
	return r.low < r.high ? r : (struct range){ 0, 255 };
}

/* A pixel's colour where there are three channels and the canvas has colour;
 * else its grey. */
static struct kf_colour shade(const struct kf_schema *s, bool colour, struct range r,
	const void *X /* (c, h, w) of one row */, size_t at)
{
	int length = r.high - r.low;

	if (colour && s->c == 3)
		return (struct kf_colour){ (unsigned char)level(s, X, at),
			(unsigned char)level(s, X, at + plane_of(s)),
			(unsigned char)level(s, X, at + 2 * plane_of(s)) };
	return kf_grey(((grey_at(s, X, at) - r.low) * 255 + length / 2) / length);
}

static void draw_image(struct kf_canvas *c, int left, int top,
	const struct kf_face *face, const void *X /* (c, h, w) */)
{
	const struct kf_schema *s = face->schema;
	struct range r = face->stretch ? range_of(s, X) : (struct range){ 0, 255 };
	int zoom = face->zoom;

	for (int y = 0; y < s->h; y++)
		for (int x = 0; x < s->w; x++) {
			size_t at = (size_t)y * (size_t)s->w + (size_t)x;
			int l = left + x * zoom, t = top + y * zoom;

			kf_draw_box(c, (struct kf_box){ l, t, l + zoom, t + zoom },
				shade(s, c->depth == 3, r, X, at));
		}
}

/* -- marks ----------------------------------------------------------------------- */

typedef void ink_mark(struct kf_canvas *c, double x, double y, double radius,
	double width);

/* How marks look on an image of that size on the canvas. */
struct look {
	int left, top, zoom;
	double radius, width, rim;
	ink_mark *ink;
	struct kf_colour colour;
};

/* Where a point is on the canvas; false where it is missing. */
static bool place_of(const struct look *look, const struct kf_points *points, int i,
	const struct kf_scale scale[2], const float *v /* one row */, double *x,
	double *y)
{
	*x = kf_unscale(v[points->x[i]], scale[0]);
	*y = kf_unscale(v[points->y[i]], scale[1]);
	/* (0, 0) is the centre of the first pixel, before and after. */
	*x = look->left + *x * look->zoom + (look->zoom - 1) / 2.0;
	*y = look->top + *y * look->zoom + (look->zoom - 1) / 2.0;
	return isfinite(*x) && isfinite(*y);
}

/* A dark rim keeps the light mark visible on light skin. */
static void draw_marks(struct kf_canvas *c, const struct look *look,
	const struct kf_points *points, const struct kf_scale scale[2],
	const float *v /* one row */)
{
	for (int i = 0; i < points->n; i++) {
		double x, y;

		if (!place_of(look, points, i, scale, v, &x, &y))
			continue;
		look->ink(c, x, y, look->radius, look->width + look->rim);
		kf_ink_dry(c, KF_BLACK);
		look->ink(c, x, y, look->radius, look->width);
		kf_ink_dry(c, look->colour);
	}
}

/* A line that begins at the ring's edge, not to fill it. */
static void ink_link(struct kf_canvas *c, double ring, double x0, double y0, double x1,
	double y1, double width)
{
	double length = hypot(x1 - x0, y1 - y0), part = ring / length;

	if (length > ring)
		kf_ink_line(c, x0 + part * (x1 - x0), y0 + part * (y1 - y0), x1, y1,
			width);
}

/* Thin lines from true points to the predicted ones. */
static void draw_links(struct kf_canvas *c, const struct kf_face *face,
	const struct look *truth, const struct look *predicted, const float *y,
	const float *p)
{
	const struct kf_schema *s = face->schema;
	double x0, y0, x1, y1;

	for (int rim = 1; rim >= 0; rim--) {
		double width = 0.6 * (truth->width + rim * truth->rim);

		for (int i = 0; i < face->truth.n; i++)
			if (face->pair[i] >= 0 &&
				place_of(truth, &face->truth, i, s->y_scale, y, &x0,
					&y0) &&
				place_of(predicted, &face->predicted, face->pair[i],
					s->p_scale, p, &x1, &y1))
				ink_link(c, truth->radius, x0, y0, x1, y1, width);
		kf_ink_dry(c, rim ? KF_BLACK : predicted->colour);
	}
}

/* -- letters --------------------------------------------------------------------- */

#define LETTER 9 /* height of a capital letter, in pixels */

void kf_draw_note(struct kf_canvas *c, double x, double y, enum kf_align align,
	struct kf_colour colour, const char *text)
{
	kf_ink_text(c, x, y, LETTER, 3.5, align, false, text);
	kf_ink_dry(c, KF_BLACK);
	kf_ink_text(c, x, y, LETTER, 1.3, align, false, text);
	kf_ink_dry(c, colour);
}

double kf_note_width(const char *text)
{
	return kf_text_width(LETTER, text);
}

/* Between the margins of a face. */
static double room(const struct kf_face *face)
{
	return face->schema->w * face->zoom - 9;
}

/* "12", or "12 anna" where rows have names, as far as that fits. */
static void draw_id(struct kf_canvas *c, int left, int top, const struct kf_face *face,
	const struct kf_chunk *chunk, size_t row)
{
	char name[KF_TEXT_MAX + 1] = "", text[sizeof name + 24];
	int width = face->schema->name_width;
	int n = snprintf(text, sizeof text, "%lld", (long long)chunk->id[row]);

	if (width && kf_texts_get(chunk->name, width, row, name) > 0) {
		snprintf(text + n, sizeof text - (size_t)n - 2, " %s", name);
		kf_text_cut(text, LETTER, room(face));
		if (strlen(text) < (size_t)n + 4 && strlen(name) > 2) /* "12 .." */
			snprintf(text, sizeof text, "%lld", (long long)chunk->id[row]);
	}
	kf_draw_note(c, left + 4, top + KF_NOTE_LINE, KF_LEFT, KF_WHITE, text);
}

/* A line of notes in the lower right corner; line 0 is the last. */
static void draw_corner(struct kf_canvas *c, const struct look *look,
	const struct kf_face *face, int line, struct kf_colour colour, const char *text)
{
	kf_draw_note(c, look->left + face->schema->w * face->zoom - 5,
		look->top + face->schema->h * face->zoom - 5 - line * KF_NOTE_LINE,
		KF_RIGHT, colour, text);
}

/* The name of a class, cut to fit. */
struct class_note {
	char text[216]; /* a name has 200 bytes at most */
};

static struct class_note class_note(const struct kf_face *face, const char *before,
	long long class, const char *after)
{
	char number[KF_CLASS_NUMBER];
	struct class_note note;

	snprintf(note.text, sizeof note.text - 2, "%s%s%s", before,
		kf_class_text(&face->schema->class_names, class, number), after);
	if (face->schema->class_names.n)
		kf_text_cut(note.text, LETTER, room(face));
	return note;
}

/* In one line or, if that is too long, in two. */
static void draw_wrong(struct kf_canvas *c, const struct look *look,
	const struct kf_face *face, long long label, int best)
{
	struct class_note truth = class_note(face, "", label, "");
	struct class_note predicted = class_note(face, "as ", best, "");
	char both[2 * sizeof truth.text];

	snprintf(both, sizeof both, "%s %s", truth.text, predicted.text);
	if (!face->schema->class_names.n || kf_text_width(LETTER, both) <= room(face)) {
		draw_corner(c, look, face, 0, look->colour, both);
		return;
	}
	draw_corner(c, look, face, 1, look->colour, truth.text);
	draw_corner(c, look, face, 0, look->colour, predicted.text);
}

/* "7" where label and prediction are the same or there is no prediction, "7 as 9"
 * where a 7 was taken for a 9, and "9?" where there is no label; by name where classes
 * have names. */
static void draw_class(struct kf_canvas *c, const struct look *truth,
	const struct look *predicted, const struct kf_face *face,
	const struct kf_chunk *chunk, size_t row)
{
	const struct kf_schema *s = face->schema;
	int best = face->classes.n == 0 ?
		-1 :
		kf_classes_best(&face->classes,
			chunk->p + row * (size_t)s->p_columns.n);
	long long label = s->has_label ? (long long)chunk->label[row] : -1;
	bool wrong = s->has_label && best >= 0 && best != label;

	if (wrong)
		draw_wrong(c, predicted, face, label, best);
	else if (s->has_label)
		draw_corner(c, truth, face, 0, truth->colour,
			class_note(face, "", label, "").text);
	else if (best >= 0)
		draw_corner(c, truth, face, 0, truth->colour,
			class_note(face, "", best, "?").text);
}

/* -- the whole ------------------------------------------------------------------- */

/* Which predicted point each true one is. */
static int find_pairs(struct kf_face *face)
{
	const struct kf_schema *s = face->schema;

	face->pair = malloc(((size_t)face->truth.n + 1) * sizeof *face->pair);
	if (!face->pair)
		return -1;
	for (int i = 0; i < face->truth.n; i++) {
		int column =
			kf_names_find(&s->p_columns, s->columns.name[face->truth.x[i]]);

		face->pair[i] = -1;
		for (int k = 0; k < face->predicted.n; k++)
			if (face->predicted.x[k] == column)
				face->pair[i] = k;
	}
	return 0;
}

int kf_face_init(struct kf_face *face, const struct kf_schema *schema, int zoom,
	bool ids, struct kf_err *err)
{
	*face = (struct kf_face){ .schema = schema, .zoom = zoom, .ids = ids };
	if (kf_points_find(&face->truth, &schema->columns) == 0 &&
		kf_points_find(&face->predicted, &schema->p_columns) == 0 &&
		find_pairs(face) == 0 &&
		kf_classes_find(&face->classes, &schema->p_columns) == 0)
		return 0;
	kf_face_free(face);
	return kf_fail_memory(err);
}

void kf_face_free(struct kf_face *face)
{
	kf_points_free(&face->truth);
	kf_points_free(&face->predicted);
	free(face->pair);
	kf_classes_free(&face->classes);
}

/* Marks for a face whose image has a side of so many pixels on the canvas.  Those of more
 * than 20 points are smaller, lest they cover it. */
static struct look truth_look(const struct kf_canvas *c, const struct kf_face *face,
	double side)
{
	int n = face->truth.n > face->predicted.n ? face->truth.n : face->predicted.n;
	double dense = n > 20 ? sqrt(20.0 / n) : 1;
	double radius = dense * fmax(2.2, sqrt(side) / 3.5);

	return (struct look){ .zoom = 1,
		.radius = radius,
		.width = fmax(1.1 * dense, radius / 3),
		.rim = 2 * dense,
		.ink = kf_ink_ring,
		.colour =
			c->depth == 3 ? (struct kf_colour){ 60, 220, 130 } : KF_WHITE };
}

static struct look predicted_look(const struct kf_canvas *c, const struct look *truth)
{
	struct look look = *truth;

	look.ink = kf_ink_cross;
	if (c->depth == 3)
		look.colour = (struct kf_colour){ 255, 90, 60 };
	return look;
}

static void draw_both(struct kf_canvas *c, const struct kf_face *face,
	const struct look *truth, const struct look *predicted, const float *y,
	const float *p)
{
	const struct kf_schema *s = face->schema;

	if (face->links && y && p)
		draw_links(c, face, truth, predicted, y, p);
	if (s->columns.n && y)
		draw_marks(c, truth, &face->truth, s->y_scale, y);
	if (s->p_columns.n && p)
		draw_marks(c, predicted, &face->predicted, s->p_scale, p);
}

void kf_draw_points(struct kf_canvas *c, const struct kf_face *face, const float *y,
	const float *p, double side)
{
	struct look truth = truth_look(c, face, side),
		    predicted = predicted_look(c, &truth);

	draw_both(c, face, &truth, &predicted, y, p);
}

static const float *row_of(const float *v /* (rows, n) or NULL */, int n, size_t row)
{
	return v ? v + row * (size_t)n : NULL;
}

void kf_draw_face(struct kf_canvas *c, int left, int top, const struct kf_face *face,
	const struct kf_chunk *chunk, size_t row)
{
	const struct kf_schema *s = face->schema;
	struct look truth = truth_look(c, face, fmin(s->w, s->h) * face->zoom),
		    predicted;

	truth.left = left;
	truth.top = top;
	truth.zoom = face->zoom;
	predicted = predicted_look(c, &truth);
	draw_image(c, left, top, face,
		(const char *)chunk->X + row * kf_image_bytes(s));
	draw_both(c, face, &truth, &predicted, row_of(chunk->y, s->columns.n, row),
		row_of(chunk->p, s->p_columns.n, row));
	draw_class(c, &truth, &predicted, face, chunk, row);
	if (face->ids)
		draw_id(c, left, top, face, chunk, row);
}
