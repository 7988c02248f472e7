/*
 * Drawing a synthetic face: background, head, then one feature after the
 * other, each lit by the face's light and mixed in by how much of a pixel it
 * covers.
 */
#include "synth/synth_head.h"

#include <math.h>
#include <stddef.h>

#include "synth/synth.h"

#define SIDE KF_SYNTH_SIDE

static float limit(float v, float low, float high)
{
	return v < low ? low : v > high ? high : v;
}

/* 0 up to low, 1 from high on, smooth between. */
static float ramp(float v, float low, float high)
{
	float t = limit((v - low) / (high - low), 0, 1);

	return t * t * (3 - 2 * t);
}

static float mix(float a, float b, float share)
{
	return a + (b - a) * share;
}

static float dot(struct kf_vec a, struct kf_vec b)
{
	return a.x * b.x + a.y * b.y + a.z * b.z;
}

static struct kf_vec unit(struct kf_vec v)
{
	float by = 1 / sqrtf(dot(v, v));

	return (struct kf_vec){ v.x * by, v.y * by, v.z * by };
}

/* How bright a surface is that faces along normal (length 1). */
static float lit(const struct kf_head *f, struct kf_vec normal)
{
	float facing = dot(normal, f->light) * 0.85F + 0.15F;

	return f->ambient + f->diffuse * (facing > 0 ? facing : 0);
}

/* -- shapes in the picture ------------------------------------------------------ */

/* What a shape puts on a point: a tone, and how much of it. */
struct ink {
	float tone, cover;
};

/*
 * A shape's own coordinates: (a, b) is at x + a * along + b * down in the
 * picture.  It lies within |a| <= reach_a and |b| <= reach_b.
 */
struct frame {
	float x, y, along_x, along_y, down_x, down_y, reach_a, reach_b;
};

typedef struct ink shape(const struct kf_head *f, const void *what, float a, float b);

/* Draws a shape on all pixels that it reaches. */
static void paint(float *picture, const struct kf_head *f, const struct frame *at,
	shape *draw, const void *what)
{
	float det = at->along_x * at->down_y - at->along_y * at->down_x;
	float wide = fabsf(at->along_x * at->reach_a) + fabsf(at->down_x * at->reach_b);
	float tall = fabsf(at->along_y * at->reach_a) + fabsf(at->down_y * at->reach_b);
	int left = (int)limit(at->x - wide, 0, SIDE);
	int right = (int)limit(at->x + wide + 1, 0, SIDE);
	int top = (int)limit(at->y - tall, 0, SIDE);
	int bottom = (int)limit(at->y + tall + 1, 0, SIDE);

	if (fabsf(det) < 1e-3F)
		return; /* seen from its edge */
	for (int y = top; y < bottom; y++)
		for (int x = left; x < right; x++) {
			float dx = (float)x - at->x, dy = (float)y - at->y;
			float a = (dx * at->down_y - dy * at->down_x) / det;
			float b = (dy * at->along_x - dx * at->along_y) / det;
			float *pixel = &picture[y * SIDE + x];
			struct ink ink;

			if (fabsf(a) > at->reach_a || fabsf(b) > at->reach_b)
				continue;
			ink = draw(f, what, a, b);
			*pixel = mix(*pixel, ink.tone, ink.cover);
		}
}

/* A patch of the face as a frame. */
static struct frame patch_frame(const struct kf_head *f, const struct kf_patch *p,
	float reach_a, float reach_b)
{
	struct kf_vec o = kf_head_project(f, p->middle);
	struct kf_vec a = kf_head_project(f, kf_patch_point(p, 1, 0));
	struct kf_vec b = kf_head_project(f, kf_patch_point(p, 0, 1));

	return (struct frame){ o.x, o.y, a.x - o.x, a.y - o.y, b.x - o.x, b.y - o.y,
		reach_a, reach_b };
}

/* Around a point of the head, upright in the picture, units of the head. */
static struct frame upright(const struct kf_head *f, struct kf_vec middle,
	float radius_x, float radius_y)
{
	struct kf_vec o = kf_head_project(f, middle);

	return (struct frame){ o.x, o.y, f->scale * radius_x, 0, 0, f->scale * radius_y,
		1.2F, 1.2F };
}

