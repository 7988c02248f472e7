/*
 * A net as a line of layers: "dense100 relu dense".  This is its structure:
 * shapes and parameters, without weights and without a device.
 */
#ifndef KF_LAYERS_H
#define KF_LAYERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/table.h"
#include "net/activation.h"
#include "stream/tensor.h"

/*
 * The kinds of layers, as rows X(NAME, word, form, class): the word and the form
 * of what follows it are how a line writes such a layer, and class is what the
 * tutorial calls it.  layers.c has a function add_<word> that parses it, and each
 * backend the operations of one, cpu_<word> and cuda_<word>.
 */
/* clang-format off */
#define KF_LAYER_KINDS(X) \
	X(DENSE, dense, "N", "DenseLayer") \
	X(CONV, conv, "NxK", "Conv2DLayer") \
	X(POOL, pool, "K", "MaxPool2DLayer") \
	X(DROP, drop, "P", "DropoutLayer")
/* clang-format on */

#define KF_LAYER_KIND_NAME(NAME, ...) KF_##NAME,
enum kf_layer_kind { KF_LAYER_KINDS(KF_LAYER_KIND_NAME) };
#undef KF_LAYER_KIND_NAME

enum { KF_LAYER_KIND_COUNT = 0 KF_LAYER_KINDS(KF_COUNT_ROW) };

/* A parameter: its place in an arena of floats, and its shape in PyTorch. */
struct kf_param {
	char name[KF_NAME_MAX]; /* "dense1.weight" */
	int rank;
	int64_t shape[KF_RANK_MAX];
	size_t offset, count; /* floats */
};

struct kf_layer {
	enum kf_layer_kind kind;
	char name[32];     /* "dense1": the kind, counted from 1 */
	int index;         /* in the line, from 0 */
	int in[3], out[3]; /* channels, height, width */
	/* Convolution: k x k, stride 1, no padding.  Pooling: k x k, stride k, and
	 * rows and columns that do not fill a window are left out. */
	int kernel;
	double drop;                   /* dropout: probability that a value is zeroed */
	enum kf_activation activation; /* of the output; only with weights */
	int weight, bias;              /* indices into param, -1 for none */
};

struct kf_layers {
	char *line;  /* as given, one space between words */
	int c, h, w; /* the input */
	int outputs;
	int n;
	struct kf_layer *layer;
	int n_params;
	struct kf_param *param;
	size_t floats; /* in all parameters */
};

/*
 * Parses a line for images of c x h x w and that many outputs, 0 for as many as
 * come out.  Its words are those of KF_LAYER_KINDS, and those of KF_ACTIVATIONS
 * after a layer that has weights.  A last `dense` without a number gets `outputs`
 * units.  -1 with a message that quotes the word and gives its place.
 */
int kf_layers_parse(struct kf_layers *l, const char *line, int c, int h, int w,
	int outputs, struct kf_err *err);
void kf_layers_free(struct kf_layers *l);

int kf_layer_inputs(const struct kf_layer *l); /* values of an image, c h w */
int kf_layer_outputs(const struct kf_layer *l);

/* Values in the parameters of one layer of l. */
size_t kf_layer_floats(const struct kf_layers *l, const struct kf_layer *layer);

const char *kf_layer_class(enum kf_layer_kind kind);           /* "DenseLayer" */
const char *kf_activation_word(enum kf_activation activation); /* "relu"; "" if none */

#endif
