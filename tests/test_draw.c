/* Drawing: strokes, faces with marks, maps, sheets, ticks, curves and bars. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "draw/bars.h"
#include "draw/curve.h"
#include "draw/face.h"
#include "draw/map.h"
#include "rows/filter.h"
#include "draw/sheet.h"
#include "tap.h"
#include "draw/ticks.h"

static int grey_at(const struct kf_canvas *c, int x, int y)
{
	return c->pixels[((size_t)y * (size_t)c->w + (size_t)x) * (size_t)c->depth];
}

static struct kf_canvas canvas_of(int w, int h, bool colour)
{
	struct kf_canvas c;
	struct kf_err err;

	if (kf_canvas_init(&c, w, h, colour, &err) < 0)
		abort();
	return c;
}

/* Where what is darker than white lies, weighted by how dark it is. */
static void centre_of(const struct kf_canvas *c, double *x, double *y)
{
	double sum = 0, sum_x = 0, sum_y = 0;

	for (int j = 0; j < c->h; j++)
		for (int i = 0; i < c->w; i++) {
			double dark = 255 - grey_at(c, i, j);

			sum += dark;
			sum_x += dark * i;
			sum_y += dark * j;
		}
	*x = sum_x / sum;
	*y = sum_y / sum;
}

/* -- strokes --------------------------------------------------------------------- */

static void test_strokes(void)
{
	struct kf_canvas c = canvas_of(40, 40, false);
	double x, y;

	kf_ink_line(&c, 10, 20, 30, 20, 1);
	kf_ink_dry(&c, KF_BLACK);
	ok(grey_at(&c, 20, 20) == 0 && grey_at(&c, 20, 19) == 255 &&
			grey_at(&c, 20, 21) == 255,
		"a line of width 1 fills its row alone");
	ok(grey_at(&c, 8, 20) == 255 && grey_at(&c, 32, 20) == 255,
		"a line ends where it should");
	kf_draw_box(&c, c.clip, KF_WHITE);
	kf_ink_ring(&c, 17.3, 21.6, 5, 1.5);
	kf_ink_dry(&c, KF_BLACK);
	centre_of(&c, &x, &y);
	ok(fabs(x - 17.3) < 0.02 && fabs(y - 21.6) < 0.02,
		"a ring's centre is exact between pixels (%.3f, %.3f)", x, y);
	ok(grey_at(&c, 17, 22) == 255, "a ring is hollow");
	kf_draw_box(&c, c.clip, KF_WHITE);
	kf_ink_line(&c, 10, 10, 20, 10.5, 1);
	kf_ink_line(&c, 10, 10, 20, 10.5, 1);
	kf_ink_dry(&c, kf_grey(100));
	ok(grey_at(&c, 15, 10) > 100, "ink that is laid twice is not darker");
	kf_ink_line(&c, -1e9, 5, 1e9, 5, 1);
	kf_ink_cross(&c, 1e9, -1e9, 4, 1);
	kf_ink_dry(&c, KF_BLACK);
	ok(grey_at(&c, 0, 5) == 0 && grey_at(&c, 39, 5) == 0,
		"what lies outside is cut off");
	kf_draw_box(&c, c.clip, KF_WHITE);
	kf_clip(&c, (struct kf_box){ 10, 10, 30, 30 });
	kf_ink_line(&c, 0, 20, 40, 20, 3);
	kf_ink_dry(&c, KF_BLACK);
	ok(grey_at(&c, 10, 20) == 0 && grey_at(&c, 29, 20) == 0 &&
			grey_at(&c, 9, 20) == 255 && grey_at(&c, 30, 20) == 255,
		"strokes are cut at the clip");
	kf_canvas_free(&c);
}