/* The same, turned with the head's roll. */
static struct frame turned(const struct kf_head *f, struct kf_vec middle,
	float radius_x, float radius_y)
{
	struct kf_patch p = { middle, { radius_x, 0, 0 }, { 0, radius_y, 0 } };

	return patch_frame(f, &p, 1.2F, 1.2F);
}

/* A disc of radius 1: its tone, how opaque, and how soft its edge is. */
struct disc {
	float tone, cover, edge;
};

static struct ink draw_disc(const struct kf_head *f, const void *what, float a, float b)
{
	const struct disc *d = what;
	float r = sqrtf(a * a + b * b);

	(void)f;
	return (struct ink){ d->tone,
		d->cover * (1 - ramp(r, 1 - d->edge, 1 + 0.1F * d->edge)) };
}

/* -- behind the face ------------------------------------------------------------ */

static struct ink draw_box(const struct kf_head *f, const void *what, float a, float b)
{
	const struct disc *d = what;

	(void)f;
	(void)a;
	(void)b;
	return (struct ink){ d->tone, d->cover };
}

/* Something at any place and angle. */
static void draw_thing(const struct kf_head *f, struct kf_dice *d, shape *draw,
	float *picture)
{
	float x = kf_dice_roll(d, 0, SIDE), y = kf_dice_roll(d, 0, SIDE);
	float angle = kf_dice_roll(d, 0, 3.14F), c = cosf(angle), s = sinf(angle);
	float along = kf_dice_roll(d, 5, 35), down = kf_dice_roll(d, 0.1F, 1) * along;
	float tone = kf_dice_roll(d, 0, 0.5F), cover = kf_dice_roll(d, 0.2F, 0.8F);
	struct disc thing = { tone, cover, kf_dice_roll(d, 0.1F, 1) };
	struct frame at = { x, y, c * along, s * along, -s * down, c * down, 1, 1 };

	paint(picture, f, &at, draw, &thing);
}

static void draw_background(const struct kf_head *f, struct kf_dice *d, float *picture)
{
	float tone = kf_dice_roll(d, 0.05F, 0.2F);
	float right = kf_dice_roll(d, -0.15F, 0.15F);
	float down = kf_dice_roll(d, -0.15F, 0.15F);
	int things = (int)kf_dice_roll(d, 0, 5);

	for (int i = 0; i < SIDE * SIDE; i++) {
		float x = (float)(i % SIDE) / SIDE - 0.5F, y = (float)i / SIDE / SIDE;

		picture[i] = limit(tone + right * x + down * (y - 0.5F), 0, 1);
	}
	for (int i = 0; i < things; i++)
		draw_thing(f, d, i % 2 ? draw_box : draw_disc, picture);
}

static void draw_body(const struct kf_head *f, struct kf_dice *d, float *picture)
{
	struct kf_vec neck = { 0, 45, -8 }, chest = { 0, 96, -12 };
	struct frame at = upright(f, chest, 74, 40);
	struct disc cloth = { kf_dice_roll(d, 0.05F, 0.6F), 1, 0.05F };
	struct disc skin = { f->skin * (f->ambient + 0.25F * f->diffuse), 1, 0.1F };

	paint(picture, f, &at, draw_disc, &cloth);
	at = turned(f, neck, 18, 34);
	paint(picture, f, &at, draw_disc, &skin);
}

static void draw_back_hair(const struct kf_head *f, float *picture)
{
	struct kf_vec middle = { 0, -22 + f->hair_long / 2, -12 };
	struct frame at = turned(f, middle, 37, 46 + f->hair_long / 2);
	struct disc hair = { f->hair * (f->ambient + 0.3F * f->diffuse), 1, 0.08F };

	paint(picture, f, &at, draw_disc, &hair);
}

