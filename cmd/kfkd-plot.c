/* kfkd-plot: pictures of faces with their keypoints, of learning curves and of
 * weights. */
#define _GNU_SOURCE
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "curve.h"
#include "face.h"
#include "model.h"
#include "sheet.h"
#include "weights.h"

static const char usage[] =
	"usage: kfkd-plot [-g CxR] [-z N] [-i] [-c] [-o OUT] [FILE]\n"
	"       kfkd-plot -e PREFIX [-z N] [-i] [-c] [FILE]\n"
	"       kfkd-plot --curve [-y A:B] [-S WxH] [-c] [-o OUT] [MODEL ...]\n"
	"       kfkd-plot --weights [-g CxR] [-z N] [-c] [-o OUT] [MODEL]\n"
	"Draws faces with true keypoints as rings and predicted ones as crosses,\n"
	"or what is in a model, as a PGM picture.\n"
	"  -e, --each PREFIX  a new file PREFIX<id>.pgm for each row\n"
	"      --curve        the losses of models against epochs\n"
	"      --weights      the weights of a model's first layer\n"
	"  -g, --grid CxR     columns and rows of pictures (4x4)\n"
	"  -z, --zoom N       enlarge each pixel to N x N (2)\n"
	"  -i, --ids          write each row's id into its picture\n"
	"  -c, --colour       colours: PPM in place of PGM\n"
	"  -y, --ylim A:B     losses from A to B (as far as the curves go)\n"
	"  -S, --size WxH     width and height of the curves' picture (800x600)\n"
	"  -o, --output OUT   write to OUT, which appears when it is whole\n"
	"  -h, --help         print this\n"
	"  -V, --version      print the version\n";

enum { CURVE = 256, WEIGHTS };

static const struct option options[] = {
	{ "each", required_argument, NULL, 'e' },
	{ "curve", no_argument, NULL, CURVE },
	{ "weights", no_argument, NULL, WEIGHTS },
	{ "grid", required_argument, NULL, 'g' },
	{ "zoom", required_argument, NULL, 'z' },
	{ "ids", no_argument, NULL, 'i' },
	{ "colour", no_argument, NULL, 'c' },
	{ "ylim", required_argument, NULL, 'y' },
	{ "size", required_argument, NULL, 'S' },
	{ "output", required_argument, NULL, 'o' }, CLI_LONG
};

/* What the options ask for; 0 and NULL where they say nothing. */
struct request {
	bool curve, weights, ids, colour;
	const char *each, *output;
	int columns, rows, zoom, w, h;
	double low, high;
};

/* -- faces ----------------------------------------------------------------------- */

static void warn_alone(const struct kf_points *points)
{
	if (points->alone)
		warn("column '%s' is not drawn: there is no other axis to it",
			points->alone);
}

static struct kf_face open_face(const struct request *q,
	const struct kf_schema *schema)
{
	struct kf_face face = { .schema = schema, .zoom = q->zoom ? q->zoom : 2,
		.ids = q->ids };

	face.truth = kf_points_find(&schema->columns);
	face.predicted = kf_points_find(&schema->p_columns);
	warn_alone(&face.truth);
	warn_alone(&face.predicted);
	return face;
}

static void close_face(struct kf_face *face)
{
	kf_points_free(&face->truth);
	kf_points_free(&face->predicted);
}

static struct kf_reader *open_stream(const char *operand)
{
	const char *name;
	int fd = cli_open(operand, &name);

	return cli_stream(fd, name, false);
}

/* The stream is read to its end though the sheet may be full before, and only
 * then is the sheet whole. */
