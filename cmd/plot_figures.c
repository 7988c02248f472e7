/* Figures: errors of keypoints, and the weights of models. */
#define _GNU_SOURCE
#include "plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "draw/bars.h"
#include "net/model.h"
#include "rows/score.h"
#include "draw/weights.h"

void plot_open_canvas(const struct request *q, struct kf_canvas *c, int w, int h)
{
	struct kf_err err;

	check(kf_canvas_init(c, q->w ? q->w : w, q->h ? q->h : h, q->colour, &err),
		&err);
}

void plot_put_canvas(const struct request *q, struct kf_canvas *c)
{
	struct kf_outlet to = plot_outlet(q);
	struct kf_err err;

	check(kf_picture_write(&to, c, &err), &err);
	kf_canvas_free(c);
}

int plot_open_model(const char *operand, const char **name)
{
	int fd = cli_open(operand, name);

	if (isatty(fd))
		misuse("%s is a terminal; give a model", *name);
	return fd;
}

/* -- errors ---------------------------------------------------------------------- */

static void read_score(struct kf_score *score, const char *operand)
{
	struct kf_reader *in = cli_open_stream(operand);
	const struct kf_schema *schema = kf_reader_schema(in);
	struct kf_chunk *chunk;
	struct kf_err err;

	check(kf_score_init(score, schema, &err), &err);
	while ((chunk = cli_next(in)))
		check(kf_score_add(score, schema, chunk, &err), &err);
	kf_reader_close(in);
}

void plot_errors(const struct request *q)
{
	struct kf_bar *bars, whole = { .name = "overall" };
	struct kf_canvas canvas;
	struct kf_score score;

	read_score(&score, q->operands[0]);
	whole.value = kf_score_overall(&score);
	if (isnan(whole.value))
		die("no row has a target that was predicted");
	if (q->w && (q->w < KF_BARS_MIN_W || q->h < kf_bars_least_height(score.n)))
		die("--size: %dx%d is smaller than %dx%d, which %d keypoints need",
			q->w, q->h, KF_BARS_MIN_W, kf_bars_least_height(score.n),
			score.n);
	bars = calloc((size_t)score.n, sizeof *bars);
	must_alloc(bars);
	for (int i = 0; i < score.n; i++)
		bars[i] = (struct kf_bar){ score.point[i].name,
			kf_score_rmse(&score.point[i]) };
	plot_open_canvas(q, &canvas, 800, kf_bars_height(score.n));
	kf_draw_bars(&canvas, bars, score.n, whole);
	plot_put_canvas(q, &canvas);
	free(bars);
	kf_score_free(&score);
}

/* -- weights --------------------------------------------------------------------- */

void plot_weights(const struct request *q)
{
	struct kf_outlet to = plot_outlet(q);
	struct kf_weights k;
	struct kf_err err;
	const char *name;
	int fd = plot_open_model(q->operands[0], &name), columns, rows;

	check(kf_weights_read(&k, fd, name, &err), &err);
	columns = q->columns ? q->columns : kf_weights_columns(&k);
	rows = q->rows ? q->rows : (k.units * k.c + columns - 1) / columns;
	check(kf_draw_weights(&k, &to, columns, rows, q->zoom, q->colour, &err), &err);
	kf_weights_free(&k);
}
