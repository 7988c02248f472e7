/* Augmentation: the picture and its keypoints move alike. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "train/augment.h"
#include "no_leak_check.h"
#include "tap.h"

#define SIDE 64
#define ROWS 40

static struct kf_backend *b;

static struct kf_schema make_schema(const char *columns)
{
	struct kf_schema s = { .dtype = KF_F32,
		.c = 1,
		.h = SIDE,
		.w = SIDE,
		.x_scale = { 0, 255 },
		.y_scale = { { 32, 32 }, { 32, 32 } } };
	struct kf_err err;

	if (kf_names_split(&s.columns, columns, &err) < 0)
		abort();
	return s;
}

/* A soft dot on black. */
static void draw_dot(float *image, double x, double y)
{
	for (int r = 0; r < SIDE; r++)
		for (int c = 0; c < SIDE; c++) {
			double d = (c - x) * (c - x) + (r - y) * (r - y);

			image[r * SIDE + c] = (float)exp(-d / 8);
		}
}

/* The middle of what is bright. */
static void find_dot(const float *image, double *x, double *y)
{
	double sum = 0;

	*x = *y = 0;
	for (int i = 0; i < SIDE * SIDE; i++) {
		sum += image[i];
		*x += image[i] * (i % SIDE);
		*y += image[i] * (i / SIDE);
	}
	*x /= sum;
	*y /= sum;
}

/* Dots where the targets say, augmented; each must be where they say now. */
static void test_dots(const char *how)
{
	struct kf_schema s = make_schema("nose_x,nose_y");
	static float X[ROWS * SIDE * SIDE], out[ROWS * SIDE * SIDE];
	float y[ROWS * 2], moved[ROWS * 2];
	double worst = 0, change = 0;
	uint32_t rows[ROWS];
	struct kf_warp warps[ROWS];
	struct kf_augment a;
	struct kf_augmenter g;
	struct kf_err err;
	struct kf_mem *data;
	struct kf_act *batch = b->op->input(b, ROWS, (const int[]){ 1, SIDE, SIDE });

	for (uint32_t i = 0; i < ROWS; i++) {
		double px = 20 + i * 7 % 25, py = 20 + i * 11 % 25;

		rows[i] = ROWS - 1 - i;
		draw_dot(X + i * SIDE * SIDE, px, py);
		y[2 * i] = (float)((px - 32) / 32);
		y[2 * i + 1] = (float)((py - 32) / 32);
	}
	data = b->op->alloc(b, ROWS * SIDE * SIDE);
	b->op->write(b, data, 0, X, ROWS * SIDE * SIDE);
	ok(kf_augment_parse(&a, how, &err) == 0 &&
			kf_augmenter_open(&g, &a, &s, &err) == 0,
		"%s", how);
	kf_augment_batch(&g, 1, 2, y, rows, ROWS, warps, moved);
	b->op->take(b, batch, data, rows, warps);
	b->op->read_act(b, batch, out);
	for (int i = 0; i < ROWS; i++) {
		double x, v;

		find_dot(out + i * SIDE * SIDE, &x, &v);
		worst = fmax(worst,
			hypot(x - moved[2 * i] * 32 - 32,
				v - moved[2 * i + 1] * 32 - 32));
		change = fmax(change,
			hypot(moved[2 * i] - y[2 * rows[i]],
				moved[2 * i + 1] - y[2 * rows[i] + 1]) *
				32);
	}
	/* the dot's tail may be cut at an edge */
	ok(worst < 0.1 && change > 0.5,
		"dots lie within %.3f pixels of their targets, "
		"up to %.1f away from where they were",
		worst, change);
	kf_augmenter_close(&g);
	kf_schema_free(&s);
	b->op->free_act(b, batch);
	b->op->free(b, data);
}

static void test_flip(void)
{
	struct kf_schema s =
		make_schema("left_eye_x,left_eye_y,right_eye_x,right_eye_y,"
			    "mouth_left_corner_x,mouth_right_corner_x,nose_x");
	float X[4 * SIDE * SIDE], out[4 * SIDE * SIDE], moved[5 * 7];
	float y[4 * 7];
	uint32_t rows[5] = { 0, 1, 2, 3, 0 };
	struct kf_augment a = { .flip = true };
	struct kf_augmenter g;
	struct kf_warp warps[5];
	struct kf_err err;
	struct kf_mem *data = b->op->alloc(b, 4 * SIDE * SIDE);
	struct kf_act *batch = b->op->input(b, 4, (const int[]){ 1, SIDE, SIDE });
	int flipped = 0;
	bool pixels = true, values = true;

	for (int i = 0; i < 4 * SIDE * SIDE; i++)
		X[i] = (float)(i * 37 % 256) / 255;
	for (int i = 0; i < 4 * 7; i++)
		y[i] = i == 2 ? NAN : (float)(i * 5 % 13) / 13 - 0.5f;
	b->op->write(b, data, 0, X, 4 * SIDE * SIDE);
	ok(kf_augmenter_open(&g, &a, &s, &err) == 0, "both sides are there");
	kf_augment_batch(&g, 3, 9, y, rows, 4, warps, moved);
	b->op->take(b, batch, data, rows, warps);
	b->op->read_act(b, batch, out);
	for (int i = 0; i < 4; i++) {
		bool flip = warps[i].m[0] < 0;
		/* the mirror image of x is SIDE - 1 - x */
		static const int from[] = { 2, 3, 0, 1, 5, 4, 6 };

		flipped += flip;
		for (int j = 0; j < SIDE * SIDE; j++)
			pixels &= out[i * SIDE * SIDE + j] ==
				X[i * SIDE * SIDE +
					(flip ? j / SIDE * SIDE + SIDE - 1 - j % SIDE :
						j)];
		for (int j = 0; j < 7; j++) {
			float was = y[i * 7 + (flip ? from[j] : j)],
			      now = moved[i * 7 + j];
			double want = flip && kf_axis(s.columns.name[j]) == 0 ?
				(SIDE - 1 - (was * 32. + 32) - 32) / 32 :
				was;

			values &= isnan(want) ? isnan(now) : fabs(now - want) < 1e-6;
		}
	}
	ok(flipped == 2, "half the rows are flipped");
	ok(pixels, "pixels are mirrored exactly");
	ok(values, "sides change places, missing values stay missing");
	kf_augment_batch(&g, 3, 9, y, rows, 5, warps, moved);
	flipped = 0;
	for (int i = 0; i < 5; i++)
		flipped += warps[i].m[0] < 0;
	ok(flipped == 2, "of five rows two are flipped");
	kf_augmenter_close(&g);
	kf_schema_free(&s);
	b->op->free_act(b, batch);
	b->op->free(b, data);
}

