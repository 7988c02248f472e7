/* What a face has: nose, eyes, brows, mouth and glasses. */
#include "synth/synth_paint.h"

#include <stddef.h>

/* -- nose ------------------------------------------------------------------------- */

/* A ball of skin that grows out of the face. */
struct ball {
	struct kf_vec tilt; /* added to its normals */
	float soft;         /* where its edge starts to fade */
};

static struct kf_ink draw_ball(const struct kf_head *f, const void *what, float a,
	float b)
{
	const struct ball *ball = what;
	float r2 = a * a + b * b;
	struct kf_vec n = { a + ball->tilt.x, b + ball->tilt.y,
		sqrtf(r2 < 0.95F ? 1 - r2 : 0.05F) + ball->tilt.z };

	return (struct kf_ink){ f->skin * kf_lit(f, kf_unit(n)),
		1 - kf_ramp(r2, ball->soft, 1) };
}

static void draw_nose(const struct kf_head *f, float *picture)
{
	static const struct ball bridge = { { 0, -0.1F, 0.5F }, 0.1F },
				 wing = { { 0, 0, 0.6F }, 0.5F },
				 end = { { 0, 0, 0.35F }, 0.45F };
	const struct kf_disc nostril = { f->skin * 0.15F, 0.85F, 0.6F };
	struct kf_vec root = f->nose_root, tip = f->nose_tip;
	struct kf_patch ridge = { { (root.x + tip.x) / 2, (root.y + tip.y) / 2,
					  (root.z + tip.z) / 2 },
		{ f->nose_width * 0.75F, 0, 0 },
		{ (tip.x - root.x) * 0.62F, (tip.y - root.y) * 0.62F,
			(tip.z - root.z) * 0.62F } };
	struct kf_frame at;

	kf_shade(picture, f, (struct kf_vec){ tip.x, tip.y + 6.5F, tip.z - 9 },
		f->nose_width * 1.5F, 4.5F, 0.45F);
	at = kf_patch_frame(f, &ridge, 1, 1);
	kf_paint(picture, f, &at, draw_ball, &bridge);
	for (int side = 0; side < 2; side++) {
		float sign = side ? -1 : 1;
		struct kf_vec v = { tip.x + sign * f->nose_width * 0.8F, tip.y + 1.5F,
			tip.z - 8 };

		at = kf_turned(f, v, f->nose_width * 0.5F, 4);
		kf_paint(picture, f, &at, draw_ball, &wing);
	}
	at = kf_turned(f, tip, f->nose_width * 0.8F, 5.2F);
	kf_paint(picture, f, &at, draw_ball, &end);
	for (int side = 0; side < 2; side++) {
		float sign = side ? -1 : 1;
		struct kf_vec v = { tip.x + sign * f->nose_width * 0.45F, tip.y + 4.2F,
			tip.z - 5 };

		at = kf_turned(f, v, 2.2F, 1.5F);
		kf_paint(picture, f, &at, kf_shape_disc, &nostril);
	}
}

/* -- eyes and brows --------------------------------------------------------------- */

/* a runs from the inner corner at -1 to the outer one at 1. */
struct eye {
	float light, half, gaze_a;
};

static struct kf_ink draw_eye(const struct kf_head *f, const void *what, float a,
	float b)
{
	const struct eye *eye = what;
	float arc = 1 - a * a;
	float upper = -f->eye_open * arc, lower = 0.75F * f->eye_open * arc;
	float open = (b - upper < lower - b ? b - upper : lower - b) * f->scale;
	float da = (a - eye->gaze_a) * eye->half, db = b - f->gaze_b;
	float r = sqrtf(da * da + db * db), radius = 0.47F * eye->half;
	float lash = 1 - kf_ramp(fabsf(b - upper + 0.2F), 0.4F, 1.3F);
	float white = 0.8F - 0.15F * a * a;
	struct kf_ink ink;

	ink.tone = kf_mix(f->iris, white, kf_ramp(r, radius - 0.5F, radius + 0.5F));
	ink.tone = kf_mix(0.02F, ink.tone,
		kf_ramp(r, 0.45F * radius - 0.5F, 0.45F * radius + 0.5F));
	ink.tone = kf_mix(0.95F, ink.tone, kf_ramp(hypotf(da + 0.9F, db + 1), 0.3F, 1));
	ink.tone *= eye->light * (1 - 0.3F * kf_ramp(upper + 2 - b, 0, 2));
	ink.cover = kf_limit(0.5F + open, 0, 1) * (fabsf(a) < 1);
	lash *= 0.8F * (1 - kf_ramp(fabsf(a), 0.95F, 1.1F));
	ink.tone = kf_mix(ink.tone, 0.03F, lash);
	ink.cover = ink.cover > lash ? ink.cover : lash;
	return ink;
}

