/* kfkd-plot: pictures of faces with their keypoints, of errors, of learning curves
 * and of weights.  This file reads the options; plot_*.c draw. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/io.h"
#include "draw/curve.h"
#include "plot.h"

enum {
	ERRORS = OPTION_NO_LETTER,
	CURVE,
	WEIGHTS,
	MEAN,
	ORIGINAL,
	MAPS,
	OVER,
	PNG,
	XLIM,
	LOG_X,
	BY_TIME,
	VALID_ONLY,
	STRETCH,
	VIEW
};

static const struct program program = {
	.name = "kfkd-plot",
	.synopsis = { "[-w N] [-g CxR] [-z N] [-i] [-c] [-o OUT] [FILE]",
		"-e PREFIX [-w N] [-z N] [-i] [-c] [FILE]",
		"-e PREFIX --original [-i] [-c] [FILE]",
		"--errors [-S WxH] [-c] [-o OUT] [FILE]",
		"--curve [--mean] [-y A:B] [-S WxH] [-c] [-o OUT] [FILE ...]",
		"--weights [-g CxR] [-z N] [-c] [-o OUT] [MODEL]",
		"--maps [--over] [-g CxR] [-z N] [-i] [-c] [-o OUT] [FILE]" },
	.about = "Draws a PGM picture: of a stream the first faces, true keypoints as rings and\n"
		 "predicted ones as crosses; or what one of these asks for:",
	.rows = {
		{ 'e', "each", "PREFIX",
			"a new file PREFIX<id>.pgm for each row; with - pictures\n"
			"one after another on standard output",
			.kind = OPTION_FILE },
		{ ERRORS, "errors", .help = "bars of each keypoint's error" },
		{ CURVE, "curve", .help = "the losses of models, or of logs, against epochs" },
		{ WEIGHTS, "weights", .help = "the weights of a model's first layer" },
		{ MAPS, "maps", .help = "faces beside the maps that kfkd-predict makes" },
		{ .help = "Options:" },
		{ 'w', "worst", "N",
			"the N rows with the largest errors, the worst first, with\n"
			"lines from truth to prediction",
			OPTION_INT, .min = 1, .max = 1000000 },
		{ ORIGINAL, "original",
			.help = "draw on the photographs that rows were cut from, all faces\n"
				"of each on one picture, PREFIX<photograph>.pgm" },
		{ 'g', "grid", "CxR", "columns and rows of pictures (4x4)", OPTION_PAIR,
			.max = 10000 },
		{ 'z', "zoom", "N", "enlarge each pixel to N x N (2)", OPTION_INT,
			.min = 1, .max = 100 },
		{ OVER, "over", .help = "maps over the faces; needs --colour" },
		{ 'i', "ids", .help = "write each row's id into its picture" },
		{ STRETCH, "stretch",
			.help = "show each image's darkest pixel black, its lightest white" },
		{ 'c', "colour", .help = "colours: PPM in place of PGM" },
		{ PNG, "png",
			.help = "PNG in place of both; an OUT that ends in .png asks for it\n"
				"as well" },
		{ VIEW, "view",
			.help = "show the picture in the terminal: through chafa if it is\n"
				"installed, or as sixels" },
		{ MEAN, "mean",
			.help = "the mean of the models' losses in validation as well" },
		{ VALID_ONLY, "valid-only", .help = "the losses in validation alone" },
		{ 'y', "ylim", "A:B", "losses from A to B (as far as the curves go)",
			.kind = OPTION_TEXT },
		{ XLIM, "xlim", "A:B", "epochs, or seconds, from A to B (all)",
			.kind = OPTION_TEXT },
		{ LOG_X, "log-x",
			.help = "epochs on a logarithmic axis, as they are where curves\n"
				"differ more than ten times in length" },
		{ BY_TIME, "by-time", .help = "seconds in place of epochs, of logs" },
		{ 'S', "size", "WxH", "width and height of a figure (curves: 800x600)",
			OPTION_PAIR, .max = 10000 },
	},
};

/* "A:B", such as example; A is not less than least, and less than B. */
static void parse_limits(const char *name, const char *text, const char *example,
	double least, double *a, double *b)
{
	const char *colon = strchr(text, ':');
	char first[64];

	if (!colon || colon - text >= (int)sizeof first)
		misuse("--%s: '%s' is not two numbers such as %s", name, text, example);
	snprintf(first, sizeof first, "%.*s", (int)(colon - text), text);
	*a = option_real(name, first, least, 1e30);
	*b = option_real(name, colon + 1, least, 1e30);
	if (*a >= *b)
		misuse("--%s: %s is not less than %s", name, first, colon + 1);
}

