/*
 * A net as a line of layers: "dense100 relu dense".  This is its structure:
 * shapes and parameters, without weights and without a device.
 */
#ifndef KF_LAYERS_H
#define KF_LAYERS_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "tensor.h"

enum kf_layer_kind { KF_DENSE };

enum kf_activation { KF_LINEAR, KF_RELU };

/* A parameter: its place in an arena of floats, and its shape in PyTorch. */
struct kf_param {
	char name[KF_NAME_MAX];      /* "dense1.weight" */
	int rank;
	int64_t shape[KF_RANK_MAX];
	size_t offset, count;        /* floats */
};

struct kf_layer {
	enum kf_layer_kind kind;
	char name[32];               /* "dense1": the kind, counted from 1 */
	int in[3], out[3];           /* channels, height, width */
	enum kf_activation activation; /* of its output */
	int weight, bias;            /* indices into params */
};

struct kf_layers {
	char *line;                  /* as given, presets written out */
	int c, h, w;                 /* the input */
	int outputs;
	int n;
	struct kf_layer *layer;
	int n_params;
	struct kf_param *param;
	size_t floats;               /* in all parameters */
};

/*
 * Parses the line for images of c x h x w and that many outputs.  A last
 * `dense` without a number gets `outputs` units.  An error quotes the word and
 * gives its place.
 */
int kf_layers_parse(struct kf_layers *l, const char *line, int c, int h, int w,
	int outputs, struct kf_err *err);
void kf_layers_free(struct kf_layers *l);

int kf_layer_outputs(const struct kf_layer *l); /* c h w of its output */
int kf_layer_inputs(const struct kf_layer *l);

/* The layers of a preset such as net1, NULL if there is none of that name. */
const char *kf_preset(const char *name);

#endif