static void test_text(void)
{
	struct kf_canvas c = canvas_of(100, 40, false);
	char text[300];
	double x, y, width = kf_text_width(9, "HH");
	int ink[3] = { 0 };

	kf_ink_text(&c, 50, 30, 9, 1.25, KF_CENTRE, false, "HH");
	kf_ink_dry(&c, KF_BLACK);
	centre_of(&c, &x, &y);
	ok(width > 10 && width < 30, "letters have a width (%.1f)", width);
	ok(fabs(x - 50) < 1.5 && fabs(y - 25.5) < 1.5,
		"text is centred and stands on its line (%.1f, %.1f)", x, y);
	ok(kf_text_width(9, "o o") - 2 * kf_text_width(9, "o") < 9,
		"words are apart by less than a letter");
	memset(text, 'W', sizeof text);
	text[sizeof text - 1] = '\0';
	text[3] = '\303';
	text[4] = '\n';
	kf_draw_box(&c, c.clip, KF_WHITE);
	kf_ink_text(&c, 0, 30, 9, 1.25, KF_LEFT, true, "");
	kf_ink_text(&c, 0, 30, 9, 1.25, KF_LEFT, false, text);
	kf_ink_dry(&c, KF_BLACK);
	/* above the letters, where they are, below */
	for (int j = 0; j < c.h; j++)
		for (int i = 0; i < c.w; i++)
			ink[j < 19 ? 0 : j < 33 ? 1 : 2] += grey_at(&c, i, j) < 255;
	ok(ink[1] > 300 && ink[0] == 0 && ink[2] == 0,
		"long, empty and foreign text stays on its line (%d, %d, %d)", ink[0],
		ink[1], ink[2]);
	kf_canvas_free(&c);
}

static void test_limits(void)
{
	struct kf_canvas c;
	struct kf_sheet s;
	struct kf_err err;

	ok(kf_canvas_init(&c, 100000, 100000, true, &err) < 0 &&
			strstr(err.msg, "too large"),
		"a huge canvas is refused");
	ok(kf_canvas_init(&c, 0, 5, true, &err) < 0, "so is an empty one");
	ok(kf_sheet_begin(&s, &(struct kf_outlet){ stdout, "-", false }, 10000, 10000,
		   1638400, 1638400, true, KF_WHITE, &err) < 0 &&
			strstr(err.msg, "too large"),
		"and a huge sheet");
}

/* -- faces ----------------------------------------------------------------------- */

#define SIDE 48

/* One row of an even grey with a truth and a prediction of the same name in
 * columns of another order, and a point without truth. */
struct one {
	struct kf_schema schema;
	struct kf_chunk chunk;
	struct kf_face face;
};

static struct one one_of(int level, int zoom)
{
	struct one o = { .schema = { .dtype = KF_U8, .c = 1, .h = SIDE, .w = SIDE } };
	struct kf_err err;

	kf_names_split(&o.schema.columns, "nose_x,nose_y,chin_x,chin_y", &err);
	kf_names_split(&o.schema.p_columns, "nose_y,alone_x,nose_x", &err);
	if (kf_chunk_reserve(&o.chunk, &o.schema, 1, &err) < 0)
		abort();
	o.chunk.n = 1;
	o.chunk.id[0] = 7;
	o.chunk.y[0] = 10;
	o.chunk.y[1] = 12.25;
	o.chunk.y[2] = NAN;
	o.chunk.y[3] = 40;
	o.chunk.p[0] = 36;
	o.chunk.p[1] = 5;
	o.chunk.p[2] = 30.5;
	memset(o.chunk.X, level, SIDE * SIDE);
	kf_face_init(&o.face, &o.schema, zoom, false, &err);
	return o;
}

static void free_one(struct one *o)
{
	kf_face_free(&o->face);
	kf_chunk_free(&o->chunk);
	kf_schema_free(&o->schema);
}

static struct kf_canvas draw_one(struct one *o, bool colour)
{
	struct kf_canvas c =
		canvas_of(SIDE * o->face.zoom, SIDE * o->face.zoom, colour);

	o->face.schema = &o->schema;
	kf_draw_face(&c, 0, 0, &o->face, &o->chunk, 0);
	return c;
}

/* The lightest and the darkest pixel near (x, y). */
static void range_near(const struct kf_canvas *c, int x, int y, int *least, int *most)
{
	*least = 255;
	*most = 0;
	for (int j = y - 8; j <= y + 8; j++)
		for (int i = x - 8; i <= x + 8; i++) {
			int v = grey_at(c, i, j);

			*least = v < *least ? v : *least;
			*most = v > *most ? v : *most;
		}
}

