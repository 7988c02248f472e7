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
	kf_augment_batch(&g, 1, 2, y, rows,
		&(struct kf_slice){ .n = ROWS, .all = ROWS }, warps, moved);
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
	kf_augment_batch(&g, 3, 9, y, rows, &(struct kf_slice){ .n = 4, .all = 4 },
		warps, moved);
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
	kf_augment_batch(&g, 3, 9, y, rows, &(struct kf_slice){ .n = 5, .all = 5 },
		warps, moved);
	flipped = 0;
	for (int i = 0; i < 5; i++)
		flipped += warps[i].m[0] < 0;
	ok(flipped == 2, "of five rows two are flipped");
	kf_augmenter_close(&g);
	kf_schema_free(&s);
	b->op->free_act(b, batch);
	b->op->free(b, data);
}

/* From 0 to 1, by the documented counter: number `which` of a row's eight in a layer. */
static double drawn_share(uint64_t seed, uint32_t step, int layer, int row, int which)
{
	return kf_rng_uniform(seed, KF_RNG_AUGMENT, (uint32_t)layer, step,
		(uint64_t)row * 8 + (uint64_t)which);
}

/* From -1 to 1, of layer 0. */
static double drawn(uint64_t seed, uint32_t step, int row, int which)
{
	return 2 * drawn_share(seed, step, 0, row, which) - 1;
}

/*
 * A seed means the same changes for ever: 0 turns from x to y, 1 enlarges, 2 and
 * 3 shift along x and y, 4 is the contrast, 5 the brightness, 6 the shear's angle.  For a
 * point (dx, dy) off the middle, which is first mirrored.
 */
static void test_numbers(const char *how, double sum)
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
	double worst = 0, contrast = 0, brightness = 0;

	ok(kf_augment_parse(&a, how, &err) == 0 &&
			kf_augmenter_open(&g, &a, &s, &err) == 0,
		"%s", how);
	kf_augment_batch(&g, 5, 3, y, rows,
		&(struct kf_slice){ .n = ROWS, .all = ROWS }, warps, moved);
	for (int i = 0; i < ROWS; i++) {
		double angle = drawn(5, 3, i, 0) * 20 * pi / 180;
		double size = 1 + drawn(5, 3, i, 1) * 0.2;
		const float *m = warps[i].m;
		bool flip = m[0] * m[4] < m[1] * m[3];
		double lean = a.shear > 0 ? tan(drawn(5, 3, i, 6) * 15 * pi / 180) : 0;
		double x = (flip ? sum - (middle + dx) - middle : dx) + lean * dy;
		double px = middle + size * (cos(angle) * x - sin(angle) * dy) +
			drawn(5, 3, i, 2) * 6;
		double py = middle + size * (sin(angle) * x + cos(angle) * dy) +
			drawn(5, 3, i, 3) * 6;

		worst = fmax(worst,
			hypot(moved[2 * i] * 32 + 32 - px,
				moved[2 * i + 1] * 32 + 32 - py));
		contrast = fmax(contrast,
			fabs(warps[i].contrast - 1 - drawn(5, 3, i, 4) * 0.3));
		brightness = fmax(brightness,
			fabs(warps[i].brightness - drawn(5, 3, i, 5) * a.brightness));
	}
	ok(worst < 1e-4, "points go where the row's numbers send them (%.2g)", worst);
	ok(contrast < 1e-6 && brightness < 1e-6,
		"contrasts and brightness are those drawn (%.2g, %.2g)", contrast,
		brightness);
	kf_augmenter_close(&g);
	kf_schema_free(&s);
}

