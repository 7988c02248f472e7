/* Making up faces: shape, pose, light, and where the keypoints come to lie. */
#include "synth/synth.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "synth/synth_head.h"

#define SIDE KF_SYNTH_SIDE
#define POINTS (KF_SYNTH_COLUMNS / 2)
#define MARGIN 2.0F /* pixels between a keypoint and the picture's edge */
#define DEGREE 0.017453293F

/* What a row's numbers are for: each its own layer of the generator. */
enum { DICE_FACE, DICE_CLUTTER, DICE_NOISE, DICE_MISSING };

#define XY(point) point "_x", point "_y"

const char *const kf_synth_columns[KF_SYNTH_COLUMNS] = { XY("left_eye_center"),
	XY("right_eye_center"), XY("left_eye_inner_corner"),
	XY("left_eye_outer_corner"), XY("right_eye_inner_corner"),
	XY("right_eye_outer_corner"), XY("left_eyebrow_inner_end"),
	XY("left_eyebrow_outer_end"), XY("right_eyebrow_inner_end"),
	XY("right_eyebrow_outer_end"), XY("nose_tip"), XY("mouth_left_corner"),
	XY("mouth_right_corner"), XY("mouth_center_top_lip"),
	XY("mouth_center_bottom_lip") };

float kf_dice_roll(struct kf_dice *d, float low, float high)
{
	double u = kf_rng_uniform(d->seed, KF_RNG_SYNTH, d->layer, d->row, d->index++);

	return (float)(low + (high - low) * u);
}

/* More often near the middle: the mean of two. */
static float roll2(struct kf_dice *d, float low, float high)
{
	return (kf_dice_roll(d, low, high) + kf_dice_roll(d, low, high)) / 2;
}

/* -- geometry ------------------------------------------------------------------ */

struct kf_vec kf_head_project(const struct kf_head *f, struct kf_vec v)
{
	const float(*t)[3] = f->turn;

	return (struct kf_vec){ f->x +
			f->scale * (t[0][0] * v.x + t[0][1] * v.y + t[0][2] * v.z),
		f->y + f->scale * (t[1][0] * v.x + t[1][1] * v.y + t[1][2] * v.z),
		f->scale * (t[2][0] * v.x + t[2][1] * v.y + t[2][2] * v.z) };
}

struct kf_vec kf_patch_point(const struct kf_patch *p, float a, float b)
{
	return (struct kf_vec){ p->middle.x + a * p->along.x + b * p->down.x,
		p->middle.y + a * p->along.y + b * p->down.y,
		p->middle.z + a * p->along.z + b * p->down.z };
}

/* A point of the face's front. */
static struct kf_vec on_front(float x, float y)
{
	float left = 1 - x * x / (37 * 37) - y * y / (64 * 64);

	return (struct kf_vec){ x, y, 36 * sqrtf(left > 0 ? left : 0) };
}

static struct kf_patch patch_between(struct kf_vec from, struct kf_vec to)
{
	return (struct kf_patch){ { (from.x + to.x) / 2, (from.y + to.y) / 2,
					  (from.z + to.z) / 2 },
		{ (to.x - from.x) / 2, (to.y - from.y) / 2, (to.z - from.z) / 2 },
		{ 0, 1, 0 } };
}

static void set_turn(struct kf_head *f, float yaw, float pitch, float roll)
{
	float cy = cosf(yaw), sy = sinf(yaw), cp = cosf(pitch), sp = sinf(pitch),
	      cr = cosf(roll), sr = sinf(roll);
	float about_y[3][3] = { /* about x first, then about y */
		{ cy, sy * sp, sy * cp }, { 0, cp, -sp }, { -sy, cy * sp, cy * cp }
	};

	for (int j = 0; j < 3; j++) {
		f->turn[0][j] = cr * about_y[0][j] - sr * about_y[1][j];
		f->turn[1][j] = sr * about_y[0][j] + cr * about_y[1][j];
		f->turn[2][j] = about_y[2][j];
	}
}

/* The 15 points in the order of the columns, in the picture. */
static void find_keypoints(const struct kf_head *f, float y[KF_SYNTH_COLUMNS])
{
	const struct kf_patch *left = &f->eye[0], *right = &f->eye[1];
	const struct kf_patch *left_brow = &f->brow[0], *right_brow = &f->brow[1];
	struct kf_vec points[POINTS] = {
		/* both look the same way, and along points outwards */
		kf_patch_point(left, f->gaze_a, f->gaze_b),
		kf_patch_point(right, -f->gaze_a, f->gaze_b),
		kf_patch_point(left, -1, 0), kf_patch_point(left, 1, 0),
		kf_patch_point(right, -1, 0), kf_patch_point(right, 1, 0),
		kf_patch_point(left_brow, -1, 0), kf_patch_point(left_brow, 1, 0),
		kf_patch_point(right_brow, -1, 0), kf_patch_point(right_brow, 1, 0),
		f->nose_tip, kf_patch_point(&f->mouth, 1, 0),
		kf_patch_point(&f->mouth, -1, 0),
		kf_patch_point(&f->mouth, 0, f->mouth_bend - f->lip_top + f->lip_notch),
		kf_patch_point(&f->mouth, 0,
			f->mouth_bend + f->mouth_gap + f->lip_bottom)
	};

	for (int i = 0; i < POINTS; i++) {
		struct kf_vec at = kf_head_project(f, points[i]);

		y[2 * i] = at.x;
		y[2 * i + 1] = at.y;
	}
}

