/*
 * A net as a line of layers: "dense100 relu dense".  This is its structure:
 * shapes and parameters, without weights and without a device.
 */
#ifndef KF_LAYERS_H
#define KF_LAYERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "stream/tensor.h"

enum kf_layer_kind { KF_DENSE, KF_CONV, KF_POOL, KF_DROP };

enum kf_activation { KF_LINEAR, KF_RELU, KF_TANH, KF_SIGMOID };

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
	int kernel;        /* convolution: k x k, stride 1, no padding; */
	/* pooling: k x k, stride k, a rest is cut */
	double drop;                   /* dropout: probability that a value is zeroed */
	enum kf_activation activation; /* of the output; dense and convolution */
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
 * Words: convNxK (N filters of K x K), poolK, dropP, denseN, and the
 * activations relu, tanh, sigmoid behind a conv or dense.
 *
 * Parses the line for images of c x h x w and that many outputs, 0 for as many
 * as come out.  A last `dense` without a number gets `outputs` units.  An error
 * quotes the word and gives its place.
 */
int kf_layers_parse(struct kf_layers *l, const char *line, int c, int h, int w,
	int outputs, struct kf_err *err);
void kf_layers_free(struct kf_layers *l);

int kf_layer_outputs(const struct kf_layer *l); /* c h w of its output */
int kf_layer_inputs(const struct kf_layer *l);

#endif
