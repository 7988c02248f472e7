/* A grid of equal cells as one picture, written strip by strip. */
#include "draw/sheet.h"

#include <math.h>

#define GAP 2                 /* pixels between two cells */
#define SIDE_MAX 1000000000LL /* of the whole picture */

static void clear(struct kf_sheet *s)
{
	kf_unclip(&s->strip);
	kf_draw_box(&s->strip, s->strip.clip, s->ground);
}

int kf_sheet_begin(struct kf_sheet *s, const struct kf_outlet *to, int columns,
	int rows, int cell_w, int cell_h, bool colour, struct kf_colour ground,
	struct kf_err *err)
{
	long long w = (long long)columns * (cell_w + GAP) - GAP;
	long long h = (long long)rows * (cell_h + GAP) - GAP;

	*s = (struct kf_sheet){ .to = *to,
		.columns = columns,
		.rows = rows,
		.cell_w = cell_w,
		.cell_h = cell_h,
		.ground = ground };
	if (w > SIDE_MAX || h > SIDE_MAX || w * (cell_h + GAP) > KF_CANVAS_MAX)
		return kf_fail(err,
			"a sheet of %d x %d cells of %d x %d pixels is "
			"too large",
			columns, rows, cell_w, cell_h);
	if (kf_canvas_init(&s->strip, (int)w, cell_h + GAP, colour, err) < 0)
		return -1;
	clear(s);
	return 0;
}

int kf_sheet_columns(int n, double cell_w, double cell_h)
{
	double ideal = sqrt(n * cell_h / cell_w);

	return (int)fmin(n, ceil(fmax(1, ideal - 1e-9)));
}

/* Writes the strip and empties it. */
static int write_strip(struct kf_sheet *s, struct kf_err *err)
{
	int w = s->strip.w, h = s->strip.h;

	if (s->written == 0 &&
		kf_picture_begin(&s->picture, &s->to, w, s->rows * h - GAP,
			s->strip.depth == 3, err) < 0)
		return -1;
	s->written++;
	if (kf_picture_rows(&s->picture, &s->strip, s->written == s->rows ? h - GAP : h,
		    err) < 0)
		return -1;
	clear(s);
	return 0;
}

int kf_sheet_cell(struct kf_sheet *s, struct kf_box *cell, struct kf_err *err)
{
	int column = (int)(s->used % s->columns);

	if (s->used == (long long)s->columns * s->rows)
		return 0;
	if (column == 0 && s->used > 0 && write_strip(s, err) < 0)
		return -1;
	s->used++;
	*cell = (struct kf_box){ .left = column * (s->cell_w + GAP) };
	cell->right = cell->left + s->cell_w;
	cell->bottom = s->cell_h;
	kf_clip(&s->strip, *cell);
	return 1;
}

int kf_sheet_end(struct kf_sheet *s, struct kf_err *err)
{
	while (s->written < s->rows)
		if (write_strip(s, err) < 0)
			return -1;
	return kf_picture_end(&s->picture, err);
}

void kf_sheet_free(struct kf_sheet *s)
{
	kf_picture_free(&s->picture);
	kf_canvas_free(&s->strip);
}
