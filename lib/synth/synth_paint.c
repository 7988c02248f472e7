/* Shapes that mix their tone into a picture. */
#include "synth/synth_paint.h"

#include "synth/synth.h"

#define SIDE KF_SYNTH_SIDE

float kf_lit(const struct kf_head *f, struct kf_vec normal)
{
	float facing = kf_dot(normal, f->light) * 0.85F + 0.15F;

	return f->ambient + f->diffuse * (facing > 0 ? facing : 0);
}

void kf_paint(float *picture, const struct kf_head *f, const struct kf_frame *at,
	kf_shape *draw, const void *what)
{
	float det = at->along_x * at->down_y - at->along_y * at->down_x;
	float wide = fabsf(at->along_x * at->reach_a) + fabsf(at->down_x * at->reach_b);
	float tall = fabsf(at->along_y * at->reach_a) + fabsf(at->down_y * at->reach_b);
	int left = (int)kf_limit(at->x - wide, 0, SIDE);
	int right = (int)kf_limit(at->x + wide + 1, 0, SIDE);
	int top = (int)kf_limit(at->y - tall, 0, SIDE);
	int bottom = (int)kf_limit(at->y + tall + 1, 0, SIDE);

	if (fabsf(det) < 1e-3F)
		return; /* seen from its edge */
	for (int y = top; y < bottom; y++)
		for (int x = left; x < right; x++) {
			float dx = (float)x - at->x, dy = (float)y - at->y;
			float a = (dx * at->down_y - dy * at->down_x) / det;
			float b = (dy * at->along_x - dx * at->along_y) / det;
			float *pixel = &picture[y * SIDE + x];
			struct kf_ink ink;

			if (fabsf(a) > at->reach_a || fabsf(b) > at->reach_b)
				continue;
			ink = draw(f, what, a, b);
			*pixel = kf_mix(*pixel, ink.tone, ink.cover);
		}
}

struct kf_frame kf_patch_frame(const struct kf_head *f, const struct kf_patch *p,
	float reach_a, float reach_b)
{
	struct kf_vec o = kf_head_project(f, p->middle);
	struct kf_vec a = kf_head_project(f, kf_patch_point(p, 1, 0));
	struct kf_vec b = kf_head_project(f, kf_patch_point(p, 0, 1));

	return (struct kf_frame){ o.x, o.y, a.x - o.x, a.y - o.y, b.x - o.x, b.y - o.y,
		reach_a, reach_b };
}

struct kf_frame kf_upright(const struct kf_head *f, struct kf_vec middle,
	float radius_x, float radius_y)
{
	struct kf_vec o = kf_head_project(f, middle);

	return (struct kf_frame){ o.x, o.y, f->scale * radius_x, 0, 0,
		f->scale * radius_y, 1.2F, 1.2F };
}

struct kf_frame kf_turned(const struct kf_head *f, struct kf_vec middle, float radius_x,
	float radius_y)
{
	struct kf_patch p = { middle, { radius_x, 0, 0 }, { 0, radius_y, 0 } };

	return kf_patch_frame(f, &p, 1.2F, 1.2F);
}

struct kf_ink kf_shape_disc(const struct kf_head *f, const void *what, float a, float b)
{
	const struct kf_disc *d = what;
	float r = sqrtf(a * a + b * b);

	(void)f;
	return (struct kf_ink){ d->tone,
		d->cover * (1 - kf_ramp(r, 1 - d->edge, 1 + 0.1F * d->edge)) };
}

struct kf_ink kf_shape_box(const struct kf_head *f, const void *what, float a, float b)
{
	const struct kf_disc *d = what;

	(void)f;
	(void)a;
	(void)b;
	return (struct kf_ink){ d->tone, d->cover };
}

void kf_shade(float *picture, const struct kf_head *f, struct kf_vec middle,
	float radius_x, float radius_y, float strength)
{
	struct kf_frame at = kf_turned(f, middle, radius_x, radius_y);
	struct kf_disc shadow = { 0, strength, 1 };

	kf_paint(picture, f, &at, kf_shape_disc, &shadow);
}