/*
 * -- making up -----------------------------------------------------------------
 *
 * Each number is rolled in a statement or declaration of its own: compilers
 * differ in the order in which they evaluate the arguments of a call.
 */

static void make_eyes(struct kf_head *f, struct kf_dice *d)
{
	float apart = roll2(d, 14, 17), level = roll2(d, -21, -18);
	float half = roll2(d, 5.6F, 8), slant = roll2(d, -1.6F, 1);
	float lift = roll2(d, 6.5F, 12), tilt = roll2(d, -3, 3);
	float inner = roll2(d, 6, 9), outer = roll2(d, 23, 27);

	for (int side = 0; side < 2; side++) {
		float sign = side ? -1 : 1, uneven = roll2(d, -1, 1);

		f->eye[side] = patch_between(on_front(sign * (apart - half),
						     level - slant / 2),
			on_front(sign * (apart + half), level + slant / 2));
		f->brow[side] = patch_between(on_front(sign * inner,
						      level - lift + tilt + uneven),
			on_front(sign * outer, level - lift - tilt / 2 + uneven + 1));
	}
	f->eye_open = roll2(d, 1.8F, 4.2F);
	f->gaze_a = roll2(d, -0.35F, 0.35F);
	f->gaze_b = roll2(d, -0.8F, 0.5F);
	f->brow_arch = roll2(d, 0.5F, 4.5F);
	f->brow_thick = kf_dice_roll(d, 0.9F, 2.2F);
}

static void make_nose_and_mouth(struct kf_head *f, struct kf_dice *d)
{
	float tip = roll2(d, 2, 6.5F), half = roll2(d, 9, 15);
	float level = tip + roll2(d, 14, 18), slant = roll2(d, -1, 1);
	float aside = roll2(d, -0.8F, 0.8F), ahead = roll2(d, 42, 50);

	f->nose_root = (struct kf_vec){ 0, -15, 34 };
	f->nose_tip = (struct kf_vec){ aside, tip, ahead };
	f->nose_width = roll2(d, 5, 8.5F);
	f->mouth = patch_between(on_front(-half, level - slant),
		on_front(half, level + slant));
	f->mouth.middle.z += 2;
	f->mouth_bend = roll2(d, -1.5F, 4);
	f->mouth_gap = fmaxf(0, roll2(d, -7, 7));
	f->lip_top = roll2(d, 1.8F, 3.8F) + 0.2F * f->mouth_gap;
	f->lip_bottom = roll2(d, 2.2F, 4.6F);
	f->lip_notch = roll2(d, 0, 0.8F);
}

static void make_looks(struct kf_head *f, struct kf_dice *d)
{
	f->jaw = roll2(d, 25, 32);
	f->skin = kf_dice_roll(d, 0.6F, 1);
	f->hair = f->skin * kf_dice_roll(d, 0.1F, 0.45F);
	f->iris = kf_dice_roll(d, 0.08F, 0.45F);
	f->lips = kf_dice_roll(d, 0.5F, 0.85F);
	f->beard = fmaxf(0, kf_dice_roll(d, -1.6F, 0.75F));
	f->glasses = kf_dice_roll(d, 0, 1) < 0.15F ? kf_dice_roll(d, 0.5F, 1) : 0;
	f->hairline = roll2(d, -54, -36);
	f->hair_long = fmaxf(0, kf_dice_roll(d, -60, 60));
	f->hair_wave = kf_dice_roll(d, 0, 6.28F);
}

static void make_light(struct kf_head *f, struct kf_dice *d)
{
	float across = roll2(d, -22, 22) * DEGREE, above = roll2(d, 5, 50) * DEGREE;

	f->light = (struct kf_vec){ sinf(across) * cosf(above), -sinf(above),
		cosf(across) * cosf(above) };
	f->ambient = kf_dice_roll(d, 0.35F, 0.55F);
	f->diffuse = 1.1F - f->ambient;
	f->slope_x = roll2(d, -0.1F, 0.1F);
	f->slope_y = roll2(d, -0.1F, 0.1F);
	f->blur = kf_dice_roll(d, 0.35F, 0.95F);
	f->noise = kf_dice_roll(d, 0.003F, 0.02F);
}