static void test_marks(int level)
{
	struct one o = one_of(level, 4);
	struct kf_canvas c = draw_one(&o, false);
	/* Source v has its centre at 4 v + 1.5. */
	int truth_x = 42, truth_y = 51, found_x = 124, found_y = 146, least, most;

	range_near(&c, truth_x, truth_y, &least, &most);
	ok(least < 60 && most > 195, "level %d: the truth shows (%d to %d)", level,
		least, most);
	ok(grey_at(&c, truth_x, truth_y) == level, "level %d: it is hollow", level);
	range_near(&c, found_x, found_y, &least, &most);
	ok(least < 60 && most > 195, "level %d: the prediction shows (%d to %d)", level,
		least, most);
	ok(grey_at(&c, found_x, found_y) > 195, "level %d: it is a cross", level);
	ok(grey_at(&c, 20, 161) == level && grey_at(&c, 21, 51) == level,
		"level %d: no mark for what is missing or alone", level);
	kf_canvas_free(&c);
	free_one(&o);
}

static void test_links(void)
{
	struct one o = one_of(128, 4);
	struct kf_canvas without = draw_one(&o, true), with;
	/* half way between the truth at (41.5, 50.5) and the prediction at (123.5, 145.5) */
	const unsigned char *p;

	p = without.pixels + (98 * without.w + 82) * 3;
	ok(p[0] == 128, "nothing is between the truth and what was predicted");
	o.face.links = true;
	with = draw_one(&o, true);
	p = with.pixels + (98 * with.w + 82) * 3;
	ok(p[0] > p[1] + 60, "with links, there is a line (%d %d)", p[0], p[1]);
	ok(grey_at(&with, 42, 51) == 128, "... which does not fill the ring");
	o.chunk.y[0] = NAN;
	kf_canvas_free(&with);
	with = draw_one(&o, true);
	ok(grey_at(&with, 82, 98) == 128, "... and none where the truth is missing");
	kf_canvas_free(&with);
	kf_canvas_free(&without);
	free_one(&o);
}

static void test_alone(void)
{
	struct one o = one_of(0, 1);

	ok(o.face.truth.n == 2 && !o.face.truth.alone, "two true points");
	ok(o.face.predicted.n == 1 && o.face.predicted.alone &&
			!strcmp(o.face.predicted.alone, "alone_x"),
		"one predicted point and a column alone");
	free_one(&o);
}

static void test_scaled(void)
{
	struct one raw = one_of(77, 3), scaled = one_of(77, 3);
	struct kf_schema in = scaled.schema;
	struct kf_chunk to = { 0 };
	struct kf_canvas a, b;
	struct kf_err err;

	if (kf_scale_schema(&in, false, &scaled.schema, &err) < 0 ||
		kf_scale_rows(&in, &scaled.chunk, &scaled.schema, &to, &err) < 0)
		abort();
	kf_chunk_free(&scaled.chunk);
	scaled.chunk = to;
	a = draw_one(&raw, false);
	b = draw_one(&scaled, false);
	ok(!memcmp(a.pixels, b.pixels, (size_t)a.w * (size_t)a.h),
		"a scaled row looks the same");
	kf_canvas_free(&a);
	kf_canvas_free(&b);
	free_one(&raw);
	free_one(&scaled);
	kf_schema_free(&in);
}

static void test_colour(void)
{
	struct one o = one_of(128, 4);
	struct kf_canvas c;
	const unsigned char *truth, *found;

	o.chunk.y[0] = 10.125; /* its ring then meets pixels' centres */
	o.chunk.y[1] = 12.375;
	c = draw_one(&o, true);
	found = c.pixels + (146 * c.w + 124) * 3;
	truth = c.pixels;
	for (const unsigned char *p = truth + (51 * c.w + 42) * 3, *end = p + 10 * 3;
		p < end; p += 3)
		if (p[1] > truth[1] && p[1] > p[0])
			truth = p;
	ok(found[0] > 200 && found[1] < 140 && found[2] < 140, "predictions are red");
	ok(truth[1] > 180 && truth[0] < 120, "the truth is green (%d %d %d)", truth[0],
		truth[1], truth[2]);
	ok(c.pixels[0] == 128 && c.pixels[1] == 128 && c.pixels[2] == 128,
		"images stay grey");
	kf_canvas_free(&c);
	free_one(&o);
}

