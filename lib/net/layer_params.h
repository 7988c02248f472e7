/* Reading a line of layers: what is known so far, and parameters of its layers. */
#ifndef KF_LAYER_PARAMS_H
#define KF_LAYER_PARAMS_H

#include "net/layer_words.h"
#include "net/layers.h"

enum { KF_SAVED_MAX = 16 };      /* `save` without its `add` */
enum { KF_LAYERS_OF_WORD = 6 };  /* at most */
enum { KF_LEARNED_OF_WORD = 8 }; /* parameters, at most */
enum { KF_STATISTICS_OF_WORD = 4 };

struct kf_layer_parser {
	struct kf_layers *l;
	int at; /* the layer whose output is the next one's input */
	struct kf_layer
		*open; /* the layer that an activation would belong to, or NULL */
	int saved[KF_SAVED_MAX], depth;
	/* Statistics, which go behind the learned parameters at the end. */
	struct kf_param *statistic;
	int n_statistics;
	size_t statistics; /* floats */
};

/* Adds a layer's weight, of this shape, which starts at random or, of rank 1, as ones; -1
 * if the net gets too large. */
int kf_add_weight(struct kf_layer_parser *p, const struct kf_layer_word *w,
	struct kf_layer *layer, int rank, const int64_t *shape, struct kf_err *err);

/* Adds a layer's bias, one for each output channel; -1 likewise. */
int kf_add_bias(struct kf_layer_parser *p, const struct kf_layer_word *w,
	struct kf_layer *layer, struct kf_err *err);

/* Appends a statistic of each channel, and returns its index among statistics; -1
 * likewise. */
int kf_add_statistic(struct kf_layer_parser *p, const struct kf_layer_word *w,
	const struct kf_layer *layer, const char *what, enum kf_init init,
	struct kf_err *err);

#endif