static void draw_eyes(const struct kf_head *f, float *picture)
{
	for (int side = 0; side < 2; side++) {
		const struct kf_patch *p = &f->eye[side];
		float sign = side ? -1 : 1;
		struct kf_vec out = kf_unit((struct kf_vec){ sign * 0.35F, 0, 1 });
		struct kf_vec above = p->middle;
		struct eye eye = { 0.25F + 0.75F * kf_lit(f, out),
			sqrtf(kf_dot(p->along, p->along)), sign * f->gaze_a };
		struct kf_frame at = kf_patch_frame(f, p, 1.15F, 6);

		above.y -= 2;
		kf_shade(picture, f, above, eye.half * 1.7F, 8, 0.3F);
		kf_paint(picture, f, &at, draw_eye, &eye);
	}
}

static struct kf_ink draw_brow(const struct kf_head *f, const void *what, float a,
	float b)
{
	float thick = f->brow_thick * (1 - 0.35F * a) * (1 - 0.5F * a * a);
	float away = fabsf(b + f->brow_arch * (1 - a * a)) - thick;
	float ends = 1 - kf_ramp(fabsf(a), 0.96F, 1.06F);

	return (struct kf_ink){ *(const float *)what,
		0.9F * kf_limit(0.5F - away * f->scale, 0, 1) * ends };
}

static void draw_brows(const struct kf_head *f, float *picture)
{
	for (int side = 0; side < 2; side++) {
		float sign = side ? -1 : 1;
		struct kf_vec out = kf_unit((struct kf_vec){ sign * 0.4F, -0.2F, 1 });
		float tone = 0.7F * f->hair * kf_lit(f, out);
		struct kf_frame at = kf_patch_frame(f, &f->brow[side], 1.1F, 8);

		kf_paint(picture, f, &at, draw_brow, &tone);
	}
}

/* -- mouth ------------------------------------------------------------------------ */

/* The mouth from its right corner at a = -1 to its left one at 1. */
static struct kf_ink draw_mouth(const struct kf_head *f, const void *what, float a,
	float b)
{
	float arc = 1 - a * a, notch = a * a < 0.09F ? 1 - a * a / 0.09F : 0;
	float line = f->mouth_bend * arc;
	float top = line - f->lip_top * arc + f->lip_notch * notch;
	float bottom = line + (f->mouth_gap + f->lip_bottom) * arc;
	float gap = line + f->mouth_gap * arc;
	float in = (b - top < bottom - b ? b - top : bottom - b) * f->scale;
	float open = (b - line < gap - b ? b - line : gap - b) * f->scale;
	struct kf_ink ink = { f->skin * f->lips,
		kf_limit(0.5F + in, 0, 1) * (a * a < 1) };

	/* the upper lip looks down, the lower one up */
	ink.tone *= kf_lit(f,
		kf_unit((struct kf_vec){ 0.3F * a, b < line ? 0.6F : -0.45F, 1 }));
	if (f->mouth_gap > 1) {
		float middle = line + 0.5F * f->mouth_gap * arc;
		float teeth = kf_ramp(middle - b, -0.5F, 0.5F) *
			(1 - kf_ramp(a * a, 0.4F, 0.8F));
		float inside = kf_mix(0.05F, 0.7F * *(const float *)what, teeth);

		ink.tone = kf_mix(ink.tone, inside, kf_limit(0.5F + open, 0, 1));
	} else {
		ink.tone *= 0.35F + 0.65F * kf_ramp(fabsf(b - gap), 0.2F, 1.2F);
	}
	return ink;
}

static void draw_mouths(const struct kf_head *f, float *picture)
{
	struct kf_frame at = kf_patch_frame(f, &f->mouth, 1, 18);
	struct kf_vec below = kf_patch_point(&f->mouth, 0,
		f->mouth_bend + f->mouth_gap + f->lip_bottom + 3);
	float light = kf_lit(f, (struct kf_vec){ 0, 0, 1 });

	kf_shade(picture, f, below, 8, 3.5F, 0.3F);
	kf_paint(picture, f, &at, draw_mouth, &light);
}

/* -- glasses ---------------------------------------------------------------------- */

/* A glass in its rim. */
static struct kf_ink draw_glass(const struct kf_head *f, const void *what, float a,
	float b)
{
	float r = powf(a * a * a * a + b * b * b * b, 0.25F);

	(void)what;
	return (struct kf_ink){ 0.08F,
		f->glasses *
			(0.12F * (r < 1) +
				0.88F * (1 - kf_ramp(fabsf(r - 1), 0.04F, 0.14F))) };
}

static void draw_glasses(const struct kf_head *f, float *picture)
{
	struct kf_vec bridge = { 0, f->eye[0].middle.y - 1, 41 };
	struct kf_disc bar = { 0.08F, f->glasses, 0.5F };
	struct kf_frame at = kf_turned(f, bridge, 4, 0.9F);

	if (f->glasses == 0)
		return;
	kf_paint(picture, f, &at, kf_shape_box, &bar);
	for (int side = 0; side < 2; side++) {
		struct kf_vec v = f->eye[side].middle;

		v.z += 6;
		v.y += 1;
		at = kf_turned(f, v, 11, 8.5F);
		kf_paint(picture, f, &at, draw_glass, NULL);
	}
}

void kf_draw_features(const struct kf_head *f, float *picture)
{
	draw_eyes(f, picture);
	draw_nose(f, picture);
	draw_mouths(f, picture);
	draw_brows(f, picture);
	draw_glasses(f, picture);
}
