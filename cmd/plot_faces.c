/* Pictures of a stream's rows: the first or the worst, on a sheet or one by
 * one. */
#include "plot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "draw/face.h"
#include "rows/score.h"
#include "draw/sheet.h"
#include "rows/worst.h"

/* Where pictures of rows go. */
struct album {
	const struct request *q;
	struct kf_face face;
	struct kf_sheet sheet;   /* for PLOT_SHEET */
	struct kf_canvas canvas; /* for the other modes */
};

static void warn_alone(const struct kf_points *points)
{
	if (points->alone)
		warn("column '%s' is not drawn: there is no other axis to it",
			points->alone);
}

static void open_album(struct album *a, const struct request *q,
	const struct kf_schema *schema, int columns, int rows)
{
	int zoom = q->zoom ? q->zoom : 2, w = schema->w * zoom, h = schema->h * zoom;
	struct kf_outlet to = plot_outlet(q);
	struct kf_err err;
	int rc;

	*a = (struct album){ .q = q };
	check(kf_face_init(&a->face, schema, zoom, q->ids || q->worst, &err), &err);
	a->face.links = q->worst > 0;
	a->face.stretch = q->stretch;
	warn_alone(&a->face.truth);
	if (a->face.classes.n == 0)
		warn_alone(&a->face.predicted);
	if (q->mode == PLOT_SHEET)
		rc = kf_sheet_begin(&a->sheet, &to, columns, rows, w, h, q->colour,
			KF_WHITE, &err);
	else
		rc = kf_canvas_init(&a->canvas, w, h, q->colour, &err);
	check(rc, &err);
}

/* Draws a row at (left, top), with its error unless that is NaN. */
static void draw_row(const struct album *a, struct kf_canvas *c, int left, int top,
	const struct kf_chunk *chunk, size_t row, double error)
{
	char text[40];

	kf_draw_face(c, left, top, &a->face, chunk, row);
	if (isnan(error))
		return;
	snprintf(text, sizeof text, "%.2f px", error);
	kf_draw_note(c, left + 4, top + a->face.schema->h * a->face.zoom - 5, KF_LEFT,
		KF_WHITE, text);
}

/* Writes the picture to standard output, or to a new file named by the id. */
static void put_picture(const struct album *a, long long id)
{
	struct kf_outlet to = plot_outlet(a->q);
	struct kf_err err;
	char path[4096];
	int rc;

	if (a->q->mode == PLOT_SEQUENCE)
		rc = kf_picture_write(&to, &a->canvas, &err);
	else if ((size_t)snprintf(path, sizeof path, "%s%lld.%s", a->q->prefix, id,
			 kf_picture_ending(a->q->png, a->q->colour)) >= sizeof path)
		die("--each: the prefix is too long");
	else
		rc = kf_picture_save(path, a->q->png, &a->canvas, &err);
	check(rc, &err);
}

/* Returns false when the sheet is full. */
static bool put_row(struct album *a, const struct kf_chunk *chunk, size_t row,
	double error)
{
	struct kf_box cell;
	struct kf_err err;
	int rc;

	if (a->q->mode != PLOT_SHEET) {
		draw_row(a, &a->canvas, 0, 0, chunk, row, error);
		put_picture(a, (long long)chunk->id[row]);
		return true;
	}
	rc = kf_sheet_cell(&a->sheet, &cell, &err);
	check(rc, &err);
	if (rc == 1)
		draw_row(a, &a->sheet.strip, cell.left, cell.top, chunk, row, error);
	return rc == 1;
}

static void close_album(struct album *a)
{
	struct kf_err err;

	if (a->q->mode == PLOT_SHEET) {
		if (a->sheet.used == 0)
			die("the stream has no rows: there is nothing to draw");
		check(kf_sheet_end(&a->sheet, &err), &err);
		kf_sheet_free(&a->sheet);
	} else {
		kf_canvas_free(&a->canvas);
	}
	kf_face_free(&a->face);
}

/* Reads the stream to its end even if the sheet is full before that: a damaged
 * stream must not give a whole sheet. */
static void plot_first(const struct request *q, struct kf_reader *in)
{
	struct album album;
	struct kf_chunk *chunk;
	bool more = true;

	open_album(&album, q, kf_reader_schema(in), q->columns ? q->columns : 4,
		q->rows ? q->rows : 4);
	while ((chunk = cli_next(in)))
		for (size_t i = 0; i < chunk->n && more; i++)
			more = put_row(&album, chunk, i, NAN);
	close_album(&album);
}

/* Reads the whole stream; rows without a target that was predicted have no
 * error, and are left out. */
static void find_worst(struct kf_worst *worst, int max, struct kf_reader *in)
{
	const struct kf_schema *schema = kf_reader_schema(in);
	struct kf_point_score row;
	struct kf_score score;
	struct kf_chunk *chunk;
	struct kf_err err;

	check(kf_score_init(&score, schema, &err), &err);
	check(kf_worst_init(worst, schema, max, &err), &err);
	while ((chunk = cli_next(in)))
		for (size_t i = 0; i < chunk->n; i++) {
			check(kf_score_row(&score, schema, chunk, i, &row, &err), &err);
			if (row.n > 0)
				kf_worst_add(worst, chunk, i, kf_score_rmse(&row));
		}
	kf_score_free(&score);
}

static void draw_worst(const struct request *q, const struct kf_worst *worst)
{
	const struct kf_schema *schema = &worst->schema;
	int columns = q->columns, rows = q->rows;
	struct album album;
	bool more = true;

	if (worst->n == 0)
		die("no row has a target that was predicted");
	if (columns == 0) {
		columns = kf_sheet_columns(worst->n, schema->w, schema->h);
		rows = (worst->n + columns - 1) / columns;
	}
	open_album(&album, q, schema, columns, rows);
	for (int i = 0; i < worst->n && more; i++)
		more = put_row(&album, &worst->chunk, worst->row[i].at,
			worst->row[i].error);
	close_album(&album);
}

void plot_faces(const struct request *q)
{
	struct kf_reader *in = cli_open_stream(q->operands[0]);
	struct kf_worst worst;
	struct kf_err err;

	check(kf_schema_need_images(kf_reader_schema(in), &err), &err);
	if (!q->worst) {
		plot_first(q, in);
		kf_reader_close(in);
		return;
	}
	find_worst(&worst, q->worst, in);
	kf_reader_close(in); /* frees memory for the picture */
	draw_worst(q, &worst);
	kf_worst_free(&worst);
}