static bool same_pixels(const struct kf_canvas *a, const struct kf_canvas *b)
{
	return !memcmp(a->pixels, b->pixels,
		(size_t)a->w * (size_t)a->h * (size_t)a->depth);
}

/* Marks at and beyond the edges against a picture without them. */
static void test_anywhere(void)
{
	static const struct {
		float place;
		bool seen;
	} cases[] = { { -1e38f, false }, { -30, false }, { -0.5f, true }, { 0, true },
		{ 47.9f, true }, { 80, false }, { 1e38f, false }, { INFINITY, false } };
	struct one o = one_of(128, 2);
	struct kf_canvas plain, c;

	o.face.ids = true;
	o.chunk.id[0] = INT64_MIN;
	o.chunk.y[0] = o.chunk.p[0] = NAN;
	plain = draw_one(&o, true);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		o.chunk.y[0] = o.chunk.p[0] = cases[i].place;
		c = draw_one(&o, true);
		ok(same_pixels(&c, &plain) != cases[i].seen, "marks at %g are %s",
			cases[i].place, cases[i].seen ? "seen" : "not seen");
		kf_canvas_free(&c);
	}
	kf_canvas_free(&plain);
	free_one(&o);
}

/* -- ticks ----------------------------------------------------------------------- */

static void test_ticks(void)
{
	static const struct {
		double v;
		const char *text;
	} printed[] = { { 0.001, "0.001" }, { 0.0025, "0.0025" }, { 0.1, "0.1" },
		{ 1, "1" }, { 1.5, "1.5" }, { 12, "12" }, { 7000, "7000" },
		{ 3e-7, "3e-7" }, { 9.999999999e-8, "1e-7" }, { 1.5e9, "1.5e9" } };
	double tick[KF_TICKS_MAX];
	char text[32];
	bool apart = true;
	int n;

	for (size_t i = 0; i < sizeof printed / sizeof *printed; i++) {
		kf_print_tick(text, sizeof text, printed[i].v);
		ok(!strcmp(text, printed[i].text), "%g is written %s (%s)",
			printed[i].v, printed[i].text, text);
	}
	n = kf_log_ticks(1e-3, 1e-2, 500, 26, tick);
	ok(n > 4 && fabs(tick[0] - 1e-3) < 1e-9 && fabs(tick[n - 1] - 1e-2) < 1e-9,
		"ticks reach both ends (%d)", n);
	for (int i = 1; i < n; i++)
		apart = apart && 500 * log10(tick[i] / tick[i - 1]) >= 26;
	ok(apart, "they are far enough apart");
	n = kf_log_ticks(1e-30, 1e30, 200, 26, tick);
	ok(n > 1 && n < 9, "many decades have few ticks (%d)", n);
	n = kf_log_ticks(0.51, 0.56, 500, 26, tick);
	ok(n == 6, "a short axis has ticks of two digits (%d)", n);
	ok(fabs(kf_round_out(0.112, false) - 0.11) < 1e-9 &&
			fabs(kf_round_out(0.127, true) - 0.13) < 1e-9 &&
			fabs(kf_round_out(1000, false) - 900) < 1e-6 &&
			fabs(kf_round_out(1000, true) - 1100) < 1e-6 &&
			fabs(kf_round_out(0.095, true) - 0.1) < 1e-9,
		"ends of an axis are round numbers beyond");
	ok(kf_linear_step(400, 8) == 50 && kf_linear_step(3, 8) == 1 &&
			kf_linear_step(10000, 8) == 2000,
		"steps are round");
}

/* -- curves ---------------------------------------------------------------------- */

