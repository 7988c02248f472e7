/* The head without its features: skull and jaw, by casting a ray for each pixel. */
#include "synth/synth.h"
#include "synth/synth_paint.h"

#define SIDE KF_SYNTH_SIDE

/* A line of sight through the head: origin + t * towards the viewer. */
struct ray {
	struct kf_vec origin, towards;
};

/* Where it meets something; cover is 0 where it misses. normal has any
 * length. */
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
	float A = kf_dot(d, d), B = kf_dot(o, d), C = kf_dot(o, o);
	float inside = 1 - (C - B * B / A); /* of the sphere that it becomes */
	struct hit hit = { 0, kf_limit(0.5F + inside * radius.x * scale / 2, 0, 1),
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
	share = kf_ramp(jaw.t - skull.t, -6, 6);
	skull.t = kf_mix(skull.t, jaw.t, share);
	skull.cover = skull.cover > jaw.cover ? skull.cover : jaw.cover;
	skull.normal.x = kf_mix(skull.normal.x, jaw.normal.x, share);
	skull.normal.y = kf_mix(skull.normal.y, jaw.normal.y, share);
	skull.normal.z = kf_mix(skull.normal.z, jaw.normal.z, share);
	return skull;
}

/* The head's own colour at a point: skin, beard or hair. */
static float head_tone(const struct kf_head *f, struct kf_vec v)
{
	float side = fabsf(v.x), back = v.z < 12 ? 12 - v.z : 0;
	float fringe = f->hairline + 2 * sinf(v.x * 0.23F + f->hair_wave) +
		0.006F * side * side + 2.2F * back;
	float hair = 1 - kf_ramp(v.y, fringe - 1.5F, fringe + 1.5F);
	/* a beard's edge: lowest on the cheeks, up to the ears at the sides */
	float edge = 0.5F * side - (side > 15 ? 2.4F * (side - 15) : 0);
	float beard = f->beard * kf_ramp(v.y - edge, 7, 19), strands;

	if (hair == 0)
		return kf_mix(f->skin, f->hair, beard);
	strands = sinf(v.x * 1.3F + v.y * 0.3F + f->hair_wave) *
		sinf(v.x * 0.57F - v.y * 0.21F + 2 * f->hair_wave);
	return kf_mix(f->skin, f->hair * (1 + 0.3F * strands), hair);
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
	*pixel = kf_mix(*pixel, head_tone(f, v) * kf_lit(f, kf_unit(hit.normal)),
		hit.cover);
}

void kf_draw_skull(const struct kf_head *f, float *picture)
{
	const float(*t)[3] = f->turn;
	struct ray ray = { .towards = { t[2][0], t[2][1], t[2][2] } };
	/* the head lies in a box of twice 35 x 63 x 39 around the origin */
	float wide = f->scale *
		(35 * fabsf(t[0][0]) + 63 * fabsf(t[0][1]) + 39 * fabsf(t[0][2]));
	float tall = f->scale *
		(35 * fabsf(t[1][0]) + 63 * fabsf(t[1][1]) + 39 * fabsf(t[1][2]));
	int left = (int)kf_limit(f->x - wide, 0, SIDE);
	int right = (int)kf_limit(f->x + wide + 1, 0, SIDE);
	int top = (int)kf_limit(f->y - tall, 0, SIDE);
	int bottom = (int)kf_limit(f->y + tall + 1, 0, SIDE);

	for (int y = top; y < bottom; y++)
		for (int x = left; x < right; x++)
			draw_head_pixel(f, &ray, ((float)x - f->x) / f->scale,
				((float)y - f->y) / f->scale, &picture[y * SIDE + x]);
}
