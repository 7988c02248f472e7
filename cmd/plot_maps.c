/* Faces with the maps that kfkd-predict makes of them. */
#include "plot.h"

#include <stdio.h>

#include "draw/face.h"
#include "draw/map.h"
#include "draw/sheet.h"

/* A sheet on which each row has a cell for its face and one for each channel. */
struct atlas {
	const struct request *q;
	const struct kf_schema *schema;
	struct kf_face face;
	/* Of faces under maps: without marks and classes. */
	struct kf_schema bare;
	struct kf_sheet sheet;
	bool one;  /* face is all that there is room for */
	bool full; /* no more are drawn */
};

static void open_atlas(struct atlas *a, const struct request *q,
	const struct kf_schema *s)
{
	int zoom = q->zoom ? q->zoom : 2, w = s->w * zoom, h = s->h * zoom;
	int columns = q->columns, rows = q->rows, cells = 1 + s->map[0];
	struct kf_outlet to = plot_outlet(q);
	bool one = false;
	struct kf_err err;

	if (columns == 0 && cells == 2) {
		columns = rows = 4;
	} else if (columns == 0) {
		one = true;
		columns = kf_sheet_columns(cells, w, h);
		rows = (cells + columns - 1) / columns;
	}
	*a = (struct atlas){ .q = q, .schema = s, .bare = *s, .one = one };
	a->bare.has_label = false;
	a->bare.columns = a->bare.p_columns = (struct kf_names){ 0 };
	check(kf_face_init(&a->face, s, zoom, q->ids, &err), &err);
	check(kf_sheet_begin(&a->sheet, &to, columns, rows, w, h, q->colour, KF_WHITE,
		      &err),
		&err);
}

/* The next cell of the sheet; false when it is full. */
static bool next_cell(struct atlas *a, struct kf_box *cell)
{
	struct kf_err err;
	int rc = kf_sheet_cell(&a->sheet, cell, &err);

	check(rc, &err);
	a->full = rc == 0;
	return rc == 1;
}

/* Writes a text into a map, into its last line or one above that, if there is room. */
static bool note(struct atlas *a, struct kf_box cell, int line, const char *text)
{
	if (kf_note_width(text) > cell.right - cell.left - 8)
		return false;
	kf_draw_note(&a->sheet.strip, cell.left + 4,
		cell.bottom - 5 - line * KF_NOTE_LINE, KF_LEFT, KF_WHITE, text);
	return true;
}

/* A number with as many digits as have room in a map's line, two or one. */
static void note_number(struct atlas *a, struct kf_box cell, int line, double value)
{
	char text[340]; /* %g never needs more */
	int digits = 3;

	do
		snprintf(text, sizeof text, "%.*g", --digits, value);
	while (!note(a, cell, line, text) && digits > 1);
}

/* Writes what dark and light stand for, the one below the other where that is narrower. */
static void note_range(struct atlas *a, struct kf_box cell, struct kf_range r)
{
	char text[60];

	snprintf(text, sizeof text, "%.3g to %.3g", r.low, r.high);
	if (note(a, cell, 0, text))
		return;
	note_number(a, cell, 1, r.high);
	note_number(a, cell, 0, r.low);
}

static void draw_row(struct atlas *a, const struct kf_chunk *c, size_t row)
{
	const struct kf_face under = { .schema = &a->bare, .zoom = a->face.zoom };
	struct kf_canvas *canvas = &a->sheet.strip;
	struct kf_box cell;

	if (!next_cell(a, &cell))
		return;
	kf_draw_face(canvas, cell.left, cell.top, &a->face, c, row);
	for (int k = 0; k < a->schema->map[0] && next_cell(a, &cell); k++) {
		struct kf_range range = kf_map_range(a->schema, c, row, k);

		if (a->q->over)
			kf_draw_face(canvas, cell.left, cell.top, &under, c, row);
		kf_draw_map(canvas, cell, a->schema, c, row, k, range, a->q->over);
		if (a->q->ids)
			note_range(a, cell, range);
	}
	a->full |= a->one;
}

/* Like all sheets, it is whole only when the stream was read to its end. */
void plot_maps(const struct request *q)
{
	struct kf_reader *in = cli_open_stream(q->operands[0]);
	const struct kf_schema *schema = kf_reader_schema(in);
	struct kf_chunk *chunk;
	struct atlas a;
	struct kf_err err;

	check(kf_schema_need_images(schema, &err), &err);
	if (!schema->map[0])
		die("the stream has no maps: kfkd-predict makes them, with --occlusion, "
		    "--saliency or --activations");
	open_atlas(&a, q, schema);
	while ((chunk = cli_next(in)))
		for (size_t i = 0; i < chunk->n && !a.full; i++)
			draw_row(&a, chunk, i);
	if (a.sheet.used == 0)
		die("the stream has no rows: there is nothing to draw");
	check(kf_sheet_end(&a.sheet, &err), &err);
	kf_sheet_free(&a.sheet);
	kf_face_free(&a.face);
	kf_reader_close(in);
}
