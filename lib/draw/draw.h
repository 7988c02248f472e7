/*
 * Drawing in memory: a canvas in grey or colour, boxes, and smooth strokes.
 *
 * Positions are in pixels; (0, 0) is the centre of the top left one, and
 * strokes may begin and end between pixels.  A stroke is made in two steps, so
 * that where its parts meet nothing is painted twice: kf_ink_* wet the canvas,
 * and kf_ink_dry gives one colour to all that is wet.
 */
#ifndef KF_DRAW_H
#define KF_DRAW_H

#include <stdbool.h>

#include "base/err.h"

/* The most pixels that a canvas may have, up to four bytes each, unless it shows a
 * picture. */
#define KF_CANVAS_MAX (6 << 20)

struct kf_colour {
	unsigned char r, g, b;
};

#define KF_BLACK ((struct kf_colour){ 0, 0, 0 })
#define KF_WHITE ((struct kf_colour){ 255, 255, 255 })

struct kf_box {
	int left, top, right, bottom; /* right and bottom are exclusive */
};

struct kf_canvas {
	int w, h;
	int depth;             /* bytes a pixel: 1 grey, 3 colour */
	unsigned char *pixels; /* (h, w, depth) */
	unsigned char *ink;    /* (h, w): how wet a pixel is, 0 to 255 */
	struct kf_box wet;     /* holds all wet pixels */
	struct kf_box clip;    /* strokes and boxes stay in here */
};

/* All white.  -1 where there is no memory or it would be too large. */
int kf_canvas_init(struct kf_canvas *c, int w, int h, bool colour, struct kf_err *err);
/* One that shows a grey picture, (h, w) bytes of it, of any size that memory allows. */
int kf_canvas_show(struct kf_canvas *c, const unsigned char *grey, int w, int h,
	bool colour, struct kf_err *err);
void kf_canvas_free(struct kf_canvas *c);

/* Keeps what follows inside a box; kf_unclip ends that. */
void kf_clip(struct kf_canvas *c, struct kf_box box);
void kf_unclip(struct kf_canvas *c);

struct kf_colour kf_grey(int level /* 0 to 255 */);
void kf_draw_box(struct kf_canvas *c, struct kf_box box, struct kf_colour colour);

void kf_ink_line(struct kf_canvas *c, double x0, double y0, double x1, double y1,
	double width);
/*
 * Part of a dashed path: *at, how far along the path it begins, is moved to its end.
 * Lengths of dashes and of the gaps behind them, times `scale`, take turns; 0 is behind
 * the last, which is a gap.
 */
void kf_ink_dashes(struct kf_canvas *c, double x0, double y0, double x1, double y1,
	double width, const double *dash, double scale, double *at);
void kf_ink_ring(struct kf_canvas *c, double x, double y, double radius, double width);
void kf_ink_cross(struct kf_canvas *c, double x, double y, double radius, double width);
void kf_ink_dry(struct kf_canvas *c, struct kf_colour colour);

/* -- text -- */

enum kf_align { KF_LEFT, KF_CENTRE, KF_RIGHT };

/*
 * One line; (x, y) is on the baseline at its left end, centre or right end.
 * Height is that of a capital letter.  With upright the line runs upwards.
 * A character that is not printable ASCII is shown as '?', and a long text is cut.
 */
void kf_ink_text(struct kf_canvas *c, double x, double y, double height, double width,
	enum kf_align align, bool upright, const char *text);
double kf_text_width(double height, const char *text);
/* Cuts a text that is wider than `width`, which two dots show; it has room for two bytes
 * more. */
void kf_text_cut(char *text, double height, double width);

#endif