static void plot_sheet(const struct request *q, struct kf_reader *in)
{
	const struct kf_schema *schema = kf_reader_schema(in);
	struct kf_face face = open_face(q, schema);
	struct kf_chunk *chunk;
	struct kf_sheet sheet;
	struct kf_box cell;
	struct kf_err err;
	int rc = 1;

	if (kf_sheet_begin(&sheet, stdout, cli_output_name(), q->columns ? q->columns :
		4, q->rows ? q->rows : 4, schema->w * face.zoom, schema->h * face.zoom,
		q->colour, KF_WHITE, &err) < 0)
		die("%s", err.msg);
	while ((chunk = cli_next(in)))
		for (size_t i = 0; i < chunk->n && rc == 1; i++)
			if ((rc = kf_sheet_cell(&sheet, &cell, &err)) == 1)
				kf_draw_face(&sheet.strip, cell.left, cell.top, &face,
					chunk, i);
			else if (rc < 0)
				die("%s", err.msg);
	if (sheet.used == 0)
		die("the stream has no rows: there is nothing to draw");
	if (kf_sheet_end(&sheet, &err) < 0)
		die("%s", err.msg);
	kf_sheet_free(&sheet);
	close_face(&face);
	kf_reader_close(in);
}

static void plot_each(const struct request *q, struct kf_reader *in)
{
	const struct kf_schema *schema = kf_reader_schema(in);
	struct kf_face face = open_face(q, schema);
	struct kf_canvas canvas;
	struct kf_chunk *chunk;
	struct kf_err err;
	char path[4096];

	if (kf_canvas_init(&canvas, schema->w * face.zoom, schema->h * face.zoom,
		q->colour, &err) < 0)
		die("%s", err.msg);
	while ((chunk = cli_next(in)))
		for (size_t i = 0; i < chunk->n; i++) {
			if ((size_t)snprintf(path, sizeof path, "%s%lld.%s", q->each,
				(long long)chunk->id[i], q->colour ? "ppm" : "pgm") >=
				sizeof path)
				die("--each: the prefix is too long");
			kf_draw_face(&canvas, 0, 0, &face, chunk, i);
			if (kf_picture_save(path, &canvas, &err) < 0)
				die("%s", err.msg);
		}
	kf_canvas_free(&canvas);
	close_face(&face);
	kf_reader_close(in);
}

/* -- models ---------------------------------------------------------------------- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* A model's name in the legend: its file's without .kfkd, or the whole path
 * where another file has the same. */
static char *legend_name(char **operands, int n, int i)
{
	const char *base = base_name(operands[i]);
	char *name, *dot;

	for (int k = 0; k < n; k++)
		if (k != i && !strcmp(base_name(operands[k]), base))
			base = operands[i];
	name = strdup(base);
	if (!name)
		die("out of memory");
	dot = strrchr(name, '.');
	if (dot && dot != name && (!strcmp(dot, ".kfkd") || !strcmp(dot, ".safetensors")))
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

	if (kf_model_read(&m, fd, name, "", &err) < 0)
		die("%s", err.msg);
	if (m.epochs == 0)
		die("'%s' has no history: it was not trained", name);
	if (fd != STDIN_FILENO)
		close(fd);
	return m;
}

static void plot_curves(const struct request *q, char **operands, int n)
{
	struct kf_curve *curves = calloc((size_t)n, sizeof *curves);
	struct kf_model *models = calloc((size_t)n, sizeof *models);
	struct kf_canvas canvas;
	struct kf_err err;

	if (!curves || !models)
		die("out of memory");
	for (int i = 0; i < n; i++) {
		models[i] = open_history(operands[i]);
		curves[i] = (struct kf_curve){ legend_name(operands, n, i),
			models[i].epochs, models[i].train_loss, models[i].valid_loss,
			kf_model_pixels(&models[i]) };
	}
	if (kf_canvas_init(&canvas, q->w ? q->w : 800, q->h ? q->h : 600, q->colour,
		&err) < 0 ||
		kf_draw_curves(&canvas, curves, n, q->low, q->high, &err) < 0 ||
		kf_picture_begin(stdout, cli_output_name(), canvas.w, canvas.h,
			q->colour, &err) < 0 ||
		kf_picture_rows(stdout, cli_output_name(), &canvas, canvas.h, &err) < 0)
		die("%s", err.msg);
	kf_canvas_free(&canvas);
	for (int i = 0; i < n; i++) {
		free((char *)curves[i].name);
		kf_model_free(&models[i]);
	}
	free(curves);
	free(models);
}

