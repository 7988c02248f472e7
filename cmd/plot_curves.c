/* Learning curves of models and of logs. */
#define _GNU_SOURCE
#include "plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "draw/curve.h"
#include "formats/history.h"
#include "net/model.h"

/* What an operand holds: a model, or a log. */
struct run {
	char *name; /* in the legend */
	bool is_log;
	struct kf_model model;
	struct kf_history log;
};

struct runs {
	struct run *run; /* (n) */
	int n;
	struct kf_curve *curve; /* (n), and one more for the mean */
	float *mean;
};

/* -- reading ---------------------------------------------------------------------- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_ending(const char *text)
{
	static const char *const endings[] = { ".kfkd", ".safetensors", ".tsv",
		".log" };

	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
		if (!strcmp(text, endings[i]))
			return true;
	return false;
}

/* A file's name without its ending, or its whole path where another file has the same
 * name. */
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
	if (dot && dot != name && is_ending(dot))
		*dot = '\0';
	return name;
}

/* Reads a log, or a model without its weights. */
static void read_run(struct run *r, const char *operand)
{
	struct kf_err err;
	const char *name;
	int fd = plot_open_model(operand, &name), file = kf_seekable(fd, name, &err),
	    rc;

	check(file, &err);
	rc = kf_history_claims(file, name, &err);
	check(rc, &err);
	r->is_log = rc;
	if (r->is_log)
		rc = kf_history_read(&r->log, file, name, &err);
	else
		rc = kf_model_read(&r->model, file, name, "", &err);
	check(rc, &err);
	if (!r->is_log && r->model.epochs == 0)
		die("'%s' has no history: it was not trained", name);
	if (file != fd)
		close(file);
	if (fd != STDIN_FILENO)
		close(fd);
}

static struct kf_curve curve_of(const struct request *q, const struct run *r,
	const char *operand)
{
	const struct kf_model *m = &r->model;
	struct kf_curve c = { .name = r->name,
		.epochs = r->is_log ? r->log.epochs : m->epochs,
		.train = r->is_log ? r->log.train : m->train_loss,
		.valid = r->is_log ? r->log.valid : m->valid_loss,
		.seconds = r->log.seconds,
		.pixels = r->is_log ? r->log.pixels : kf_model_pixels(m),
		.targets = r->is_log ? 1 : m->columns.n };

	if (q->valid_only)
		c.train = NULL;
	if (q->by_time && !r->is_log)
		die("--by-time: '%s' is a model, which has no times; the log of its "
		    "training has",
			operand);
	if (q->by_time && isnan(c.seconds[c.epochs - 1]))
		die("--by-time: '%s' lacks seconds", operand);
	return c;
}

static void read_runs(struct runs *r, const struct request *q)
{
	while (q->operands[r->n])
		r->n++;
	r->run = calloc((size_t)r->n, sizeof *r->run);
	r->curve = calloc((size_t)r->n + 1, sizeof *r->curve);
	must_alloc(r->run);
	must_alloc(r->curve);
	for (int i = 0; i < r->n; i++) {
		read_run(&r->run[i], q->operands[i]);
		r->run[i].name = legend_name(q->operands, i);
		r->curve[i] = curve_of(q, &r->run[i], q->operands[i]);
	}
}

static void free_runs(struct runs *r)
{
	for (int i = 0; i < r->n; i++) {
		free(r->run[i].name);
		kf_model_free(&r->run[i].model);
		kf_history_free(&r->run[i].log);
	}
	free(r->mean);
	free(r->run);
	free(r->curve);
}

/* -- drawing ---------------------------------------------------------------------- */

/* Appends the mean as one more curve. */
static void add_mean(struct runs *r)
{
	struct kf_curve *c = r->curve, *mean = &c[r->n];
	bool any = false;

	for (int i = 1; i < r->n; i++)
		if (r->run[i].is_log != r->run[0].is_log)
			die("--mean: a log does not say how many targets it is the mean "
			    "of, as models do");
	r->mean = malloc((size_t)c[0].epochs * sizeof *r->mean);
	must_alloc(r->mean);
	*mean = (struct kf_curve){ .name = "mean",
		.valid = r->mean,
		.mean = true,
		.epochs = kf_curves_mean(c, r->n, r->mean),
		.pixels = c[0].pixels };
	for (int i = 0; i < mean->epochs; i++)
		any |= !isnan(r->mean[i]);
	if (!any)
		die("--mean: there is no epoch in which all models were validated");
}

/* Limits that would leave the picture empty give way to the curves. */
static void fit(struct kf_curve_view *view, const struct kf_curve *curves, int n)
{
	struct kf_curve_view free_y = *view, free_x = *view;

	if (kf_curves_within(curves, n, view))
		return;
	free_y.low = free_y.high = 0;
	free_x.left = free_x.right = 0;
	if (view->high > 0 && kf_curves_within(curves, n, &free_y)) {
		warn("--ylim: there is no loss from %g to %g; drawn is as far as the "
		     "curves go",
			view->low, view->high);
		*view = free_y;
	} else if (view->right > 0) {
		warn("--xlim: there is no loss from %g to %g; drawn is as far as the "
		     "curves go",
			view->left, view->right);
		*view = free_x;
		fit(view, curves, n);
	}
}

void plot_curves(const struct request *q)
{
	struct kf_curve_view view = { q->low, q->high, q->left, q->right, q->by_time,
		q->log_x };
	struct runs runs = { .n = 0 };
	struct kf_canvas canvas;
	struct kf_err err;

	read_runs(&runs, q);
	if (q->mean)
		add_mean(&runs);
	fit(&view, runs.curve, runs.n + q->mean);
	view.log_x |=
		view.right == 0 && kf_curves_uneven(runs.curve, runs.n, q->by_time);
	plot_open_canvas(q, &canvas, 800, 600);
	check(kf_draw_curves(&canvas, runs.curve, runs.n + q->mean, &view, &err), &err);
	plot_put_canvas(q, &canvas);
	free_runs(&runs);
}
