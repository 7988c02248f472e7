/* kfkd-synth: draws faces with exact keypoints, as Kaggle-layout CSV. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "synth/synth.h"

#define PIXELS (KF_SYNTH_SIDE * KF_SYNTH_SIDE)

static const struct program program = {
	.name = "kfkd-synth",
	.synopsis = { "[-t] [-n N] [-s N] [-m F] [-o OUT]" },
	.about = "Draws faces with exact keypoints, as CSV in Kaggle's layout.",
	.rows = {
		{ 'n', "rows", "N", "how many (2000)", OPTION_INT, .max = UINT32_MAX },
		{ 's', "seed", "N", "other faces for each N (42)", OPTION_INT,
			.max = INT64_MAX },
		{ 'm', "missing", "F",
			"in this share of the rows only 4 of 15 points (0)", OPTION_REAL,
			.high = 1 },
		{ 't', "test", .help = "no keypoints: the columns ImageId and Image" },
	},
};

/* Pixels as text, separated by spaces; printf would take most of the time. */
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
	struct options o;
	uint64_t seed = 42;
	uint32_t rows = 2000;
	double missing = 0;
	bool test = false;
	int key;

	options_begin(&o, &program, argc, argv);
	while ((key = options_next(&o)))
		switch (key) {
		case 'n': rows = (uint32_t)o.number; break;
		case 's': seed = (uint64_t)o.number; break;
		case 'm': missing = o.real; break;
		case 't': test = true; break;
		}
	if (o.n_operands > 0)
		misuse("no operand is expected: '%s'", o.operands[0]);
	output_begin(o.output);
	print_header(test);
	for (uint32_t row = 0; row < rows && !ferror(stdout); row++)
		print_row(seed, row, missing, test);
	return output_finish();
}
