/* What kfkd-plot's files share: what to draw, and the functions that do. */
#ifndef PLOT_H
#define PLOT_H

#include "cli.h"
#include "draw/picture.h"

enum plot_mode {
	PLOT_SHEET,
	PLOT_EACH,     /* a file for each row */
	PLOT_SEQUENCE, /* one picture after another on standard output */
	PLOT_ERRORS,
	PLOT_CURVE,
	PLOT_WEIGHTS,
	PLOT_MAPS,
	PLOT_MODES
};

/* 0 and NULL where the options say nothing. */
struct request {
	enum plot_mode mode;
	char **operands;    /* NULL after the last; only curves take several */
	const char *prefix; /* --each */
	int worst;
	int columns, rows, zoom; /* --grid, --zoom */
	int w, h;                /* --size */
	double low, high;        /* --ylim */
	double left, right;      /* --xlim */
	bool log_x, by_time, valid_only, mean;
	bool ids, colour, original, over, stretch, png;
	FILE *view; /* --view: where the picture waits until it is whole */
};

/* Where pictures go: standard output, or a file in its place. */
struct kf_outlet plot_outlet(const struct request *q); /* kfkd-plot.c */

/* plot_figures.c: a figure's canvas, of the size that the user chose or else w x h;
 * writing it, which frees it; and opening an operand that is no terminal. */
void plot_open_canvas(const struct request *q, struct kf_canvas *c, int w, int h);
void plot_put_canvas(const struct request *q, struct kf_canvas *c);
int plot_open_model(const char *operand, const char **name);

/* plot_view.c: finds what can show a picture here, or dies; and shows it, which may replace
 * this program by another. */
void plot_view_begin(struct request *q);
void plot_view_end(const struct request *q);

void plot_faces(const struct request *q);    /* plot_faces.c: rows of a stream */
void plot_original(const struct request *q); /* plot_original.c: whole photographs */
void plot_maps(const struct request *q);     /* plot_maps.c: rows with maps */
void plot_curves(const struct request *q);   /* plot_curves.c */
void plot_errors(const struct request *q);   /* plot_figures.c: both */
void plot_weights(const struct request *q);

#endif
