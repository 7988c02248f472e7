/*
 * A net's structure: shapes and parameters, without weights or a device.  A line of
 * words such as "dense100 relu dense" describes it.
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
 * The kinds of layers, as rows X(NAME, word, form, class).  A line spells such a layer
 * as the word followed by arguments of this form; class is its name in
 * the log: Lasagne's where it has one.
 * layers.c has a function add_<word> that parses it, and each backend has its
 * operations, cpu_<word> and cuda_<word>.
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

/* A parameter: its position in an arena of floats, and its shape as in PyTorch. */
struct kf_param {
	char name[KF_NAME_MAX]; /* "dense1.weight" */
	int rank;
	int64_t shape[KF_RANK_MAX];
	size_t offset, count; /* floats */
};

struct kf_layer {
	enum kf_layer_kind kind;
	char name[32];     /* "dense1": numbered from 1 within its kind */
	int index;         /* in the line, from 0 */
	int in[3], out[3]; /* channels, height, width */
	/* Convolution: k x k, stride 1, no padding.  Pooling: k x k, stride k;
	 * rows and columns that do not fill a window are ignored. */
	int kernel;
	double drop;                   /* dropout: probability that a value is zeroed */
	enum kf_activation activation; /* of the output; KF_LINEAR without weights */
	int weight, bias;              /* indices into param, -1 for none */
};

struct kf_layers {
	char *line;  /* as given, one space between words */
	int c, h, w; /* the input */
	int outputs; /* as given to kf_layers_parse */
	int n;
	struct kf_layer *layer;
	int n_params;
	struct kf_param *param;
	size_t floats; /* in all parameters */
};

/*
 * Parses a line for images of c x h x w and this many outputs; 0 allows any number.
 * Its words are those of KF_LAYER_KINDS and, after a layer with weights, those of
 * KF_ACTIVATIONS.  A last `dense` without a number gets `outputs` units.  Returns 0,
 * and the caller frees l with kf_layers_free; or -1, with nothing to free and a
 * message that quotes the word and gives its position.
 */
int kf_layers_parse(struct kf_layers *l, const char *line, int c, int h, int w,
	int outputs, struct kf_err *err);
void kf_layers_free(struct kf_layers *l);

/* Values per image in a layer's input and output: c h w. */
int kf_layer_inputs(const struct kf_layer *l);
int kf_layer_outputs(const struct kf_layer *l);

/* Floats in the parameters of one layer of l. */
size_t kf_layer_floats(const struct kf_layers *l, const struct kf_layer *layer);

/* The tensor of t (n) that has the parameter's name, after the prefix, and its shape;
 * or NULL. */
const struct kf_tensor *kf_param_find(const struct kf_param *p, const char *prefix,
	const struct kf_tensor *t, int n);

const char *kf_layer_class(enum kf_layer_kind kind);           /* "DenseLayer" */
const char *kf_activation_word(enum kf_activation activation); /* "relu"; "" if none */

#endif
