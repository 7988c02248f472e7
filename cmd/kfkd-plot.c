/* kfkd-plot: pictures of faces with their keypoints, of errors, of learning curves
 * and of weights.  This file knows the options; plot_*.c draw. */
#include <stdio.h>
#include <string.h>

#include "draw/curve.h"
#include "plot.h"

static const char usage[] =
	"usage: kfkd-plot [-w N] [-g CxR] [-z N] [-i] [-c] [-o OUT] [FILE]\n"
	"       kfkd-plot -e PREFIX [-w N] [-z N] [-i] [-c] [FILE]\n"
	"       kfkd-plot --errors [-S WxH] [-c] [-o OUT] [FILE]\n"
	"       kfkd-plot --curve [--mean] [-y A:B] [-S WxH] [-c] [-o OUT] [MODEL ...]\n"
	"       kfkd-plot --weights [-g CxR] [-z N] [-c] [-o OUT] [MODEL]\n"
	"Draws a PGM picture: of a stream the first faces, true keypoints as rings and\n"
	"predicted ones as crosses; or what one of these asks for:\n"
	"  -e, --each PREFIX  a new file PREFIX<id>.pgm for each row; with - pictures\n"
	"                     one after another on standard output\n"
	"      --errors       bars of each keypoint's error\n"
	"      --curve        the losses of models against epochs\n"
	"      --weights      the weights of a model's first layer\n"
	"Options:\n"
	"  -w, --worst N      the N rows with the largest errors, the worst first\n"
	"  -g, --grid CxR     columns and rows of pictures (4x4)\n"
	"  -z, --zoom N       enlarge each pixel to N x N (2)\n"
	"  -i, --ids          write each row's id into its picture\n"
	"  -c, --colour       colours: PPM in place of PGM\n"
	"      --mean         the mean of the models' losses in validation as well\n"
	"  -y, --ylim A:B     losses from A to B (as far as the curves go)\n"
	"  -S, --size WxH     width and height of a figure (curves: 800x600)\n"
	"  -o, --output OUT   write to OUT, which appears when it is whole\n"
	"  -h, --help         print this\n"
	"  -V, --version      print the version\n";

enum { ERRORS = 256, CURVE, WEIGHTS, MEAN };

static const struct option options[] = { { "each", required_argument, NULL, 'e' },
	{ "errors", no_argument, NULL, ERRORS }, { "curve", no_argument, NULL, CURVE },
	{ "weights", no_argument, NULL, WEIGHTS },
	{ "worst", required_argument, NULL, 'w' },
	{ "grid", required_argument, NULL, 'g' },
	{ "zoom", required_argument, NULL, 'z' }, { "ids", no_argument, NULL, 'i' },
	{ "colour", no_argument, NULL, 'c' }, { "mean", no_argument, NULL, MEAN },
	{ "ylim", required_argument, NULL, 'y' },
	{ "size", required_argument, NULL, 'S' },
	{ "output", required_argument, NULL, 'o' }, CLI_LONG };

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

/* The modes exclude each other; saying one twice is no mistake. */
static void set_mode(struct request *q, enum plot_mode mode)
{
	if (q->mode != PLOT_SHEET && q->mode != mode)
		misuse("only one of --each, --errors, --curve and --weights can be "
		       "drawn");
	q->mode = mode;
}

static void parse(int argc, char **argv, struct request *q)
{
	int c;

	while ((c = getopt_long(argc, argv, CLI_SHORT "e:w:g:z:icy:S:o:", options,
			NULL)) != -1)
		switch (c) {
		case 'e':
			set_mode(q, PLOT_EACH);
			q->prefix = optarg;
			break;
		case ERRORS: set_mode(q, PLOT_ERRORS); break;
		case CURVE: set_mode(q, PLOT_CURVE); break;
		case WEIGHTS: set_mode(q, PLOT_WEIGHTS); break;
		case MEAN: q->mean = true; break;
		case 'i': q->ids = true; break;
		case 'c': q->colour = true; break;
		case 'o': q->output = optarg; break;
		case 'y': parse_ylim(optarg, q); break;
		case 'w': q->worst = (int)cli_int("--worst", optarg, 1, 1000000); break;
		case 'z': q->zoom = (int)cli_int("--zoom", optarg, 1, 100); break;
		case 'g':
			cli_pair("--grid", optarg, 10000, &q->columns, &q->rows);
			break;
		case 'S': cli_pair("--size", optarg, 10000, &q->w, &q->h); break;
		default: cli_option(c);
		}
}

static bool files_of_their_own(const struct request *q)
{
	return q->mode == PLOT_EACH && strcmp(q->prefix, "-") != 0;
}

/* An option that would be without effect is a mistake. */
static void check(const struct request *q)
{
	static const char *const with[] = { "without --curve", "with --each",
		"with --errors", "with --curve", "with --weights" };
	bool faces = q->mode == PLOT_SHEET || q->mode == PLOT_EACH;
	const char *idle = NULL;

	if (q->columns && q->mode != PLOT_SHEET && q->mode != PLOT_WEIGHTS)
		idle = "--grid";
	if (q->zoom && !faces && q->mode != PLOT_WEIGHTS)
		idle = "--zoom";
	if (q->ids && !faces)
		idle = "--ids";
	if (q->worst && !faces)
		idle = "--worst";
	if (q->output && files_of_their_own(q))
		idle = "--output";
	if (q->w && q->mode != PLOT_CURVE && q->mode != PLOT_ERRORS)
		idle = "--size";
	if (q->high > 0 && q->mode != PLOT_CURVE)
		idle = "--ylim";
	if (q->mean && q->mode != PLOT_CURVE)
		idle = "--mean";
	if (idle)
		misuse("%s has no effect %s", idle, with[q->mode]);
	if (q->w && q->mode == PLOT_CURVE &&
		(q->w < KF_CURVE_MIN_W || q->h < KF_CURVE_MIN_H))
		misuse("--size: %dx%d is smaller than %dx%d", q->w, q->h,
			KF_CURVE_MIN_W, KF_CURVE_MIN_H);
}

static struct kf_reader *open_stream(const char *operand)
{
	const char *name;
	int fd = cli_open(operand, &name);

	return cli_stream(fd, name, false);
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
	if (n > 1 && q.mode != PLOT_CURVE)
		misuse("more than one file: '%s'", operands[1]);
	if (!files_of_their_own(&q)) {
		cli_output(q.output);
		cli_binary_output();
	}
	if (q.mode == PLOT_ERRORS)
		plot_errors(&q, open_stream(operands[0]));
	else if (q.mode == PLOT_CURVE)
		plot_curves(&q, operands, n);
	else if (q.mode == PLOT_WEIGHTS)
		plot_weights(&q, operands[0]);
	else
		plot_faces(&q, open_stream(operands[0]));
	return cli_finish();
}
