/*
 * A sheet: a grid of equal cells as one picture.  Only one row of cells is in
 * memory; it is written when the next one begins.  The last row waits for
 * kf_sheet_end, so a sheet that was never ended is too short to pass for a
 * whole one.
 */
#ifndef KF_SHEET_H
#define KF_SHEET_H

#include "draw/picture.h"

struct kf_sheet {
	struct kf_outlet to;
	struct kf_picture picture; /* that was begun with the first row of cells */
	int columns, rows;         /* in cells */
	int cell_w, cell_h;        /* in pixels */
	long long used;            /* cells given out */
	int written;               /* rows of cells written */
	struct kf_colour ground;   /* between cells and where there are none */
	struct kf_canvas strip;    /* one row of cells and the gap below it */
};

int kf_sheet_begin(struct kf_sheet *s, const struct kf_outlet *to, int columns,
	int rows, int cell_w, int cell_h, bool colour, struct kf_colour ground,
	struct kf_err *err);

/*
 * The next cell, left to right and top to bottom: 1 with its place on s->strip,
 * to which drawing is now clipped; 0 when the sheet is full; -1.
 */
int kf_sheet_cell(struct kf_sheet *s, struct kf_box *cell, struct kf_err *err);

/* How many columns make a sheet of n such cells about square. */
int kf_sheet_columns(int n, double cell_w, double cell_h);

/* Writes the rest; cells that were not used stay empty. */
int kf_sheet_end(struct kf_sheet *s, struct kf_err *err);
void kf_sheet_free(struct kf_sheet *s);

#endif