static void test_curves(void)
{
	float down[] = { 1, 0.1f, 0.01f, 0.001f }, none[] = { NAN, NAN, NAN, NAN };
	struct kf_curve curve = { .name = "net",
		.epochs = 4,
		.train = none,
		.valid = down,
		.pixels = 48,
		.targets = 1 };
	struct kf_canvas c = canvas_of(800, 600, false);
	struct kf_err err;
	int y = -1;

	ok(kf_draw_curves(&c, &curve, 1,
		   &(struct kf_curve_view){ .low = 1e-4, .high = 1 }, &err) == 0,
		"a curve is drawn");
	/* The plot is 84 to 723 by 20 to 541; epoch 2 of 4 is half across, a
	 * loss of 0.1 a quarter down. */
	for (int j = 40; j < 541; j++)
		if (y < 0 && grey_at(&c, 408, j) < 100)
			y = j;
	ok(abs(y - (20 + 521 / 4)) <= 3, "epoch and loss are in their place (%d)", y);
	kf_canvas_free(&c);
	c = canvas_of(400, 300, true);
	curve.valid = none;
	ok(kf_draw_curves(&c, &curve, 1, &(struct kf_curve_view){ 0 }, &err) < 0 &&
			strstr(err.msg, "no loss"),
		"a curve without numbers is refused");
	kf_canvas_free(&c);
}

/* How many pixels between two columns have this colour. */
static int count(const struct kf_canvas *c, struct kf_colour colour, int left,
	int right)
{
	int n = 0;

	for (int y = 0; y < c->h; y++)
		for (int x = left; x < right; x++) {
			const unsigned char *p =
				c->pixels + ((size_t)y * (size_t)c->w + (size_t)x) * 3;

			n += p[0] == colour.r && p[1] == colour.g && p[2] == colour.b;
		}
	return n;
}

/* Where the frame of the legend is, the only lines of that grey: the middle, in 100ths of
 * the canvas. */
static void legend_at(const struct kf_canvas *c, int *x, int *y)
{
	long long sum_x = 0, sum_y = 0, n = 0;

	for (int j = 0; j < c->h; j++)
		for (int i = 0; i < c->w; i++)
			if (grey_at(c, i, j) == 200 &&
				count(c, kf_grey(200), i, i + 1) > 30) {
				sum_x += i;
				sum_y += j;
				n++;
			}
	*x = n ? (int)(100 * sum_x / n / c->w) : -1;
	*y = n ? (int)(100 * sum_y / n / c->h) : -1;
}

static void test_legend(void)
{
	float fall[60], rise[60], jump[60], *losses[] = { fall, rise, jump };
	static const struct {
		int first, second; /* curves: 0 fall, 1 rise, 2 jump */
		bool right, top, outside;
	} cases[] = { { 0, 0, true, true, false }, { 1, 1, false, true, false },
		{ 0, 1, true, true, true }, { 2, 2, true, true, true } };

	for (int i = 0; i < 60; i++) {
		fall[i] = powf(10, -(float)i / 20);
		rise[i] = powf(10, -(float)(59 - i) / 20);
		jump[i] = i % 2 ? 1 : 0.001f;
	}
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct kf_curve curves[] = {
			{ .name = "a", .epochs = 60, .valid = losses[cases[i].first] },
			{ .name = "b", .epochs = 60, .valid = losses[cases[i].second] }
		};
		struct kf_canvas c = canvas_of(400, 300, true);
		struct kf_err err;
		int x, y, edge = -1;

		ok(kf_draw_curves(&c, curves, 2, &(struct kf_curve_view){ 0 }, &err) ==
				0,
			"two curves are drawn");
		legend_at(&c, &x, &y);
		for (int k = 0; k < c.w; k++)
			if (count(&c, kf_grey(90), k, k + 1) > 200)
				edge = k;
		ok((x > 50) == cases[i].right && (y < 50) == cases[i].top,
			"case %zu: the legend is where it should be (%d, %d)", i, x, y);
		ok((edge < 300) == cases[i].outside,
			"case %zu: the plot makes room for it if it must (%d)", i,
			edge);
		kf_canvas_free(&c);
	}
}

static void test_one_epoch(void)
{
	float loss[] = { 0.1f };
	struct kf_curve curve = { .name = "a", .epochs = 1, .valid = loss };
	struct kf_canvas c = canvas_of(800, 600, true);
	struct kf_colour blue = { 0, 114, 178 };
	struct kf_err err;

	ok(kf_draw_curves(&c, &curve, 1, &(struct kf_curve_view){ 0 }, &err) == 0,
		"a curve of one epoch is drawn");
	/* the plot is 84 to 723: epoch 1 of 2 is in its middle */
	ok(count(&c, blue, 400, 408) > 30, "its point is seen (%d)",
		count(&c, blue, 400, 408));
	kf_canvas_free(&c);
}

