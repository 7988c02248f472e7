/* The line of layers: words, shapes, parameters. */
#define _GNU_SOURCE
#include "layers.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNITS_MAX 1000000
#define FLOATS_MAX ((size_t)1 << 31)

static const struct {
	const char *name, *line;
} presets[] = {
	{ "net1", "dense100 relu dense" },
};

const char *kf_preset(const char *name)
{
	for (size_t i = 0; i < sizeof presets / sizeof *presets; i++)
		if (!strcmp(presets[i].name, name))
			return presets[i].line;
	return NULL;
}

int kf_layer_outputs(const struct kf_layer *l)
{
	return l->out[0] * l->out[1] * l->out[2];
}

int kf_layer_inputs(const struct kf_layer *l)
{
	return l->in[0] * l->in[1] * l->in[2];
}

/* A word of the line: letters, then the rest of it. */
struct word {
	const char *at;
	int length, letters;
	int position;   /* 1, 2, ... */
	bool last;
};

static int bad_word(const struct kf_layers *l, const struct word *w,
	const char *why, struct kf_err *err)
{
	return kf_fail(err, "layer %d of '%.200s', '%.*s': %s", w->position, l->line,
		w->length, w->at, why);
}

/* The number behind the letters, 0 when there is none, -1 when it is bad. */
static int word_number(const struct word *w)
{
	long v = 0;

	for (int i = w->letters; i < w->length; i++) {
		if (!isdigit((unsigned char)w->at[i]))
			return -1;
		v = v * 10 + w->at[i] - '0';
		if (v > UNITS_MAX)
			return -1;
	}
	return w->letters < w->length && v == 0 ? -1 : (int)v;
}

static int add_param(struct kf_layers *l, const struct kf_layer *layer,
	const char *what, int rank, const int64_t *shape)
{
	struct kf_param *p = &l->param[l->n_params];

	snprintf(p->name, sizeof p->name, "%s.%s", layer->name, what);
	p->rank = rank;
	p->count = 1;
	for (int i = 0; i < rank; i++) {
		p->shape[i] = shape[i];
		p->count *= (size_t)shape[i];
	}
	p->offset = l->floats;
	l->floats += p->count;
	return l->n_params++;
}

/* A new layer of that kind; its input is the output of the one before. */
static struct kf_layer *add_layer(struct kf_layers *l, enum kf_layer_kind kind,
	const char *kind_name)
{
	struct kf_layer *layer = &l->layer[l->n];
	int count = 1;

	for (int i = 0; i < l->n; i++)
		count += l->layer[i].kind == kind;
	*layer = (struct kf_layer){ .kind = kind, .weight = -1, .bias = -1 };
	snprintf(layer->name, sizeof layer->name, "%s%d", kind_name, count);
	if (l->n)
		memcpy(layer->in, layer[-1].out, sizeof layer->in);
	else
		memcpy(layer->in, (int[]){ l->c, l->h, l->w }, sizeof layer->in);
	l->n++;
	return layer;
}

static int add_dense(struct kf_layers *l, const struct word *w, struct kf_err *err)
{
	int units = word_number(w);
	struct kf_layer *layer;
	int64_t shape[2];

	if (units < 0)
		return bad_word(l, w, "the number of units is not from 1 to 1000000", err);
	if (units == 0 && !w->last)
		return bad_word(l, w, "only the last layer may lack its number of units",
			err);
	layer = add_layer(l, KF_DENSE, "dense");
	memcpy(layer->out, (int[]){ units ? units : l->outputs, 1, 1 },
		sizeof layer->out);
	shape[0] = kf_layer_outputs(layer);
	shape[1] = kf_layer_inputs(layer);
	if ((size_t)shape[0] * (size_t)shape[1] > FLOATS_MAX - l->floats)
		return bad_word(l, w, "the net is too large", err);
	layer->weight = add_param(l, layer, "weight", 2, shape);
	layer->bias = add_param(l, layer, "bias", 1, shape);
	return 0;
}

static int add_activation(struct kf_layers *l, const struct word *w,
	enum kf_activation activation, struct kf_err *err)
{
	if (l->n == 0 || l->layer[l->n - 1].activation != KF_LINEAR)
		return bad_word(l, w, "an activation follows a dense layer", err);
	if (w->letters != w->length)
		return bad_word(l, w, "takes no number", err);
	l->layer[l->n - 1].activation = activation;
	return 0;
}

static int add_word(struct kf_layers *l, const struct word *w, struct kf_err *err)
{
	static const struct {
		const char *name;
		enum kf_activation activation;
	} activations[] = { { "relu", KF_RELU } };

	if (w->letters == 5 && !strncmp(w->at, "dense", 5))
		return add_dense(l, w, err);
	for (size_t i = 0; i < sizeof activations / sizeof *activations; i++)
		if ((size_t)w->letters == strlen(activations[i].name) &&
			!strncmp(w->at, activations[i].name, (size_t)w->letters))
			return add_activation(l, w, activations[i].activation, err);
	return bad_word(l, w, "no such layer; there are denseN and relu", err);
}

/* The text with one space between words. */
static char *tidy(const char *line, int *words)
{
	char *out = malloc(strlen(line) + 1), *to = out;

	if (!out)
		abort();
	*words = 0;
	for (const char *s = line; *s;) {
		if (isspace((unsigned char)*s)) {
			s++;
			continue;
		}
		if (to > out)
			*to++ = ' ';
		while (*s && !isspace((unsigned char)*s))
			*to++ = *s++;
		++*words;
	}
	*to = '\0';
	return out;
}

static int parse_words(struct kf_layers *l, int words, struct kf_err *err)
{
	const char *s = l->line;

	for (int i = 1; i <= words; i++) {
		struct word w = { .at = s, .position = i, .last = i == words };

		w.length = (int)strcspn(s, " ");
		while (w.letters < w.length && isalpha((unsigned char)s[w.letters]))
			w.letters++;
		if (add_word(l, &w, err) < 0)
			return -1;
		s += w.length + 1;
	}
	if (l->n == 0)
		return kf_fail(err, "the line of layers is empty");
	if (kf_layer_outputs(&l->layer[l->n - 1]) != l->outputs)
		return kf_fail(err, "'%.200s' ends in %d outputs, and there are %d targets",
			l->line, kf_layer_outputs(&l->layer[l->n - 1]), l->outputs);
	return 0;
}

int kf_layers_parse(struct kf_layers *l, const char *line, int c, int h, int w,
	int outputs, struct kf_err *err)
{
	const char *preset = kf_preset(line);
	int words;

	*l = (struct kf_layers){ .c = c, .h = h, .w = w, .outputs = outputs };
	l->line = tidy(preset ? preset : line, &words);
	l->layer = calloc((size_t)words + 1, sizeof *l->layer);
	l->param = calloc(2 * (size_t)words + 1, sizeof *l->param);
	if (!l->layer || !l->param)
		abort();
	if (parse_words(l, words, err) < 0) {
		kf_layers_free(l);
		return -1;
	}
	return 0;
}

void kf_layers_free(struct kf_layers *l)
{
	free(l->line);
	free(l->layer);
	free(l->param);
	*l = (struct kf_layers){ 0 };
}
