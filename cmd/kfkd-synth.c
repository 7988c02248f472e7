/* kfkd-synth: draws faces with exact keypoints, as Kaggle-layout CSV. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "synth/synth.h"

#define PIXELS (KF_SYNTH_SIDE * KF_SYNTH_SIDE)

static const char usage[] =
	"usage: kfkd-synth [-t] [-n N] [-s N] [-m F] [-o OUT]\n"
	"Draws faces with exact keypoints, as CSV in Kaggle's layout.\n"
	"  -n, --rows N      how many (2000)\n"
	"  -s, --seed N      other faces for each N (42)\n"
	"  -m, --missing F   in this share of the rows only 4 of 15 points (0)\n"
	"  -t, --test        no keypoints: the columns ImageId and Image\n"
	"  -o, --output OUT  write to OUT, which appears when it is whole\n"
	"  -h, --help        print this\n"
	"  -V, --version     print the version\n";

static const struct option options[] = { { "rows", required_argument, NULL, 'n' },
	{ "seed", required_argument, NULL, 's' },
	{ "missing", required_argument, NULL, 'm' }, { "test", no_argument, NULL, 't' },
	{ "output", required_argument, NULL, 'o' }, CLI_LONG };

/* Pixels as text with spaces between; printf would take most of the time. */
static void print_pixels(const uint8_t *image)
{
	char text[PIXELS * 4], *end = text;

	for (int i = 0; i < PIXELS; i++) {
		unsigned v = image[i];

		if (v >= 100)
			*end++ = (char)('0' + v / 100);
		if (v >= 10)
			*end++ = (char)('0' + v / 10 % 10);
		*end++ = (char)('0' + v % 10);
		*end++ = i < PIXELS - 1 ? ' ' : '\n';
	}
	fwrite(text, 1, (size_t)(end - text), stdout);
}

static void print_header(bool test)
{
	if (test)
		printf("ImageId,");
	for (int i = 0; i < KF_SYNTH_COLUMNS && !test; i++)
		printf("%s,", kf_synth_columns[i]);
	printf("Image\n");
}

static void print_row(uint64_t seed, uint32_t row, double missing, bool test)
{
	uint8_t image[PIXELS];
	float y[KF_SYNTH_COLUMNS];

	kf_synth_face(seed, row, image, y);
	kf_synth_missing(seed, row, missing, y);
	if (test)
		printf("%lu,", row + 1UL);
	for (int i = 0; i < KF_SYNTH_COLUMNS && !test; i++)
		if (isnan(y[i]))
			putchar(',');
		else
			printf("%.4f,", y[i]);
	print_pixels(image);
}

int main(int argc, char **argv)
{
	const char *output = NULL;
	uint64_t seed = 42;
	uint32_t rows = 2000;
	double missing = 0;
	bool test = false;
	int c;

	cli_init(argv, usage);
	while ((c = getopt_long(argc, argv, CLI_SHORT "n:s:m:to:", options, NULL)) !=
		-1)
		if (c == 'n')
			rows = (uint32_t)cli_int("--rows", optarg, 0, UINT32_MAX);
		else if (c == 's')
			seed = (uint64_t)cli_int("--seed", optarg, 0, INT64_MAX);
		else if (c == 'm')
			missing = cli_real("--missing", optarg, 0, 1);
		else if (c == 't')
			test = true;
		else if (c == 'o')
			output = optarg;
		else
			cli_option(c);
	if (optind < argc)
		misuse("no operand is expected: '%s'", argv[optind]);
	cli_output(output);
	print_header(test);
	for (uint32_t row = 0; row < rows && !ferror(stdout); row++)
		print_row(seed, row, missing, test);
	return cli_finish();
}