static void test_mean(void)
{
	float a[] = { 4, 2, 1 }, b[] = { 1, NAN, 0.5f, 9 }, mean[4];
	struct kf_curve curves[] = {
		{ .name = "a", .epochs = 3, .valid = a, .targets = 3 },
		{ .name = "b", .epochs = 4, .valid = b, .targets = 1 },
		{ .name = "mean", .valid = mean, .mean = true },
	};
	struct kf_canvas c = canvas_of(400, 300, true);
	struct kf_err err;

	curves[2].epochs = kf_curves_mean(curves, 2, mean);
	ok(curves[2].epochs == 3, "a mean is as long as the shortest curve");
	ok(fabs(mean[0] - 13 / 4.0) < 1e-6 && fabs(mean[2] - 3.5 / 4) < 1e-6,
		"it is that of all targets (%g, %g)", mean[0], mean[2]);
	ok(isnan(mean[1]), "and none where a curve has none");
	ok(kf_draw_curves(&c, curves, 3, &(struct kf_curve_view){ 0 }, &err) == 0,
		"curves without training are drawn");
	kf_canvas_free(&c);
}

/* -- bars ------------------------------------------------------------------------ */

static bool blue_at(const struct kf_canvas *c, int x, int y)
{
	const unsigned char *p = c->pixels + ((size_t)y * (size_t)c->w + (size_t)x) * 3;

	return p[2] > p[0] + 50;
}

/* The columns of a row of the canvas that are blue. */
static int blue_run(const struct kf_canvas *c, int y)
{
	int n = 0;

	for (int x = 0; x < c->w; x++)
		n += blue_at(c, x, y);
	return n;
}

static int blue_total(const struct kf_canvas *c)
{
	int n = 0;

	for (int y = 0; y < c->h; y++)
		n += blue_run(c, y);
	return n;
}

static void test_bars(void)
{
	struct kf_bar bars[] = { { "nose", 4 },
		{ "a_name_of_more_than_32_letters_in_all", 1 }, { "eye", NAN },
		{ "chin", 0 } },
		      whole = { "overall", 3 };
	struct kf_canvas c = canvas_of(640, kf_bars_height(4), true);
	int first, second;

	kf_draw_bars(&c, bars, 4, whole);
	/* Bars are 26 pixels apart, the first one's middle 13 below 20. */
	first = blue_run(&c, 37);
	second = blue_run(&c, 63);
	ok(first > 200 && abs(first - 4 * second) <= 8,
		"bars are as long as their values (%d, %d)", first, second);
	ok(blue_run(&c, 46) == 0, "there is a gap between them");
	ok(count(&c, (struct kf_colour){ 213, 94, 0 }, 590, 640) == 0 &&
			count(&c, kf_grey(40), 590, 640) > 20,
		"no line goes through the numbers");
	ok(blue_run(&c, 89) == 0 && blue_run(&c, 115) == 0,
		"no value and 0 have no bar");
	kf_draw_box(&c, c.clip, KF_WHITE);
	bars[0].value = 1;
	kf_draw_bars(&c, bars, 4, (struct kf_bar){ "overall", 4 });
	ok(abs(first - 4 * blue_run(&c, 37)) <= 8,
		"the whole's bar counts where it is the longest (%d)",
		blue_run(&c, 37));
	kf_canvas_free(&c);

	for (int i = 0; i < 4; i++)
		bars[i].value = i % 2 ? 1e-30 : 1e30;
	c = canvas_of(KF_BARS_MIN_W, kf_bars_least_height(4), true);
	kf_draw_bars(&c, bars, 4, whole);
	/* 14 pixels from bar to bar */
	ok(blue_run(&c, 27) > 50 && blue_run(&c, 55) == blue_run(&c, 27),
		"bars of 1e30 are drawn (%d, %d)", blue_run(&c, 27), blue_run(&c, 55));
	ok(blue_run(&c, 41) <= 1 && blue_run(&c, 69) <= 1,
		"those of 1e-30 beside them are no wider than a line");
	kf_draw_box(&c, c.clip, KF_WHITE);
	whole.value = bars[1].value = 0;
	kf_draw_bars(&c, &bars[1], 1, whole);
	kf_draw_bars(&c, bars, 0, whole);
	ok(blue_total(&c) == 0, "no bars where all is 0, or where there are none");
	kf_canvas_free(&c);
}