/* The modes exclude each other; giving one twice is no mistake. */
static void set_mode(struct request *q, enum plot_mode mode)
{
	if (q->mode != PLOT_SHEET && q->mode != mode)
		misuse("only one of --each, --errors, --curve, --weights and --maps can "
		       "be drawn");
	q->mode = mode;
}

static void apply(struct request *q, int key, const struct options *o)
{
	switch (key) {
	case 'e':
		set_mode(q, PLOT_EACH);
		q->prefix = o->text;
		break;
	case ERRORS: set_mode(q, PLOT_ERRORS); break;
	case CURVE: set_mode(q, PLOT_CURVE); break;
	case WEIGHTS: set_mode(q, PLOT_WEIGHTS); break;
	case MAPS: set_mode(q, PLOT_MAPS); break;
	case MEAN: q->mean = true; break;
	case OVER: q->over = true; break;
	case ORIGINAL: q->original = true; break;
	case STRETCH: q->stretch = true; break;
	case PNG: q->png = true; break;
	case 'i': q->ids = true; break;
	case 'c': q->colour = true; break;
	case LOG_X: q->log_x = true; break;
	case BY_TIME: q->by_time = true; break;
	case VALID_ONLY: q->valid_only = true; break;
	case 'y':
		parse_limits("ylim", o->text, "1e-3:1e-2", 1e-30, &q->low, &q->high);
		break;
	case XLIM:
		parse_limits("xlim", o->text, "0:100", 0, &q->left, &q->right);
		break;
	case 'w': q->worst = (int)o->number; break;
	case 'z': q->zoom = (int)o->number; break;
	case 'g':
		q->columns = o->pair[0];
		q->rows = o->pair[1];
		break;
	case 'S':
		q->w = o->pair[0];
		q->h = o->pair[1];
		break;
	}
}

/* For each mode, its name in messages and the function that draws it; a sheet is what is
 * drawn without a name. */
static const struct {
	const char *with;
	void (*draw)(const struct request *q);
	bool several; /* operands */
} modes[PLOT_MODES] = {
	[PLOT_SHEET] = { NULL, plot_faces, false },
	[PLOT_EACH] = { "with --each", plot_faces, false },
	[PLOT_SEQUENCE] = { "with --each", plot_faces, false },
	[PLOT_ERRORS] = { "with --errors", plot_errors, false },
	[PLOT_CURVE] = { "with --curve", plot_curves, true },
	[PLOT_WEIGHTS] = { "with --weights", plot_weights, false },
	[PLOT_MAPS] = { "with --maps", plot_maps, false },
};

#define BIT(mode) (1u << (mode))
#define FACES (BIT(PLOT_SHEET) | BIT(PLOT_EACH) | BIT(PLOT_SEQUENCE))
#define FIGURES (BIT(PLOT_ERRORS) | BIT(PLOT_CURVE))
#define SHEETS (BIT(PLOT_SHEET) | BIT(PLOT_WEIGHTS) | BIT(PLOT_MAPS))