/* From -1 to 1, by the documented counter: number `which` of a row's eight. */
static double drawn(uint64_t seed, uint32_t step, int row, int which)
{
	return 2 *
		kf_rng_uniform(seed, KF_RNG_AUGMENT, 0, step,
			(uint64_t)row * 8 + (uint64_t)which) -
		1;
}

/*
 * A seed means the same changes for ever: 0 turns from x to y, 1 enlarges, 2 and
 * 3 shift along x and y, 4 is the contrast.  For a point (dx, dy) off the middle.
 */
static void test_numbers(void)
{
	struct kf_schema s = make_schema("nose_x,nose_y");
	const double pi = acos(-1), dx = 8, dy = -4, middle = (SIDE - 1) / 2.0;
	float y[] = { (float)((middle + dx - 32) / 32),
		(float)((middle + dy - 32) / 32) };
	uint32_t rows[ROWS] = { 0 };
	struct kf_warp warps[ROWS];
	float moved[ROWS * 2];
	struct kf_augmenter g;
	struct kf_augment a;
	struct kf_err err;
	double worst = 0, contrast = 0;

	ok(kf_augment_parse(&a, "shift:6,rotate:20,scale:.2,contrast:.3", &err) == 0 &&
			kf_augmenter_open(&g, &a, &s, &err) == 0,
		"all amounts");
	kf_augment_batch(&g, 5, 3, y, rows, ROWS, warps, moved);
	for (int i = 0; i < ROWS; i++) {
		double angle = drawn(5, 3, i, 0) * 20 * pi / 180;
		double size = 1 + drawn(5, 3, i, 1) * 0.2;
		double px = middle + size * (cos(angle) * dx - sin(angle) * dy) +
			drawn(5, 3, i, 2) * 6;
		double py = middle + size * (sin(angle) * dx + cos(angle) * dy) +
			drawn(5, 3, i, 3) * 6;

		worst = fmax(worst,
			hypot(moved[2 * i] * 32 + 32 - px,
				moved[2 * i + 1] * 32 + 32 - py));
		contrast = fmax(contrast,
			fabs(warps[i].contrast - 1 - drawn(5, 3, i, 4) * 0.3));
	}
	ok(worst < 1e-4, "points go where the row's numbers send them (%.2g)", worst);
	ok(contrast < 1e-6, "contrasts are those drawn (%.2g)", contrast);
	kf_augmenter_close(&g);
	kf_schema_free(&s);
}

static void test_print(void)
{
	static const char *const texts[] = { "", "flip", "shift:2,contrast:1",
		"flip,shift:0.123456789,rotate:10,scale:0.1,contrast:0.2" };
	struct kf_augment a = { 0 };
	struct kf_err err;
	char text[200];

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (*texts[i] && kf_augment_parse(&a, texts[i], &err) < 0)
			note("%s", err.msg);
		kf_augment_print(&a, text, sizeof text);
		ok(!strcmp(text, texts[i]), "'%s' is printed as it was", texts[i]);
	}
}

static void test_refusals(void)
{
	static const struct {
		const char *columns, *how, *part;
	} bad[] = {
		{ "left_eye_x,left_eye_y", "flip",
			"lacks its other side, 'right_eye_x'" },
		{ "nose_x", "rotate:5", "lacks its other coordinate, 'nose_y'" },
	};
	static const char *const words[] = { "", "flipp", "shift", "shift:", "shift:x",
		"shift:-1", "scale:2", "rotate:181", "contrast:1.5", "flip,,shift:1",
		"shift:nan" };
	struct kf_augment a;
	struct kf_err err;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct kf_schema s = make_schema(bad[i].columns);
		struct kf_augmenter g;

		ok(kf_augment_parse(&a, bad[i].how, &err) == 0 &&
				kf_augmenter_open(&g, &a, &s, &err) < 0 &&
				strstr(err.msg, bad[i].part),
			"%s with %s", bad[i].how, bad[i].columns);
		kf_augmenter_close(&g);
		kf_schema_free(&s);
	}
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		ok(kf_augment_parse(&a, words[i], &err) < 0, "'%s' is refused",
			words[i]);
}

int main(void)
{
	struct kf_err err;

	b = kf_backend_open("auto", NULL, &err);
	if (!ok(b != NULL, "a backend opens"))
		return note("%s", err.msg), done_testing();
	test_dots("shift:6");
	test_dots("rotate:20");
	test_dots("scale:.2");
	test_dots("flip,shift:3,rotate:10,scale:.1");
	test_flip();
	test_numbers();
	test_print();
	test_refusals();
	b->op->close(b);
	return done_testing();
}
