/* Words of a line of layers, and their arguments. */
#define _GNU_SOURCE
#include "net/layer_words.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int kf_bad_word(const struct kf_layer_word *w, struct kf_err *err, const char *fmt, ...)
{
	char why[sizeof err->msg];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	return kf_fail(err, "layer %d of '%.200s', '%.*s': %s", w->position, w->line,
		w->length, w->at, why);
}

/*
 * Reads an integer from 1 to max at *at, and moves *at past it.  Returns 0 if there
 * is none, -1 if it is out of bounds.
 */
static int read_number(const char **at, const char *end, int max)
{
	const char *start = *at;
	long v = 0;

	while (*at < end && isdigit((unsigned char)**at)) {
		v = v * 10 + *(*at)++ - '0';
		if (v > max)
			return -1;
	}
	return *at > start && v == 0 ? -1 : (int)v;
}

static const char *word_end(const struct kf_layer_word *w)
{
	return w->at + w->length;
}

int kf_word_number(const struct kf_layer_word *w)
{
	const char *at = w->at + w->letters;
	int v = read_number(&at, word_end(w), KF_UNITS_MAX);

	return at == word_end(w) ? v : -1;
}

double kf_word_real(const struct kf_layer_word *w)
{
	char *end;
	double v = strtod(w->at + w->letters, &end); /* stops at a blank or the end */

	return w->letters < w->length && end == word_end(w) ? v : NAN;
}

/* A number after a letter, `without` if the letter is not at *at; -1 on an error. */
static int read_letter(const char **at, const char *end, char letter, int without)
{
	int v;

	if (*at == end || **at != letter)
		return without;
	++*at;
	v = read_number(at, end, KF_UNITS_MAX);
	return v > 0 ? v : -1;
}

bool kf_word_filters(const struct kf_layer_word *w, struct kf_filters *f)
{
	const char *at = w->at + w->letters, *end = word_end(w);

	f->n = read_number(&at, end, KF_UNITS_MAX);
	f->kernel = read_letter(&at, end, 'x', -1);
	f->pad = read_letter(&at, end, 'p', 0);
	f->stride = read_letter(&at, end, 's', 1);
	return at == end && f->n > 0 && f->kernel > 0 && f->pad >= 0 && f->stride > 0;
}

bool kf_next_word_is(const struct kf_layer_word *w, const char *word)
{
	size_t n = strlen(word);

	return !strncmp(w->next, word, n) && (w->next[n] == ' ' || !w->next[n]);
}
