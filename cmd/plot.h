/* What kfkd-plot's files share: what is asked for, and who draws it. */
#ifndef PLOT_H
#define PLOT_H

#include "cli.h"

enum plot_mode { PLOT_SHEET, PLOT_EACH, PLOT_ERRORS, PLOT_CURVE, PLOT_WEIGHTS };

/* 0 and NULL where the options say nothing. */
struct request {
	enum plot_mode mode;
	const char *prefix, *output; /* --each, --output */
	int worst;
	int columns, rows, zoom; /* --grid, --zoom */
	int w, h;                /* --size */
	double low, high;        /* --ylim */
	bool ids, colour, mean;
};

/* plot_faces.c: rows of a stream, on a sheet or each for itself.  Closes in. */
void plot_faces(const struct request *q, struct kf_reader *in);

/* plot_figures.c */
void plot_errors(const struct request *q, struct kf_reader *in); /* likewise */
void plot_curves(const struct request *q, char **operands, int n);
void plot_weights(const struct request *q, const char *operand);

#endif
