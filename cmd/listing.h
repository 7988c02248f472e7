/* What kfkd-train and kfkd-stat say of a layer alike. */
#ifndef LISTING_H
#define LISTING_H

#include "net/layers.h"

/*
 * "of conv7", where a layer's input is not simply the layer before it: for an add, what it
 * adds; for others, where they branch off.  Otherwise "".  Names are those of the
 * parameters, and "input" is the net's.
 */
void layer_branch(const struct kf_layers *l, const struct kf_layer *layer, char *text,
	size_t size);

#endif
