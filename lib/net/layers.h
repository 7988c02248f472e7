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
#include "stream/names.h"
#include "stream/tensor.h"

/*
 * The kinds of layers, as rows X(NAME, word, form, activates).  A line spells such
 * a layer as the word followed by arguments of this form, those in brackets optional;
 * `activates` tells whether an activation may follow.
 * layer_kinds.c has a function kf_add_<word> that parses it, and each backend has its
 * operations, cpu_<word> and cuda_<word>.
 */
/* clang-format off */
#define KF_LAYER_KINDS(X) \
	X(DENSE, dense, "N", true) \
	X(CONV, conv, "NxK[pP][sS]", true) \
	X(POOL, pool, "K", false) \
	X(AVGPOOL, avgpool, "[K]", false) \
	X(UPSCALE, upscale, "K", false) \
	X(DROP, drop, "P", false) \
	X(BATCHNORM, batchnorm, "", true) \
	X(ADD, add, "[NxK[pP][sS]]", true) \
	X(SOFTARGMAX, softargmax, "", false)
/* clang-format on */

/*
 * Other words, as rows X(word, form), each with a function kf_add_<word>: `save` remembers
 * the layer before it for an `add`, which adds what was saved last, after a convolution
 * if it has arguments; `resN` stands for a residual block of N filters, by default as
 * many as its input has channels,
 *
 *     save convNx3p1 batchnorm relu convNx3p1 batchnorm add relu
 *
 * with addNx1 if its input has not N channels; `maps` stands for convNx1 with a filter for
 * each point, half as many as there are targets.
 */
#define KF_LAYER_SHORTHANDS(X) X(save, "") X(res, "[N]") X(maps, "")

#define KF_LAYER_KIND_NAME(NAME, ...) KF_##NAME,
enum kf_layer_kind { KF_LAYER_KINDS(KF_LAYER_KIND_NAME) };
#undef KF_LAYER_KIND_NAME

enum { KF_LAYER_KIND_COUNT = 0 KF_LAYER_KINDS(KF_COUNT_ROW) };

/* How a parameter starts: Glorot's range is kf_net_init's. */
enum kf_init { KF_ZERO, KF_ONE, KF_GLOROT };

/* A parameter: its position in an arena of floats, and its shape as in PyTorch. */
struct kf_param {
	char name[KF_NAME_MAX]; /* "dense1.weight" */
	int rank;
	int64_t shape[KF_RANK_MAX];
	size_t offset, count; /* floats */
	enum kf_init init;
};

#define KF_BATCHNORM_EPSILON 1e-5 /* is added to a variance */
#define KF_LAYERS_MAX 1536        /* from 256 words */
#define KF_INPUT (-1)             /* in place of a layer's index: the net's input */

struct kf_layer {
	enum kf_layer_kind kind;
	char name[32];     /* "dense1": numbered from 1 within its kind */
	int index;         /* in the line, from 0 */
	int from;          /* the layer whose output is its input, or KF_INPUT */
	int other;         /* add: the layer whose output it adds, or KF_INPUT */
	int readers;       /* how many times its output is an input */
	int in[3], out[3]; /* channels, height, width */
	/* Convolution: k x k, after `pad` zeros on each side.  Pooling: k x k, stride k;
	 * rows and columns that do not fill a window are ignored.  Upscaling: each value
	 * becomes k x k; where the output is larger, the last ones are repeated. */
	int kernel, stride, pad;
	int image[2];                  /* height and width of the net's input */
	double drop;                   /* dropout: probability that a value is zeroed */
	enum kf_activation activation; /* of the output; KF_LINEAR without one */
	int weight, bias;              /* indices into param, -1 for none */
	int mean, variance;            /* batch norm's statistics, likewise */
};

struct kf_layers {
	char *line;  /* as given, one space between words */
	int c, h, w; /* the input */
	int outputs; /* as given to kf_layers_parse */
	int n;
	struct kf_layer *layer;
	/* Those that are learned, then statistics, which no update rule changes. */
	int n_params, n_learned;
	struct kf_param *param;
	size_t floats, learned; /* in all parameters, and in those that are learned */
};

void kf_layers_free(struct kf_layers *l);

/* -1 unless the outputs may have these names: those of a softargmax alternate between x
 * and y of the same point. */
int kf_layers_check_columns(const struct kf_layers *l, const struct kf_names *columns,
	struct kf_err *err);

/* Values per image in a layer's input and output: c h w. */
int kf_layer_inputs(const struct kf_layer *l);
int kf_layer_outputs(const struct kf_layer *l);

/* Products per image in a layer's sums, those with padding included. */
size_t kf_layer_products(const struct kf_layer *l);

/* The same in all layers. */
size_t kf_layers_products(const struct kf_layers *l);

/* Floats in the parameters that one layer of l learns. */
size_t kf_layer_floats(const struct kf_layers *l, const struct kf_layer *layer);

/* The tensor of t (n) that has the parameter's name, after the prefix, and its shape;
 * or NULL. */
const struct kf_tensor *kf_param_find(const struct kf_param *p, const char *prefix,
	const struct kf_tensor *t, int n);

const char *kf_activation_word(enum kf_activation activation); /* "relu"; "" if none */

#endif
