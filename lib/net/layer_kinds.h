/* Parsing a line of layers word by word: for layers.c, which calls a kf_add_<word> for
 * each. */
#ifndef KF_LAYER_KINDS_H
#define KF_LAYER_KINDS_H

#include "net/layer_params.h"

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
