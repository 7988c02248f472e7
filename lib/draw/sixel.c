/*
 * Sixels.  A picture goes out in bands of six rows; in a band each colour in turn, from
 * left to right, a byte for each column, whose bits are the rows that have the colour.
 */
#include "draw/sixel.h"

#include <stdbool.h>
#include <stdlib.h>

#define BAND 6 /* rows */
#define LEVELS 6
#define CUBE (LEVELS * LEVELS * LEVELS) /* colours, of six levels each */
#define GREYS 40                        /* behind them */
#define COLOURS (CUBE + GREYS)

/* The colour that comes closest to a pixel's. */
static int nearest(const unsigned char *p, int depth)
{
	int r = p[0], g = p[depth / 2], b = p[depth - 1];

	if (r == g && g == b)
		return CUBE + (r * (GREYS - 1) + 127) / 255;
	r = (r * (LEVELS - 1) + 127) / 255;
	g = (g * (LEVELS - 1) + 127) / 255;
	b = (b * (LEVELS - 1) + 127) / 255;
	return (r * LEVELS + g) * LEVELS + b;
}

/* Levels are in hundredths. */
static void write_palette(FILE *f)
{
	const int most = LEVELS - 1;

	for (int i = 0; i < CUBE; i++)
		fprintf(f, "#%d;2;%d;%d;%d", i, i / LEVELS / LEVELS * 100 / most,
			i / LEVELS % LEVELS * 100 / most, i % LEVELS * 100 / most);
	for (int i = 0; i < GREYS; i++) {
		int v = i * 100 / (GREYS - 1);

		fprintf(f, "#%d;2;%d;%d;%d", CUBE + i, v, v, v);
	}
}

/* One colour of a band; runs of the same byte are told by their length. */
static void write_colour(FILE *f, const unsigned char *colour /* (rows, w) */, int rows,
	int w, int which)
{
	int run = 0, before = -1;

	fprintf(f, "#%d", which);
	for (int x = 0; x <= w; x++) {
		int bits = 0;

		for (int y = 0; x < w && y < rows; y++)
			bits |= (colour[y * w + x] == which) << y;
		if (run > 0 && (x == w || bits != before)) {
			if (run > 3)
				fprintf(f, "!%d%c", run, '?' + before);
			for (; run > 0 && run <= 3; run--)
				fputc('?' + before, f);
			run = 0;
		}
		before = bits;
		run++;
	}
	fputc('$', f); /* back to the left */
}

static void write_band(FILE *f, const unsigned char *colour, int rows, int w)
{
	bool used[COLOURS] = { false };

	for (int i = 0; i < rows * w; i++)
		used[colour[i]] = true;
	for (int i = 0; i < COLOURS; i++)
		if (used[i])
			write_colour(f, colour, rows, w, i);
	fputc('-', f); /* to the next band */
}

/* Reads a band and writes it; row and colour are memory for (6, w) of each. */
static int convert(FILE *picture, FILE *f, int depth, int w, int rows,
	unsigned char *row, unsigned char *colour)
{
	size_t pixels = (size_t)rows * (size_t)w;

	if (fread(row, (size_t)depth, pixels, picture) != pixels)
		return -1;
	for (size_t i = 0; i < pixels; i++)
		colour[i] = (unsigned char)nearest(row + i * (size_t)depth, depth);
	write_band(f, colour, rows, w);
	return 0;
}

int kf_sixel_write(FILE *picture, const char *from, FILE *f, const char *to,
	struct kf_err *err)
{
	unsigned char *row = NULL, *colour = NULL;
	int kind, w, h, depth, rc = 0;

	rewind(picture);
	if (fscanf(picture, "P%d %d %d 255", &kind, &w, &h) != 3 || kind < 5 ||
		kind > 6 || w < 1 || h < 1 || fgetc(picture) != '\n')
		return kf_fail(err, "'%s' holds no picture", from);
	depth = kind == 6 ? 3 : 1;
	row = malloc((size_t)w * BAND * (size_t)depth);
	colour = malloc((size_t)w * BAND);
	if (!row || !colour)
		rc = kf_fail_memory(err);
	if (rc == 0)
		fprintf(f, "\033Pq\"1;1;%d;%d", w, h);
	if (rc == 0)
		write_palette(f);
	for (int y = 0; y < h && rc == 0; y += BAND)
		if (convert(picture, f, depth, w, h - y < BAND ? h - y : BAND, row,
			    colour) < 0)
			rc = kf_fail(err, "cannot read '%s'", from);
	free(row);
	free(colour);
	if (rc < 0)
		return -1;
	fputs("\033\\\n", f);
	return fflush(f) || ferror(f) ? kf_fail_errno(err, "cannot write '%s'", to) : 0;
}
