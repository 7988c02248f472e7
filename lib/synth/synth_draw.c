/* Drawing a synthetic face, from the background to the front. */
#include "synth/synth.h"
#include "synth/synth_paint.h"

#define SIDE KF_SYNTH_SIDE

/* -- behind the face ------------------------------------------------------------ */

/* Something at any place and angle. */
static void draw_thing(const struct kf_head *f, struct kf_dice *d, kf_shape *draw,
	float *picture)
{
	float x = kf_dice_roll(d, 0, SIDE), y = kf_dice_roll(d, 0, SIDE);
	float angle = kf_dice_roll(d, 0, 3.14F), c = cosf(angle), s = sinf(angle);
	float along = kf_dice_roll(d, 5, 35), down = kf_dice_roll(d, 0.1F, 1) * along;
	float tone = kf_dice_roll(d, 0, 0.5F), cover = kf_dice_roll(d, 0.2F, 0.8F);
	struct kf_disc thing = { tone, cover, kf_dice_roll(d, 0.1F, 1) };
	struct kf_frame at = { x, y, c * along, s * along, -s * down, c * down, 1, 1 };

	kf_paint(picture, f, &at, draw, &thing);
}

static void draw_background(const struct kf_head *f, struct kf_dice *d, float *picture)
{
	float tone = kf_dice_roll(d, 0.05F, 0.2F);
	float right = kf_dice_roll(d, -0.15F, 0.15F);
	float down = kf_dice_roll(d, -0.15F, 0.15F);
	int things = (int)kf_dice_roll(d, 0, 5);

	for (int i = 0; i < SIDE * SIDE; i++) {
		float x = (float)(i % SIDE) / SIDE - 0.5F, y = (float)i / SIDE / SIDE;

		picture[i] = kf_limit(tone + right * x + down * (y - 0.5F), 0, 1);
	}
	for (int i = 0; i < things; i++)
		draw_thing(f, d, i % 2 ? kf_shape_box : kf_shape_disc, picture);
}

static void draw_body(const struct kf_head *f, struct kf_dice *d, float *picture)
{
	struct kf_vec neck = { 0, 45, -8 }, chest = { 0, 96, -12 };
	struct kf_frame at = kf_upright(f, chest, 74, 40);
	struct kf_disc cloth = { kf_dice_roll(d, 0.05F, 0.6F), 1, 0.05F };
	struct kf_disc skin = { f->skin * (f->ambient + 0.25F * f->diffuse), 1, 0.1F };

	kf_paint(picture, f, &at, kf_shape_disc, &cloth);
	at = kf_turned(f, neck, 18, 34);
	kf_paint(picture, f, &at, kf_shape_disc, &skin);
}

static void draw_back_hair(const struct kf_head *f, float *picture)
{
	struct kf_vec middle = { 0, -22 + f->hair_long / 2, -12 };
	struct kf_frame at = kf_turned(f, middle, 37, 46 + f->hair_long / 2);
	struct kf_disc hair = { f->hair * (f->ambient + 0.3F * f->diffuse), 1, 0.08F };

	kf_paint(picture, f, &at, kf_shape_disc, &hair);
}

static void draw_ears(const struct kf_head *f, float *picture)
{
	for (int side = 0; side < 2; side++) {
		float sign = side ? -1 : 1;
		struct kf_vec ear = { sign * 33, -10, -8 };
		struct kf_vec hole = { sign * 33, -10, -6 };
		struct kf_vec out = kf_unit((struct kf_vec){ sign, 0, 0.8F });
		struct kf_disc skin = { f->skin * 0.9F * kf_lit(f, out), 1, 0.15F };
		struct kf_disc dark = { skin.tone * 0.6F, 0.8F, 0.7F };
		struct kf_frame at = kf_turned(f, ear, 5.5F, 11);

		kf_paint(picture, f, &at, kf_shape_disc, &skin);
		at = kf_turned(f, hole, 2.8F, 6.5F);
		kf_paint(picture, f, &at, kf_shape_disc, &dark);
	}
}

/* -- the whole -------------------------------------------------------------------- */

/*
 * The light falls off across the picture, and the exposure is mostly set by
 * the face, as cameras do.
 */
static void expose(const struct kf_head *f, float *picture)
{
	float face = f->skin * kf_lit(f, (struct kf_vec){ 0, 0, 1 });
	float gain = kf_mix(1, 0.9F / face, 0.9F);

	for (int i = 0; i < SIDE * SIDE; i++) {
		float x = (float)(i % SIDE) / SIDE - 0.5F;
		float y = (float)(i / SIDE) / SIDE - 0.5F;

		picture[i] *= gain * (1 + f->slope_x * x + f->slope_y * y);
	}
}

void kf_head_draw(const struct kf_head *f, struct kf_dice *clutter, float *picture)
{
	draw_background(f, clutter, picture);
	if (f->hair_long > 0)
		draw_back_hair(f, picture);
	draw_body(f, clutter, picture);
	draw_ears(f, picture);
	kf_draw_skull(f, picture);
	kf_draw_features(f, picture);
	expose(f, picture);
}