static void draw_ears(const struct kf_head *f, float *picture)
{
	for (int side = 0; side < 2; side++) {
		float sign = side ? -1 : 1;
		struct kf_vec ear = { sign * 33, -10, -8 };
		struct kf_vec hole = { sign * 33, -10, -6 };
		struct kf_vec out = unit((struct kf_vec){ sign, 0, 0.8F });
		struct disc skin = { f->skin * 0.9F * lit(f, out), 1, 0.15F };
		struct disc dark = { skin.tone * 0.6F, 0.8F, 0.7F };
		struct frame at = turned(f, ear, 5.5F, 11);

		paint(picture, f, &at, draw_disc, &skin);
		at = turned(f, hole, 2.8F, 6.5F);
		paint(picture, f, &at, draw_disc, &dark);
	}
}

/* -- the head -------------------------------------------------------------------- */

/* A line of sight through the head: origin + t * towards the viewer. */
struct ray {
	struct kf_vec origin, towards;
};

/* Where it meets something: cover 0 is beside it.  normal has any length. */
struct hit {
	float t, cover;
	struct kf_vec normal;
};

static struct hit meet(const struct ray *ray, struct kf_vec middle,
	struct kf_vec radius, float scale)
{
	struct kf_vec by = { 1 / radius.x, 1 / radius.y, 1 / radius.z };
	struct kf_vec o = { (ray->origin.x - middle.x) * by.x,
		(ray->origin.y - middle.y) * by.y, (ray->origin.z - middle.z) * by.z };
	struct kf_vec d = { ray->towards.x * by.x, ray->towards.y * by.y,
		ray->towards.z * by.z };
	float A = dot(d, d), B = dot(o, d), C = dot(o, o);
	float inside = 1 - (C - B * B / A); /* of the sphere that it then is */
	struct hit hit = { 0, limit(0.5F + inside * radius.x * scale / 2, 0, 1),
		{ 0, 0, 1 } };

	if (hit.cover == 0)
		return hit;
	hit.t = sqrtf(inside > 0 ? inside / A : 0) - B / A;
	hit.normal = (struct kf_vec){ (o.x + hit.t * d.x) * by.x,
		(o.y + hit.t * d.y) * by.y, (o.z + hit.t * d.z) * by.z };
	return hit;
}

/* The skull and the jaw, flowing into each other. */
static struct hit meet_head(const struct kf_head *f, const struct ray *ray)
{
	struct hit skull = meet(ray, (struct kf_vec){ 0, -20, -2 },
		(struct kf_vec){ 33, 40, 36 }, f->scale);
	struct hit jaw = meet(ray, (struct kf_vec){ 0, 2, 2 },
		(struct kf_vec){ f->jaw, 40, 33 }, f->scale);
	float share;

	if (jaw.cover == 0)
		return skull;
	if (skull.cover == 0)
		return jaw;
	share = ramp(jaw.t - skull.t, -6, 6);
	skull.t = mix(skull.t, jaw.t, share);
	skull.cover = skull.cover > jaw.cover ? skull.cover : jaw.cover;
	skull.normal.x = mix(skull.normal.x, jaw.normal.x, share);
	skull.normal.y = mix(skull.normal.y, jaw.normal.y, share);
	skull.normal.z = mix(skull.normal.z, jaw.normal.z, share);
	return skull;
}

/* The head's own colour at a point: skin, beard or hair. */
static float head_tone(const struct kf_head *f, struct kf_vec v)
{
	float side = fabsf(v.x), back = v.z < 12 ? 12 - v.z : 0;
	float fringe = f->hairline + 2 * sinf(v.x * 0.23F + f->hair_wave) +
		0.006F * side * side + 2.2F * back;
	float hair = 1 - ramp(v.y, fringe - 1.5F, fringe + 1.5F);
	/* a beard's edge: lowest on the cheeks, up to the ears at the sides */
	float edge = 0.5F * side - (side > 15 ? 2.4F * (side - 15) : 0);
	float beard = f->beard * ramp(v.y - edge, 7, 19), strands;

	if (hair == 0)
		return mix(f->skin, f->hair, beard);
	strands = sinf(v.x * 1.3F + v.y * 0.3F + f->hair_wave) *
		sinf(v.x * 0.57F - v.y * 0.21F + 2 * f->hair_wave);
	return mix(f->skin, f->hair * (1 + 0.3F * strands), hair);
}

