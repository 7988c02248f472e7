/* The weights of a net's first layer as pictures of what each unit looks for. */
#ifndef KF_WEIGHTS_H
#define KF_WEIGHTS_H

#include "draw/picture.h"
#include "net/model.h"

struct kf_weights {
	int units, c, h, w;
	const float *value;    /* (units, c, h, w) */
	struct kf_model model; /* keeps them */
};

/*
 * Reads a model's first parameter and none of the others: of a convolution
 * each filter; of a dense layer each unit's weights in the shape of the input
 * image.  -1 also where the layer does not see the image itself.
 */
int kf_weights_read(struct kf_weights *k, int fd, const char *name, struct kf_err *err);
void kf_weights_free(struct kf_weights *k);

/* Columns that make the sheet about square; a unit's channels stay together. */
int kf_weights_columns(const struct kf_weights *k);

/*
 * Writes a sheet with a picture for each channel of each unit, zoom pixels a
 * weight (0: small filters become large enough to see).  Zero is mid-grey, and
 * the unit's weight of the largest magnitude is white or black; with colour
 * zero is white, and weights are red above and blue below it.  A dark frame and
 * a light gap part pictures of any tone.
 */
int kf_draw_weights(const struct kf_weights *k, const struct kf_outlet *to, int columns,
	int rows, int zoom, bool colour, struct kf_err *err);

#endif
