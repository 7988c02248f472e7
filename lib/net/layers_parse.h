/* Parsing a line of layers, such as "dense100 relu dense". */
#ifndef KF_LAYERS_PARSE_H
#define KF_LAYERS_PARSE_H

#include "net/layers.h"

/*
 * Parses a line for images of c x h x w and this many outputs; 0 allows any number.
 * Its words are those of KF_LAYER_KINDS, KF_LAYER_SHORTHANDS and, after a layer that has
 * one, KF_ACTIVATIONS.  A last `dense` without a number gets `outputs` units.  A
 * convolution or dense layer has no bias if `batchnorm` follows.  Returns 0, and the
 * caller frees l with kf_layers_free; or -1, with nothing to free and a message that
 * quotes the word and gives its position.
 */
int kf_layers_parse(struct kf_layers *l, const char *line, int c, int h, int w,
	int outputs, struct kf_err *err);

#endif