/* x and y count from the head's origin, in its unit. */
static void draw_head_pixel(const struct kf_head *f, struct ray *ray, float x, float y,
	float *pixel)
{
	const float(*t)[3] = f->turn;
	struct kf_vec v;
	struct hit hit;

	ray->origin = (struct kf_vec){ t[0][0] * x + t[1][0] * y,
		t[0][1] * x + t[1][1] * y, t[0][2] * x + t[1][2] * y };
	hit = meet_head(f, ray);
	if (hit.cover == 0)
		return;
	v = (struct kf_vec){ ray->origin.x + hit.t * ray->towards.x,
		ray->origin.y + hit.t * ray->towards.y,
		ray->origin.z + hit.t * ray->towards.z };
	*pixel = mix(*pixel, head_tone(f, v) * lit(f, unit(hit.normal)), hit.cover);
}

static void draw_head(const struct kf_head *f, float *picture)
{
	const float(*t)[3] = f->turn;
	struct ray ray = { .towards = { t[2][0], t[2][1], t[2][2] } };
	/* the head lies in a box of twice 35 x 63 x 39 around the origin */
	float wide = f->scale *
		(35 * fabsf(t[0][0]) + 63 * fabsf(t[0][1]) + 39 * fabsf(t[0][2]));
	float tall = f->scale *
		(35 * fabsf(t[1][0]) + 63 * fabsf(t[1][1]) + 39 * fabsf(t[1][2]));
	int left = (int)limit(f->x - wide, 0, SIDE);
	int right = (int)limit(f->x + wide + 1, 0, SIDE);
	int top = (int)limit(f->y - tall, 0, SIDE);
	int bottom = (int)limit(f->y + tall + 1, 0, SIDE);

	for (int y = top; y < bottom; y++)
		for (int x = left; x < right; x++)
			draw_head_pixel(f, &ray, ((float)x - f->x) / f->scale,
				((float)y - f->y) / f->scale, &picture[y * SIDE + x]);
}

/* -- features -------------------------------------------------------------------- */

/* Darkens what is there already, softly. */
static void shade(float *picture, const struct kf_head *f, struct kf_vec middle,
	float radius_x, float radius_y, float strength)
{
	struct frame at = turned(f, middle, radius_x, radius_y);
	struct disc shadow = { 0, strength, 1 };

	paint(picture, f, &at, draw_disc, &shadow);
}

/* A ball of skin that grows out of the face. */
struct ball {
	struct kf_vec tilt; /* added to its normals */
	float soft;         /* where its edge starts to fade */
};

static struct ink draw_ball(const struct kf_head *f, const void *what, float a, float b)
{
	const struct ball *ball = what;
	float r2 = a * a + b * b;
	struct kf_vec n = { a + ball->tilt.x, b + ball->tilt.y,
		sqrtf(r2 < 0.95F ? 1 - r2 : 0.05F) + ball->tilt.z };

	return (struct ink){ f->skin * lit(f, unit(n)), 1 - ramp(r2, ball->soft, 1) };
}

