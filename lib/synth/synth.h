/*
 * Synthetic faces with exact keypoints, for a demonstration and tests that
 * need no download.  A face depends on the seed and its row alone.
 */
#ifndef KF_SYNTH_H
#define KF_SYNTH_H

#include <stdint.h>

#define KF_SYNTH_SIDE 96    /* width and height of the picture */
#define KF_SYNTH_COLUMNS 30 /* x and y of 15 keypoints */

/* Names of the columns in Kaggle's order; left is the subject's left. */
extern const char *const kf_synth_columns[KF_SYNTH_COLUMNS];

/*
 * Draws the face of a row.  Keypoints are in pixels, 0 being the middle of
 * the first one, and lie within the picture.
 */
void kf_synth_face(uint64_t seed, uint32_t row,
	uint8_t image[KF_SYNTH_SIDE * KF_SYNTH_SIDE], float y[KF_SYNTH_COLUMNS]);

/*
 * Kaggle's pattern of missing values: that share of the rows keeps the eye
 * centres, the nose tip and the bottom lip, and one in a hundred of these
 * rows lacks a fourth point of them.  What is missing becomes NaN.
 */
void kf_synth_missing(uint64_t seed, uint32_t row, double share,
	float y[KF_SYNTH_COLUMNS]);

#endif
