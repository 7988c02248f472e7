/* Parsing a line of layers word by word: for layers.c, which calls a kf_add_<word> for
 * each. */
#ifndef KF_LAYER_KINDS_H
#define KF_LAYER_KINDS_H

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

#define KF_ADD_WORD(word) \
	int kf_add_##word(struct kf_layer_parser *p, const struct kf_layer_word *w, \
		struct kf_err *err);
#define KF_ADD_KIND(NAME, word, ...) KF_ADD_WORD(word)
#define KF_ADD_SHORTHAND(word, form) KF_ADD_WORD(word)
KF_LAYER_KINDS(KF_ADD_KIND)
KF_LAYER_SHORTHANDS(KF_ADD_SHORTHAND)
#undef KF_ADD_KIND
#undef KF_ADD_SHORTHAND
#undef KF_ADD_WORD

#endif
