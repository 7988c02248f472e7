/* Figures: errors of keypoints, the losses of models, and their weights. */
#define _GNU_SOURCE
#include "plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "draw/bars.h"
#include "draw/curve.h"
#include "net/model.h"
#include "rows/score.h"
#include "draw/weights.h"

static void open_canvas(struct kf_canvas *c, const struct request *q, int w, int h)
{
	struct kf_err err;

	check(kf_canvas_init(c, q->w ? q->w : w, q->h ? q->h : h, q->colour, &err),
		&err);
}

static void put_canvas(const struct request *q, struct kf_canvas *c)
{
	struct kf_outlet to = plot_outlet(q);
	struct kf_err err;

	check(kf_picture_write(&to, c, &err), &err);
	kf_canvas_free(c);
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
	open_canvas(&canvas, q, 800, kf_bars_height(score.n));
	kf_draw_bars(&canvas, bars, score.n, whole);
	put_canvas(q, &canvas);
	free(bars);
	kf_score_free(&score);
}

/* -- curves ---------------------------------------------------------------------- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* A model's name in the legend: its file name without .kfkd, or its whole path
 * where another file has the same name. */
static char *legend_name(char **operands, int i)
{
	const char *base = base_name(operands[i]);
	char *name, *dot;

	for (int k = 0; operands[k]; k++)
		if (k != i && !strcmp(base_name(operands[k]), base))
			base = operands[i];
	name = strdup(base);
	must_alloc(name);
	dot = strrchr(name, '.');
	if (dot && dot != name &&
		(!strcmp(dot, ".kfkd") || !strcmp(dot, ".safetensors")))
		*dot = '\0';
	return name;
}

static int open_model(const char *operand, const char **name)
{
	int fd = cli_open(operand, name);

	if (isatty(fd))
		misuse("%s is a terminal; give a model", *name);
	return fd;
}

/* Reads a model without its weights. */
static struct kf_model open_history(const char *operand)
{
	struct kf_model m;
	struct kf_err err;
	const char *name;
	int fd = open_model(operand, &name);

	check(kf_model_read(&m, fd, name, "", &err), &err);
	if (m.epochs == 0)
		die("'%s' has no history: it was not trained", name);
	if (fd != STDIN_FILENO)
		close(fd);
	return m;
}

/* Appends the mean of n curves as one more curve; returns its values. */
static float *add_mean(struct kf_curve *curves, int n)
{
	float *mean = malloc((size_t)curves[0].epochs * sizeof *mean);
	bool any = false;

	must_alloc(mean);
	curves[n] = (struct kf_curve){ .name = "mean",
		.valid = mean,
		.mean = true,
		.epochs = kf_curves_mean(curves, n, mean),
		.pixels = curves[0].pixels };
	for (int i = 0; i < curves[n].epochs; i++)
		any |= !isnan(mean[i]);
	if (!any)
		die("--mean: there is no epoch in which all models were validated");
	return mean;
}

static struct kf_curve curve_of(const struct kf_model *m, const char *name)
{
	return (struct kf_curve){ .name = name,
		.epochs = m->epochs,
		.train = m->train_loss,
		.valid = m->valid_loss,
		.pixels = kf_model_pixels(m),
		.targets = m->columns.n };
}

void plot_curves(const struct request *q)
{
	struct kf_curve *curves;
	struct kf_model *models;
	struct kf_canvas canvas;
	struct kf_err err;
	float *mean = NULL;
	char **names;
	int n = 0;

	while (q->operands[n])
		n++;
	curves = calloc((size_t)n + 1, sizeof *curves);
	models = calloc((size_t)n, sizeof *models);
	names = calloc((size_t)n, sizeof *names);
	must_alloc(curves);
	must_alloc(models);
	must_alloc(names);
	for (int i = 0; i < n; i++) {
		models[i] = open_history(q->operands[i]);
		names[i] = legend_name(q->operands, i);
		curves[i] = curve_of(&models[i], names[i]);
	}
	if (q->mean)
		mean = add_mean(curves, n);
	open_canvas(&canvas, q, 800, 600);
	check(kf_draw_curves(&canvas, curves, n + q->mean, q->low, q->high, &err),
		&err);
	put_canvas(q, &canvas);
	for (int i = 0; i < n; i++) {
		free(names[i]);
		kf_model_free(&models[i]);
	}
	free(mean);
	free(names);
	free(curves);
	free(models);
}

/* -- weights --------------------------------------------------------------------- */

void plot_weights(const struct request *q)
{
	struct kf_outlet to = plot_outlet(q);
	struct kf_weights k;
	struct kf_err err;
	const char *name;
	int fd = open_model(q->operands[0], &name), columns, rows;

	check(kf_weights_read(&k, fd, name, &err), &err);
	columns = q->columns ? q->columns : kf_weights_columns(&k);
	rows = q->rows ? q->rows : (k.units * k.c + columns - 1) / columns;
	check(kf_draw_weights(&k, &to, columns, rows, q->zoom, q->colour, &err), &err);
	kf_weights_free(&k);
}
