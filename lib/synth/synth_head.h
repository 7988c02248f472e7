/*
 * A synthetic face: what synth.c makes up and synth_draw.c draws.
 *
 * Head coordinates: the origin lies inside the head, x goes to the right in
 * the picture (the subject's left), y down and z towards the viewer.  Their
 * unit is the pixel at scale 1, at which the eyes are about 31 apart.
 * Index 0 is the subject's left side, 1 the right one.
 */
#ifndef KF_SYNTH_HEAD_H
#define KF_SYNTH_HEAD_H

#include <stdint.h>

struct kf_vec {
	float x, y, z;
};

/*
 * A flat piece of the face on which a feature is drawn: (a, b) on it is
 * middle + a * along + b * down, and the feature ends at a = -1 and a = 1.
 */
struct kf_patch {
	struct kf_vec middle, along, down;
};

struct kf_head {
	/* Pose: picture = (x, y) + scale * (turn * head), without its z. */
	float turn[3][3], scale, x, y;

	struct kf_patch eye[2], brow[2], mouth; /* eyes: from inner to outer end */
	struct kf_vec nose_root, nose_tip;
	float jaw; /* half its width */
	float eye_open, gaze_a, gaze_b;
	float brow_arch, brow_thick;
	float nose_width;
	float mouth_bend; /* how far its middle is below the corners */
	float mouth_gap, lip_top, lip_bottom, lip_notch;

	/* Tones from 0 to 1; strengths, 0 meaning none. */
	float skin, hair, iris, lips, beard, glasses;
	float hairline;  /* its y */
	float hair_long; /* how far the hair hangs down */
	float hair_wave;

	struct kf_vec light; /* towards it, in head coordinates, length 1 */
	float ambient, diffuse;
	float slope_x, slope_y; /* of the brightness over the picture */
	float blur, noise;
};

/* Independent numbers for one row, one after the other. */
struct kf_dice {
	uint64_t seed, index;
	uint32_t layer, row;
};

float kf_dice_roll(struct kf_dice *d, float low, float high);

/* Where a point of the head and one of a patch are in the picture (z: depth). */
struct kf_vec kf_head_project(const struct kf_head *f, struct kf_vec v);
struct kf_vec kf_patch_point(const struct kf_patch *p, float a, float b);

/* Draws onto an empty picture (side, side), with 0 for black and 1 for white. */
void kf_head_draw(const struct kf_head *f, struct kf_dice *clutter, float *picture);

#endif