static void draw_nose(const struct kf_head *f, float *picture)
{
	static const struct ball bridge = { { 0, -0.1F, 0.5F }, 0.1F },
				 wing = { { 0, 0, 0.6F }, 0.5F },
				 end = { { 0, 0, 0.35F }, 0.45F };
	const struct disc nostril = { f->skin * 0.15F, 0.85F, 0.6F };
	struct kf_vec root = f->nose_root, tip = f->nose_tip;
	struct kf_patch ridge = { { (root.x + tip.x) / 2, (root.y + tip.y) / 2,
					  (root.z + tip.z) / 2 },
		{ f->nose_width * 0.75F, 0, 0 },
		{ (tip.x - root.x) * 0.62F, (tip.y - root.y) * 0.62F,
			(tip.z - root.z) * 0.62F } };
	struct frame at;

	shade(picture, f, (struct kf_vec){ tip.x, tip.y + 6.5F, tip.z - 9 },
		f->nose_width * 1.5F, 4.5F, 0.45F);
	at = patch_frame(f, &ridge, 1, 1);
	paint(picture, f, &at, draw_ball, &bridge);
	for (int side = 0; side < 2; side++) {
		float sign = side ? -1 : 1;
		struct kf_vec v = { tip.x + sign * f->nose_width * 0.8F, tip.y + 1.5F,
			tip.z - 8 };

		at = turned(f, v, f->nose_width * 0.5F, 4);
		paint(picture, f, &at, draw_ball, &wing);
	}
	at = turned(f, tip, f->nose_width * 0.8F, 5.2F);
	paint(picture, f, &at, draw_ball, &end);
	for (int side = 0; side < 2; side++) {
		float sign = side ? -1 : 1;
		struct kf_vec v = { tip.x + sign * f->nose_width * 0.45F, tip.y + 4.2F,
			tip.z - 5 };

		at = turned(f, v, 2.2F, 1.5F);
		paint(picture, f, &at, draw_disc, &nostril);
	}
}

/* a runs from the inner corner at -1 to the outer one at 1. */
struct eye {
	float light, half, gaze_a;
};

static struct ink draw_eye(const struct kf_head *f, const void *what, float a, float b)
{
	const struct eye *eye = what;
	float arc = 1 - a * a;
	float upper = -f->eye_open * arc, lower = 0.75F * f->eye_open * arc;
	float open = (b - upper < lower - b ? b - upper : lower - b) * f->scale;
	float da = (a - eye->gaze_a) * eye->half, db = b - f->gaze_b;
	float r = sqrtf(da * da + db * db), radius = 0.47F * eye->half;
	float lash = 1 - ramp(fabsf(b - upper + 0.2F), 0.4F, 1.3F);
	float white = 0.8F - 0.15F * a * a;
	struct ink ink;

	ink.tone = mix(f->iris, white, ramp(r, radius - 0.5F, radius + 0.5F));
	ink.tone = mix(0.02F, ink.tone,
		ramp(r, 0.45F * radius - 0.5F, 0.45F * radius + 0.5F));
	ink.tone = mix(0.95F, ink.tone, ramp(hypotf(da + 0.9F, db + 1), 0.3F, 1));
	ink.tone *= eye->light * (1 - 0.3F * ramp(upper + 2 - b, 0, 2));
	ink.cover = limit(0.5F + open, 0, 1) * (fabsf(a) < 1);
	lash *= 0.8F * (1 - ramp(fabsf(a), 0.95F, 1.1F));
	ink.tone = mix(ink.tone, 0.03F, lash);
	ink.cover = ink.cover > lash ? ink.cover : lash;
	return ink;
}

static void draw_eyes(const struct kf_head *f, float *picture)
{
	for (int side = 0; side < 2; side++) {
		const struct kf_patch *p = &f->eye[side];
		float sign = side ? -1 : 1;
		struct kf_vec out = unit((struct kf_vec){ sign * 0.35F, 0, 1 });
		struct kf_vec above = p->middle;
		struct eye eye = { 0.25F + 0.75F * lit(f, out),
			sqrtf(dot(p->along, p->along)), sign * f->gaze_a };
		struct frame at = patch_frame(f, p, 1.15F, 6);

		above.y -= 2;
		shade(picture, f, above, eye.half * 1.7F, 8, 0.3F);
		paint(picture, f, &at, draw_eye, &eye);
	}
}

static struct ink draw_brow(const struct kf_head *f, const void *what, float a, float b)
{
	float thick = f->brow_thick * (1 - 0.35F * a) * (1 - 0.5F * a * a);
	float away = fabsf(b + f->brow_arch * (1 - a * a)) - thick;
	float ends = 1 - ramp(fabsf(a), 0.96F, 1.06F);

	return (struct ink){ *(const float *)what,
		0.9F * limit(0.5F - away * f->scale, 0, 1) * ends };
}

