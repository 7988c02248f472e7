/*
 * How a synthetic face is painted: shapes that mix their tone into the picture
 * by how much of a pixel they cover, lit by the face's light.  Pictures are
 * (side, side), with 0 for black and 1 for white.
 */
#ifndef KF_SYNTH_PAINT_H
#define KF_SYNTH_PAINT_H

#include <math.h>

#include "synth/synth_head.h"

/* -- numbers and vectors ---------------------------------------------------------- */

static inline float kf_limit(float v, float low, float high)
{
	return v < low ? low : v > high ? high : v;
}

/* 0 up to low, 1 from high on, smooth between. */
static inline float kf_ramp(float v, float low, float high)
{
	float t = kf_limit((v - low) / (high - low), 0, 1);

	return t * t * (3 - 2 * t);
}

static inline float kf_mix(float a, float b, float share)
{
	return a + (b - a) * share;
}

static inline float kf_dot(struct kf_vec a, struct kf_vec b)
{
	return a.x * b.x + a.y * b.y + a.z * b.z;
}

static inline struct kf_vec kf_unit(struct kf_vec v)
{
	float by = 1 / sqrtf(kf_dot(v, v));

	return (struct kf_vec){ v.x * by, v.y * by, v.z * by };
}

/* How bright a surface is that faces along normal (length 1). */
float kf_lit(const struct kf_head *f, struct kf_vec normal);

/* -- shapes in the picture -------------------------------------------------------- */

/* What a shape puts on a point: a tone, and how much of it. */
struct kf_ink {
	float tone, cover;
};

/*
 * A shape's own coordinates: (a, b) is at x + a * along + b * down in the
 * picture.  It lies within |a| <= reach_a and |b| <= reach_b.
 */
struct kf_frame {
	float x, y, along_x, along_y, down_x, down_y, reach_a, reach_b;
};

/* What a shape puts on its point (a, b); the pointer says more about the
 * shape. */
typedef struct kf_ink kf_shape(const struct kf_head *f, const void *what, float a,
	float b);

/* Draws a shape on all pixels that it reaches. */
void kf_paint(float *picture, const struct kf_head *f, const struct kf_frame *at,
	kf_shape *draw, const void *what);

/* A patch of the face as a frame. */
struct kf_frame kf_patch_frame(const struct kf_head *f, const struct kf_patch *p,
	float reach_a, float reach_b);

/* Around a point of the head, upright in the picture, units of the head. */
struct kf_frame kf_upright(const struct kf_head *f, struct kf_vec middle,
	float radius_x, float radius_y);

/* The same, turned with the head's roll. */
struct kf_frame kf_turned(const struct kf_head *f, struct kf_vec middle, float radius_x,
	float radius_y);

/* A disc of radius 1: its tone, how opaque, and how soft its edge is. */
struct kf_disc {
	float tone, cover, edge;
};

/* Shapes whose what is a disc: the disc, and all of its frame. */
kf_shape kf_shape_disc, kf_shape_box;

/* Darkens what is there already, softly. */
void kf_shade(float *picture, const struct kf_head *f, struct kf_vec middle,
	float radius_x, float radius_y, float strength);

/* -- parts of the picture --------------------------------------------------------- */

/* Skull and jaw with skin, hair and beard. */
void kf_draw_skull(const struct kf_head *f, float *picture);

/* Eyes, nose, mouth, brows and glasses. */
void kf_draw_features(const struct kf_head *f, float *picture);

#endif
