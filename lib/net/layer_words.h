/* Words of a line of layers, and their arguments. */
#ifndef KF_LAYER_WORDS_H
#define KF_LAYER_WORDS_H

#include <stdbool.h>

#include "base/err.h"

#define KF_UNITS_MAX 1000000 /* a number in a word is from 1 to this */

/* A word of the line: letters, then what is particular to it. */
struct kf_layer_word {
	const char *line; /* all of it */
	const char *at;
	int length, letters;
	int position;     /* 1, 2, ... */
	bool last;        /* but for activations */
	const char *next; /* the word behind it, or "" */
};

/* Fails with a message that quotes the word and gives its position. */
int kf_bad_word(const struct kf_layer_word *w, struct kf_err *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The only argument of a word: a number, 0 if there is none, -1 if it is anything
 * else. */
int kf_word_number(const struct kf_layer_word *w);

/* The same for a real number; NAN if it is anything else. */
double kf_word_real(const struct kf_layer_word *w);

/* N filters of K x K, padding and stride. */
struct kf_filters {
	int n, kernel, pad, stride;
};

/* Reads "NxK[pP][sS]" behind the letters; false if it is anything else. */
bool kf_word_filters(const struct kf_layer_word *w, struct kf_filters *f);

bool kf_next_word_is(const struct kf_layer_word *w, const char *word);

#endif