/* -- maps -------------------------------------------------------------------------- */

static bool is_colour(const struct kf_canvas *c, int x, int y, int r, int g, int b)
{
	const unsigned char *p = c->pixels + 3 * (y * c->w + x);

	return p[0] == r && p[1] == g && p[2] == b;
}

static void test_maps(void)
{
	const struct kf_schema s = { .map = { 2, 2, 3 } },
			       units = { .map = { 2, 1, 1 } };
	float v[] = { 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, /* another row */
		-2, 0, 2, NAN, INFINITY, 1, 7, 7, 7, 7, 7, 7 };
	struct kf_chunk c = { .n = 2, .map = v };
	struct kf_range r = kf_map_range(&s, &c, 1, 0);
	struct kf_canvas canvas = canvas_of(12, 12, false);
	const struct kf_box box = { 2, 3, 8, 9 };

	ok(r.low == -2 && r.high == 2, "the range of a channel of a row");
	kf_draw_map(&canvas, box, &s, &c, 1, 0, r, false);
	ok(grey_at(&canvas, 2, 3) == 0 && grey_at(&canvas, 3, 5) == 0 &&
			grey_at(&canvas, 4, 3) == 128 &&
			grey_at(&canvas, 7, 5) == 255 && grey_at(&canvas, 7, 6) == 191,
		"from black to white, as large as the box");
	ok(grey_at(&canvas, 2, 6) == 0 && grey_at(&canvas, 5, 8) == 0,
		"what is no finite number is black");
	ok(grey_at(&canvas, 1, 3) == 255 && grey_at(&canvas, 8, 8) == 255 &&
			grey_at(&canvas, 7, 2) == 255 && grey_at(&canvas, 2, 9) == 255,
		"nothing is drawn beside it");
	r = kf_map_range(&s, &c, 1, 1);
	kf_draw_map(&canvas, box, &s, &c, 1, 1, r, false);
	ok(r.low == 7 && r.high == 7 && grey_at(&canvas, 4, 4) == 0,
		"what is the same everywhere is black");
	r = kf_map_range(&units, &c, 6, 1);
	ok(r.low == -2 && r.high == 0, "single values share a range");
	v[14] = v[15] = NAN;
	r = kf_map_range(&units, &c, 7, 0);
	ok(r.low == 0 && r.high == 0, "no value has none");
	kf_canvas_free(&canvas);
}

static void test_map_colours(void)
{
	const struct kf_schema s = { .map = { 1, 1, 4 } };
	float v[] = { 0, 8, 16, 1 };
	struct kf_chunk c = { .n = 1, .map = v };
	struct kf_range r = kf_map_range(&s, &c, 0, 0);
	struct kf_canvas canvas = canvas_of(8, 2, true);

	kf_draw_map(&canvas, canvas.clip, &s, &c, 0, 0, r, false);
	ok(is_colour(&canvas, 0, 0, 0x44, 0x01, 0x54) &&
			is_colour(&canvas, 3, 1, 0x21, 0x90, 0x8c) &&
			is_colour(&canvas, 4, 0, 0xfd, 0xe7, 0x25),
		"colours from violet to yellow");
	ok(is_colour(&canvas, 7, 0, 0x46, 0x17, 0x68), "... and in between");
	kf_draw_box(&canvas, canvas.clip, KF_BLACK);
	kf_draw_map(&canvas, canvas.clip, &s, &c, 0, 0, r, true);
	ok(is_colour(&canvas, 0, 0, 0x22, 0x01, 0x2a) &&
			is_colour(&canvas, 4, 0, 0x7f, 0x74, 0x13),
		"... mixed with what is there");
	kf_canvas_free(&canvas);
}

int main(void)
{
	test_strokes();
	test_text();
	test_limits();
	test_marks(0);
	test_marks(128);
	test_marks(255);
	test_links();
	test_alone();
	test_scaled();
	test_colour();
	test_anywhere();
	test_maps();
	test_map_colours();
	test_ticks();
	test_curves();
	test_legend();
	test_one_epoch();
	test_mean();
	test_bars();
	return done_testing();
}