/* The modes in which an option has an effect; those not listed have it in all. */
static const struct {
	int key;
	unsigned modes;
} effects[] = {
	{ MEAN, BIT(PLOT_CURVE) },
	{ ORIGINAL, BIT(PLOT_EACH) | BIT(PLOT_SEQUENCE) },
	{ 'y', BIT(PLOT_CURVE) },
	{ XLIM, BIT(PLOT_CURVE) },
	{ LOG_X, BIT(PLOT_CURVE) },
	{ BY_TIME, BIT(PLOT_CURVE) },
	{ VALID_ONLY, BIT(PLOT_CURVE) },
	{ 'S', FIGURES },
	{ OVER, BIT(PLOT_MAPS) },
	{ 'o', FIGURES | SHEETS | BIT(PLOT_SEQUENCE) },
	{ VIEW, FIGURES | SHEETS },
	{ 'w', FACES },
	{ 'i', FACES | BIT(PLOT_MAPS) },
	{ STRETCH, FACES },
	{ 'z', FACES | SHEETS },
	{ 'g', SHEETS },
};

struct kf_outlet plot_outlet(const struct request *q)
{
	if (q->view)
		return (struct kf_outlet){ q->view, KF_TEMPFILE, q->png };
	return (struct kf_outlet){ stdout, output_name(), q->png };
}

/* "x.png", whatever the case of its ending. */
static bool is_png(const char *path /* or NULL */)
{
	const char *dot = path ? strrchr(path, '.') : NULL;

	return dot && !strcasecmp(dot, ".png");
}

/* An option that would have no effect is a mistake. */
static void check_effects(const struct request *q, const struct options *o)
{
	if (q->original && q->mode == PLOT_SHEET)
		misuse("--original goes with --each, whose pictures are photographs");
	for (size_t i = 0; i < sizeof effects / sizeof *effects; i++)
		if (options_given(o, effects[i].key) &&
			!(effects[i].modes & BIT(q->mode)))
			misuse("--%s has no effect %s", options_name(o, effects[i].key),
				q->mode != PLOT_SHEET          ? modes[q->mode].with :
					effects[i].key == OVER ? "without --maps" :
								 "without --curve");
	if (q->over && !q->colour)
		misuse("--over needs --colour: in grey, faces and maps look alike");
	if (q->original && (q->worst || q->zoom || q->stretch))
		misuse("--%s does not go with --original",
			q->worst        ? "worst" :
				q->zoom ? "zoom" :
					  "stretch");
	if (options_given(o, VIEW) && (o->output || options_given(o, PNG)))
		misuse("--%s does not go with --view", o->output ? "output" : "png");
	if (q->mean && q->by_time)
		misuse("--mean does not go with --by-time: it is that of epochs");
	if (q->log_x && q->right > 0 && q->left <= 0)
		misuse("--xlim: a logarithmic axis has no 0");
	if (q->w && q->mode == PLOT_CURVE &&
		(q->w < KF_CURVE_MIN_W || q->h < KF_CURVE_MIN_H))
		misuse("--size: %dx%d is smaller than %dx%d", q->w, q->h,
			KF_CURVE_MIN_W, KF_CURVE_MIN_H);
}

int main(int argc, char **argv)
{
	struct request q = { 0 };
	struct options o;
	int key;

	options_begin(&o, &program, argc, argv);
	while ((key = options_next(&o)))
		apply(&q, key, &o);
	q.operands = o.operands;
	q.png |= is_png(o.output);
	if (q.mode == PLOT_EACH && !strcmp(q.prefix, "-"))
		q.mode = PLOT_SEQUENCE;
	check_effects(&q, &o);
	if (o.n_operands > 1 && !modes[q.mode].several)
		misuse("more than one file: '%s'", o.operands[1]);
	if (q.mode != PLOT_EACH)
		output_begin(o.output);
	if (options_given(&o, VIEW))
		plot_view_begin(&q);
	else if (q.mode != PLOT_EACH)
		output_is_binary();
	if (q.original)
		plot_original(&q);
	else
		modes[q.mode].draw(&q);
	if (q.view)
		plot_view_end(&q);
	return output_finish();
}