static void plot_weights(const struct request *q, const char *operand)
{
	struct kf_weights k;
	struct kf_err err;
	const char *name;
	int fd = open_model(operand, &name), columns, rows;

	if (kf_weights_read(&k, fd, name, &err) < 0)
		die("%s", err.msg);
	columns = q->columns ? q->columns : kf_weights_columns(&k);
	rows = q->rows ? q->rows : (k.units * k.c + columns - 1) / columns;
	if (kf_draw_weights(&k, stdout, cli_output_name(), columns, rows, q->zoom,
		q->colour, &err) < 0)
		die("%s", err.msg);
	kf_weights_free(&k);
}

/* -- options --------------------------------------------------------------------- */

static void parse_ylim(const char *text, struct request *q)
{
	const char *colon = strchr(text, ':');
	char low[64];

	if (!colon || colon - text >= (int)sizeof low)
		misuse("--ylim: '%s' is not two losses such as 1e-3:1e-2", text);
	snprintf(low, sizeof low, "%.*s", (int)(colon - text), text);
	q->low = cli_real("--ylim", low, 1e-30, 1e30);
	q->high = cli_real("--ylim", colon + 1, 1e-30, 1e30);
	if (q->low >= q->high)
		misuse("--ylim: %s is not less than %s", low, colon + 1);
}

static void parse(int argc, char **argv, struct request *q)
{
	int c;

	while ((c = getopt_long(argc, argv, CLI_SHORT "e:g:z:icy:S:o:", options,
		NULL)) != -1)
		switch (c) {
		case 'e': q->each = optarg; break;
		case 'i': q->ids = true; break;
		case 'c': q->colour = true; break;
		case 'o': q->output = optarg; break;
		case 'y': parse_ylim(optarg, q); break;
		case 'z': q->zoom = (int)cli_int("--zoom", optarg, 1, 100); break;
		case 'g': cli_pair("--grid", optarg, 10000, &q->columns, &q->rows); break;
		case 'S': cli_pair("--size", optarg, 10000, &q->w, &q->h); break;
		case CURVE: q->curve = true; break;
		case WEIGHTS: q->weights = true; break;
		default: cli_option(c);
		}
}

/* An option that would be without effect is a mistake. */
static void check(const struct request *q)
{
	const char *idle = NULL;

	if (q->curve + q->weights + (q->each != NULL) > 1)
		misuse("only one of --each, --curve and --weights can be drawn");
	if (q->columns && (q->curve || q->each))
		idle = "--grid";
	if (q->zoom && q->curve)
		idle = "--zoom";
	if (q->ids && (q->curve || q->weights))
		idle = "--ids";
	if (q->output && q->each)
		idle = "--output";
	if (q->w && !q->curve)
		idle = "--size";
	if (q->high > 0 && !q->curve)
		idle = "--ylim";
	if (idle)
		misuse("%s has no effect %s", idle, q->each ? "with --each" :
			q->curve ? "with --curve" : q->weights ? "with --weights" :
			"without --curve");
	if (q->w && (q->w < KF_CURVE_MIN_W || q->h < KF_CURVE_MIN_H))
		misuse("--size: %dx%d is smaller than %dx%d", q->w, q->h, KF_CURVE_MIN_W,
			KF_CURVE_MIN_H);
}

int main(int argc, char **argv)
{
	static char *standard_input[] = { "-" };
	struct request q = { 0 };
	char **operands = standard_input;
	int n = 1;

	cli_init(argv, usage);
	parse(argc, argv, &q);
	check(&q);
	if (optind < argc) {
		operands = argv + optind;
		n = argc - optind;
	}
	if (n > 1 && !q.curve)
		misuse("more than one file: '%s'", operands[1]);
	if (!q.each) {
		cli_output(q.output);
		cli_binary_output();
	}
	if (q.curve)
		plot_curves(&q, operands, n);
	else if (q.weights)
		plot_weights(&q, operands[0]);
	else
		(q.each ? plot_each : plot_sheet)(&q, open_stream(operands[0]));
	return cli_finish();
}
