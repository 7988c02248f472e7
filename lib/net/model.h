/*
 * A trained model: one safetensors blob with the weights in PyTorch's shapes
 * and, in its metadata, all that predicting needs.  kfkd-model(5) describes it.
 */
#ifndef KF_MODEL_H
#define KF_MODEL_H

#include "stream/safetensors.h"
#include "stream/schema.h"
#include "stream/tensor.h"

struct kf_st; /* safetensors.h */

struct kf_model {
	char *net;                  /* the line of layers: "dense100 relu dense" */
	int c, h, w;                /* the input image */
	struct kf_names columns;    /* of the outputs */
	struct kf_scale x_scale;    /* of the images it was trained on */
	struct kf_scale y_scale[2]; /* of its outputs: [0] for x, [1] for y; */
				    /* factor 0 where it classifies */
	bool classify;              /* its outputs' softmax are probabilities */

	/* How it was trained, as "option value" pairs: for people to read. */
	int n_notes;
	char **note_key, **note_value;

	int epochs;        /* length of the histories */
	float *train_loss; /* (epochs) */
	float *valid_loss; /* (epochs), NaN without validation */

	int n;                   /* parameters */
	struct kf_tensor *param; /* "dense1.weight" (out, in), "dense1.bias" (out), */
				 /* "conv1.weight" (out, in, kh, kw) ...; F32 */

	/* Only in a checkpoint: what else a run needs to continue. */
	struct kf_meta state;
	int n_extra;
	struct kf_tensor *extra;
};

/*
 * Reads a model from fd.  Of the parameters, shapes are always there; data
 * only where want is NULL (all) or a parameter's name (that one), so that a
 * look at a large model needs little memory; "" wants none.
 */
int kf_model_read(struct kf_model *m, int fd, const char *name, const char *want,
	struct kf_err *err);

/* The same where the header has been read already; takes ownership of st. */
int kf_model_from(struct kf_model *m, struct kf_st *st, const char *want,
	struct kf_err *err);

int kf_model_write(const struct kf_model *m, int fd, const char *name,
	struct kf_err *err);

/* Adds a note, replacing one of the same key. */
void kf_model_note(struct kf_model *m, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

void kf_model_free(struct kf_model *m);

/*
 * Pixels for a loss of 1: RMSE = factor * sqrt(loss).  The root mean square of
 * half the width and half the height: 48 for images of 96 x 96.
 */
double kf_model_pixels(const struct kf_model *m);

#endif