static void draw_brows(const struct kf_head *f, float *picture)
{
	for (int side = 0; side < 2; side++) {
		float sign = side ? -1 : 1;
		struct kf_vec out = unit((struct kf_vec){ sign * 0.4F, -0.2F, 1 });
		float tone = 0.7F * f->hair * lit(f, out);
		struct frame at = patch_frame(f, &f->brow[side], 1.1F, 8);

		paint(picture, f, &at, draw_brow, &tone);
	}
}

/* The mouth from its right corner at a = -1 to its left one at 1. */
static struct ink draw_mouth(const struct kf_head *f, const void *what, float a,
	float b)
{
	float arc = 1 - a * a, notch = a * a < 0.09F ? 1 - a * a / 0.09F : 0;
	float line = f->mouth_bend * arc;
	float top = line - f->lip_top * arc + f->lip_notch * notch;
	float bottom = line + (f->mouth_gap + f->lip_bottom) * arc;
	float gap = line + f->mouth_gap * arc;
	float in = (b - top < bottom - b ? b - top : bottom - b) * f->scale;
	float open = (b - line < gap - b ? b - line : gap - b) * f->scale;
	struct ink ink = { f->skin * f->lips, limit(0.5F + in, 0, 1) * (a * a < 1) };

	/* the upper lip looks down, the lower one up */
	ink.tone *=
		lit(f, unit((struct kf_vec){ 0.3F * a, b < line ? 0.6F : -0.45F, 1 }));
	if (f->mouth_gap > 1) {
		float middle = line + 0.5F * f->mouth_gap * arc;
		float teeth =
			ramp(middle - b, -0.5F, 0.5F) * (1 - ramp(a * a, 0.4F, 0.8F));
		float inside = mix(0.05F, 0.7F * *(const float *)what, teeth);

		ink.tone = mix(ink.tone, inside, limit(0.5F + open, 0, 1));
	} else {
		ink.tone *= 0.35F + 0.65F * ramp(fabsf(b - gap), 0.2F, 1.2F);
	}
	return ink;
}

static void draw_mouths(const struct kf_head *f, float *picture)
{
	struct frame at = patch_frame(f, &f->mouth, 1, 18);
	struct kf_vec below = kf_patch_point(&f->mouth, 0,
		f->mouth_bend + f->mouth_gap + f->lip_bottom + 3);
	float light = lit(f, (struct kf_vec){ 0, 0, 1 });

	shade(picture, f, below, 8, 3.5F, 0.3F);
	paint(picture, f, &at, draw_mouth, &light);
}

/* A glass in its rim. */
static struct ink draw_glass(const struct kf_head *f, const void *what, float a,
	float b)
{
	float r = powf(a * a * a * a + b * b * b * b, 0.25F);

	(void)what;
	return (struct ink){ 0.08F,
		f->glasses *
			(0.12F * (r < 1) +
				0.88F * (1 - ramp(fabsf(r - 1), 0.04F, 0.14F))) };
}

static void draw_glasses(const struct kf_head *f, float *picture)
{
	struct kf_vec bridge = { 0, f->eye[0].middle.y - 1, 41 };
	struct disc bar = { 0.08F, f->glasses, 0.5F };
	struct frame at = turned(f, bridge, 4, 0.9F);

	if (f->glasses == 0)
		return;
	paint(picture, f, &at, draw_box, &bar);
	for (int side = 0; side < 2; side++) {
		struct kf_vec v = f->eye[side].middle;

		v.z += 6;
		v.y += 1;
		at = turned(f, v, 11, 8.5F);
		paint(picture, f, &at, draw_glass, NULL);
	}
}

/*
 * The light falls off across the picture, and the exposure is mostly set by
 * the face, as cameras do.
 */
static void expose(const struct kf_head *f, float *picture)
{
	float face = f->skin * lit(f, (struct kf_vec){ 0, 0, 1 });
	float gain = mix(1, 0.9F / face, 0.9F);

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
	draw_head(f, picture);
	draw_eyes(f, picture);
	draw_nose(f, picture);
	draw_mouths(f, picture);
	draw_brows(f, picture);
	draw_glasses(f, picture);
	expose(f, picture);
}