/* With another sum the labels of a mirror image move, and its pixels do not. */
static void test_sum(void)
{
	struct kf_schema s = make_schema("nose_x,nose_y");
	float y[2 * ROWS], moved[2][2 * ROWS];
	struct kf_warp warps[2][ROWS];
	uint32_t rows[ROWS];
	struct kf_augment a;
	struct kf_augmenter g;
	struct kf_err err;
	double worst = 0;

	for (uint32_t i = 0; i < ROWS; i++) {
		rows[i] = i;
		y[2 * i] = y[2 * i + 1] = (float)i / ROWS;
	}
	for (int k = 0; k < 2; k++) {
		if (kf_augment_parse(&a, k ? "flip:65.5" : "flip", &err) < 0)
			abort();
		ok(kf_augmenter_open(&g, &a, &s, &err) == 0,
			"a mirror image whose x add up to %g", kf_flip_sum(&a, SIDE));
		kf_augment_batch(&g, 1, 2, y, rows,
			&(struct kf_slice){ .n = ROWS, .all = ROWS }, warps[k],
			moved[k]);
		kf_augmenter_close(&g);
	}
	ok(!memcmp(warps[0], warps[1], sizeof warps[0]), "pixels are mirrored alike");
	for (int i = 0; i < ROWS; i++) {
		double more = warps[0][i].m[0] < 0 ? 65.5 - (SIDE - 1) : 0;

		worst = fmax(worst,
			fabs((moved[1][2 * i] - moved[0][2 * i]) * 32 - more));
		worst = fmax(worst, fabs(moved[1][2 * i + 1] - moved[0][2 * i + 1]));
	}
	ok(worst < 1e-5, "targets go to the sum less x (%.2g)", worst);
	kf_schema_free(&s);
}

/* Points beyond an edge are masked, with both coordinates; those at it stay. */
static void test_masks(void)
{
	static const struct {
		const char *how;
		bool masks;
	} cases[] = { { "flip", false }, { "contrast:.5,hole:9", false },
		{ "shift:8", true }, { "rotate:20", true }, { "scale:.4", true },
		{ "shear:20", true }, { "flip:70,shift:8,scale:.2,shear:9", true } };
	struct kf_schema s = make_schema("nose_x,nose_y,chin_y");
	float y[3 * ROWS], moved[3 * ROWS];
	struct kf_warp warps[ROWS];
	uint32_t rows[ROWS];

	for (uint32_t i = 0; i < ROWS; i++) {
		rows[i] = i;
		y[3 * i] = (float)(i % 9) / 4 - 1;
		y[3 * i + 1] = (float)(i % 7) / 3 - 1;
		y[3 * i + 2] = i % 3 ? 1 : NAN;
	}
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		struct kf_augment a;
		struct kf_augmenter g;
		struct kf_err err;
		int masked = 0, left = 0, wrong = 0;

		if (kf_augment_parse(&a, cases[k].how, &err) < 0)
			abort();
		s.columns.n = a.rotate > 0 ? 2 : 3; /* chin_x is missing */
		if (!ok(kf_augmenter_open(&g, &a, &s, &err) == 0, "%s", cases[k].how))
			note("%s", err.msg);
		kf_augment_batch(&g, 5, 3, y, rows,
			&(struct kf_slice){ .n = ROWS, .all = ROWS }, warps, moved);
		for (int i = 0; i < ROWS; i++) {
			const float *to = moved + i * s.columns.n;

			wrong += isnan(to[0]) != isnan(to[1]);
			masked += isnan(to[0]);
			for (int j = 0; j < 2; j++)
				left += fabs(to[j] * 32 + 32 - 31.5) > 32.00001;
		}
		kf_augmenter_close(&g);
		if (cases[k].masks)
			ok(masked > 0 && masked < ROWS && !left && !wrong,
				"%d of %d points leave the picture", masked, ROWS);
		else
			ok(masked == 0, "... takes no point out of the picture");
	}
	s.columns.n = 3;
	kf_schema_free(&s);
}

/* Light and holes by their formulas in double precision, on an image that stays in
 * place. */
