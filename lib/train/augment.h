/*
 * Augmentation: batches of images changed at random, the keypoints with them.
 * Each step draws anew, from the originals.
 */
#ifndef KF_AUGMENT_H
#define KF_AUGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "net/backend.h"
#include "stream/schema.h"

/* What is drawn, uniformly, for each row. */
struct kf_augment {
	bool flip;       /* half the rows of a batch, left for right: x becomes */
			 /* width - 1 - x, as 0 is the middle of the first pixel */
			 /* (the tutorial has width - x, one pixel off) */
	double shift;    /* up to so many pixels along x and along y */
	double rotate;   /* up to so many degrees, about the middle */
	double scale;    /* by a factor of 1 - scale to 1 + scale */
	double contrast; /* the same, about the middle grey */
};

/* Parses "flip,shift:2,rotate:10,scale:.1,contrast:.2", any of them. */
int kf_augment_parse(struct kf_augment *a, const char *text, struct kf_err *err);
bool kf_augment_any(const struct kf_augment *a);
/* The text that parses to a. */
void kf_augment_print(const struct kf_augment *a, char *text, size_t size);

/* An augmentation for rows of a schema. */
struct kf_augmenter {
	struct kf_augment what;
	int w, h;
	struct kf_scale scale[2]; /* of the targets */
	int m;
	int *axis;    /* (m) 0 for x, 1 for y */
	int *partner; /* (m) the same point's other coordinate, or -1 */
	int *mirror;  /* (m) the column whose value it gets by a flip */
};

/*
 * -1 where a flip lacks the other side of a column (left in one name, right in
 * the other), or a rotation the other coordinate.
 */
int kf_augmenter_open(struct kf_augmenter *g, const struct kf_augment *what,
	const struct kf_schema *s, struct kf_err *err);
void kf_augmenter_close(struct kf_augmenter *g);

/*
 * Draws for a batch of n rows at a step: how the images are changed, and in
 * moved (n, m) the targets of these rows of y (.., m), scaled as before.
 */
void kf_augment_batch(const struct kf_augmenter *g, uint64_t seed, uint32_t step,
	const float *y, const uint32_t *rows, int n, struct kf_warp *warps,
	float *moved);

#endif