/* Turns the face, and moves it so that all keypoints stay in the picture. */
static void make_pose(struct kf_head *f, struct kf_dice *d, float y[KF_SYNTH_COLUMNS])
{
	float low[2] = { INFINITY, INFINITY }, high[2] = { -INFINITY, -INFINITY };
	float shift[2];
	float yaw = roll2(d, -10, 10), pitch = roll2(d, -6, 6), roll = roll2(d, -8, 8);

	set_turn(f, yaw * DEGREE, pitch * DEGREE, roll * DEGREE);
	f->scale = roll2(d, 0.66F, 0.84F);
	f->x = f->y = 0;
	find_keypoints(f, y);
	for (int i = 0; i < KF_SYNTH_COLUMNS; i++) {
		low[i % 2] = fminf(low[i % 2], y[i]);
		high[i % 2] = fmaxf(high[i % 2], y[i]);
	}
	for (int axis = 0; axis < 2; axis++) {
		float middle = axis ? 53 : SIDE / 2.0F;

		shift[axis] = kf_dice_roll(d, -15, 15) + middle -
			(low[axis] + high[axis]) / 2;
		shift[axis] = fmaxf(shift[axis], MARGIN - low[axis]);
		shift[axis] = fminf(shift[axis], SIDE - 1 - MARGIN - high[axis]);
	}
	f->x = shift[0];
	f->y = shift[1];
	find_keypoints(f, y);
}

/* -- the camera ---------------------------------------------------------------- */

/* One line of a picture, step apart, smoothed by (w, 1 - 2w, w). */
static void blur_line(float *line, int step, float w)
{
	float before = line[0];

	for (int i = 0; i < SIDE; i++) {
		float here = line[i * step];
		float after = line[(i < SIDE - 1 ? i + 1 : i) * step];

		line[i * step] = w * before + (1 - 2 * w) * here + w * after;
		before = here;
	}
}

static void blur(float *picture, float variance)
{
	float w = fminf(variance / 2, 1 / 3.0F);

	for (int i = 0; i < SIDE; i++) {
		blur_line(picture + i * SIDE, 1, w);
		blur_line(picture + i, SIDE, w);
	}
}

/* To bytes, with noise: nearly normal, the sum of a random number's four bytes. */
static void expose(const float *picture, const struct kf_head *f,
	const struct kf_dice *d, uint8_t *image)
{
	const float deviation = 147.8F, mean = 510; /* of that sum */
	uint32_t bits[4];

	for (uint32_t i = 0; i < SIDE * SIDE; i++) {
		uint32_t b;
		float v;

		if (i % 4 == 0)
			kf_philox(d->seed, KF_RNG_SYNTH, d->layer, d->row, i / 4, bits);
		b = bits[i % 4];
		b = (b & 0xff) + (b >> 8 & 0xff) + (b >> 16 & 0xff) + (b >> 24);
		v = picture[i] + f->noise * ((float)b - mean) / deviation;
		image[i] = (uint8_t)(fminf(fmaxf(v, 0), 1) * 255 + 0.5F);
	}
}

void kf_synth_face(uint64_t seed, uint32_t row, uint8_t image[SIDE * SIDE],
	float y[KF_SYNTH_COLUMNS])
{
	struct kf_dice face = { .seed = seed, .row = row, .layer = DICE_FACE };
	struct kf_dice clutter = { .seed = seed, .row = row, .layer = DICE_CLUTTER };
	struct kf_dice noise = { .seed = seed, .row = row, .layer = DICE_NOISE };
	float picture[SIDE * SIDE] = { 0 };
	struct kf_head f;

	make_eyes(&f, &face);
	make_nose_and_mouth(&f, &face);
	make_looks(&f, &face);
	make_light(&f, &face);
	make_pose(&f, &face, y);
	kf_head_draw(&f, &clutter, picture);
	blur(picture, f.blur * f.blur);
	expose(picture, &f, &noise, image);
}

void kf_synth_missing(uint64_t seed, uint32_t row, double share,
	float y[KF_SYNTH_COLUMNS])
{
	static const int kept[] = { 0, 1, 10, 14 }; /* of the points */
	struct kf_dice d = { .seed = seed, .row = row, .layer = DICE_MISSING };
	float all[KF_SYNTH_COLUMNS];
	int lost;

	if (kf_rng_uniform(seed, KF_RNG_SYNTH, d.layer, row, d.index++) >= share)
		return;
	lost = (int)kf_dice_roll(&d, 0, 400); /* one of the 4 in 1 of 100 */
	memcpy(all, y, sizeof all);
	for (int i = 0; i < KF_SYNTH_COLUMNS; i++)
		y[i] = NAN;
	for (int i = 0; i < 4; i++)
		if (i != lost)
			memcpy(&y[2 * kept[i]], &all[2 * kept[i]], 2 * sizeof *y);
}