static void test_light(void)
{
	struct kf_schema s = make_schema("nose_x,nose_y");
	static float X[SIDE * SIDE], out[ROWS * SIDE * SIDE];
	float y[2] = { 0, 0 }, moved[2 * ROWS];
	double worst = 0;
	int largest = 0, outside = 0;
	uint32_t rows[ROWS] = { 0 };
	struct kf_warp warps[ROWS];
	struct kf_augment a;
	struct kf_augmenter g;
	struct kf_err err;
	struct kf_mem *data = b->op->alloc(b, SIDE * SIDE);
	struct kf_act *batch = b->op->input(b, ROWS, (const int[]){ 1, SIDE, SIDE });

	for (int i = 0; i < SIDE * SIDE; i++)
		X[i] = (float)(i * 37 % 256) / 255;
	b->op->write(b, data, 0, X, SIDE * SIDE);
	ok(kf_augment_parse(&a, "contrast:.3,brightness:.4,hole:20", &err) == 0 &&
			kf_augmenter_open(&g, &a, &s, &err) == 0,
		"contrast, brightness and holes");
	kf_augment_batch(&g, 5, 3, y, rows,
		&(struct kf_slice){ .n = ROWS, .all = ROWS }, warps, moved);
	b->op->take(b, batch, data, rows, warps);
	b->op->read_act(b, batch, out);
	for (int i = 0; i < ROWS; i++) {
		double contrast = 1 + drawn(5, 3, i, 4) * 0.3;
		double brightness = drawn(5, 3, i, 5) * 0.4;
		int side = (int)(drawn_share(5, 3, 1, i, 0) * 21);
		int left = (int)(drawn_share(5, 3, 1, i, 1) * (SIDE - side + 1));
		int top = (int)(drawn_share(5, 3, 1, i, 2) * (SIDE - side + 1));

		largest = side > largest ? side : largest;
		outside += left + side > SIDE || top + side > SIDE;
		for (int j = 0; j < SIDE * SIDE; j++) {
			int r = j / SIDE - top, c = j % SIDE - left;
			double v = (X[j] - 0.5) * contrast + 0.5 + brightness;

			v = fmin(fmax(v, 0), 1);
			if (r >= 0 && r < side && c >= 0 && c < side)
				v = 0.5;
			worst = fmax(worst, fabs(out[i * SIDE * SIDE + j] - v));
		}
	}
	ok(worst < 1e-6, "each pixel is as its row's numbers have it (%.2g)", worst);
	ok(largest > 15 && largest <= 20 && outside == 0,
		"holes of up to %d pixels a side lie in the picture", largest);
	kf_augmenter_close(&g);
	kf_schema_free(&s);
	b->op->free_act(b, batch);
	b->op->free(b, data);
}

static void test_print(void)
{
	static const char *const texts[] = { "", "flip", "shift:2,contrast:1",
		"flip,shift:0.123456789,rotate:10,scale:0.1,contrast:0.2", "flip:96.5",
		"flip:auto,hole:3", "flip:96,brightness:0.5,shear:10,hole:24" };
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
		{ "nose_x", "shear:5", "shear: 'nose_x' lacks its other coordinate" },
	};
	static const char *const words[] = { "", "flipp", "shift", "shift:", "shift:x",
		"shift:-1", "scale:2", "rotate:181", "contrast:1.5", "flip,,shift:1",
		"shift:nan", "flip:", "flip:0", "flip:-1", "flip:x", "flip:nan",
		"brightness:2", "shear:90", "hole:-1" };
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
	test_dots("shear:20");
	test_dots("flip,shift:2,rotate:10,shear:10,scale:.1");
	test_flip();
	test_sum();
	test_numbers("shift:6,rotate:20,scale:.2,contrast:.3", 0);
	test_numbers("flip,shift:6,rotate:20,scale:.2,contrast:.3", SIDE - 1);
	test_numbers("flip:66,shift:6,rotate:20,scale:.2,contrast:.3,brightness:.2,"
		     "shear:15,hole:5",
		66);
	test_masks();
	test_light();
	test_print();
	test_refusals();
	b->op->close(b);
	return done_testing();
}
