/*
 * A trained model: one safetensors blob with the weights in PyTorch's shapes
 * and, in its metadata, everything that prediction needs; see kfkd-model(5).
 */
#ifndef KF_MODEL_H
#define KF_MODEL_H

#include "stream/safetensors.h"
#include "stream/schema.h"
#include "stream/tensor.h"

struct kf_model {
	char *net;                  /* the line of layers: "dense100 relu dense" */
	int c, h, w;                /* the input image */
	struct kf_names columns;    /* of the outputs */
	struct kf_scale x_scale;    /* of the images that it was trained on */
	struct kf_scale y_scale[2]; /* of the outputs: [0] for x, [1] for y; */
	/* factor 0 if it classifies */
	bool classify;               /* softmax(outputs) are class probabilities */
	struct kf_names class_names; /* (columns.n) of these classes, or none */
	/* What x of a point and of its mirror image add up to, in pixels, if training found
	 * that; else 0. */
	double flip_sum;

	/* How it was trained: options and their values, by long option name. */
	struct kf_meta notes;

	int epochs;        /* length of the histories */
	float *train_loss; /* (epochs) */
	float *valid_loss; /* (epochs), NaN without validation */

	int n;                   /* parameters */
	struct kf_tensor *param; /* "dense1.weight" (out, in), "dense1.bias" (out), */
				 /* "conv1.weight" (out, in, kh, kw) ...; F32 */

	/* Only in a checkpoint: what else is needed to resume training. */
	struct kf_meta state;
	int n_extra;
	struct kf_tensor *extra;
};

/*
 * Reads a model from fd, which messages call `name`.  All parameters get their
 * shapes; data is loaded for all of them if want is NULL, else only for the one that
 * want names, so that inspecting a large model takes little memory; "" names none.
 * Returns 0, and the caller frees m with kf_model_free; or -1, with nothing to free.
 */
int kf_model_read(struct kf_model *m, int fd, const char *name, const char *want,
	struct kf_err *err);

/* The same once the header has been read, with st->adopt as the caller chose; frees st
 * in any case. */
int kf_model_from(struct kf_model *m, struct kf_st *st, const char *want,
	struct kf_err *err);

/*
 * Reads the weights alone from fd: of a model, or of any safetensors file that another
 * program has written, such as the state of a module of PyTorch's.  Of the latter m has the
 * tensors, which must be F32, and m->net is NULL; PyTorch's counts of batches are left out.
 */
int kf_model_read_weights(struct kf_model *m, int fd, const char *name,
	struct kf_err *err);

/* Writes m to fd, which messages call `name`; -1 on failure. */
int kf_model_write(const struct kf_model *m, int fd, const char *name,
	struct kf_err *err);

/* Adds a note, which replaces one with the same key.  Where memory runs out for one,
 * kf_model_write fails. */
void kf_model_note(struct kf_model *m, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

void kf_model_free(struct kf_model *m);

/*
 * The RMSE in pixels at a loss of 1: RMSE = kf_model_pixels * sqrt(loss).  It is the
 * root mean square of half the width and half the height: 48 for 96 x 96 images.
 */
double kf_model_pixels(const struct kf_model *m);

#endif
