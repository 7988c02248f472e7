/* Parsing a line of layers: words, shapes, parameters. */
#define _GNU_SOURCE
#include "net/layers.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAYERS_MAX 256 /* words */
#define UNITS_MAX 1000000
#define FLOATS_MAX ((size_t)1 << 31) /* in all parameters */

int kf_layer_inputs(const struct kf_layer *l)
{
	return l->in[0] * l->in[1] * l->in[2];
}

int kf_layer_outputs(const struct kf_layer *l)
{
	return l->out[0] * l->out[1] * l->out[2];
}

size_t kf_layer_floats(const struct kf_layers *l, const struct kf_layer *layer)
{
	return (layer->weight < 0 ? 0 : l->param[layer->weight].count) +
		(layer->bias < 0 ? 0 : l->param[layer->bias].count);
}

const struct kf_tensor *kf_param_find(const struct kf_param *p, const char *prefix,
	const struct kf_tensor *t, int n)
{
	char name[2 * KF_NAME_MAX];

	snprintf(name, sizeof name, "%s%s", prefix, p->name);
	for (int i = 0; i < n; i++)
		if (!strcmp(name, t[i].name) && p->rank == t[i].rank &&
			!memcmp(p->shape, t[i].shape,
				(size_t)p->rank * sizeof *p->shape))
			return &t[i];
	return NULL;
}

/* -- words --------------------------------------------------------------------- */

/* A word of the line: letters, then one or two numbers. */
struct word {
	const char *at;
	int length, letters;
	int position; /* 1, 2, ... */
	bool last;
};

static int bad_word(const struct kf_layers *l, const struct word *w, const char *why,
	struct kf_err *err)
{
	return kf_fail(err, "layer %d of '%.200s', '%.*s': %s", w->position, l->line,
		w->length, w->at, why);
}

static bool word_is(const struct word *w, const char *letters)
{
	return (size_t)w->letters == strlen(letters) &&
		!strncmp(w->at, letters, (size_t)w->letters);
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

/* -- layers -------------------------------------------------------------------- */

/* Appends a layer of this kind, whose input is the previous layer's output. */
static struct kf_layer *add_layer(struct kf_layers *l, enum kf_layer_kind kind,
	const char *word)
{
	struct kf_layer *layer = &l->layer[l->n];
	int count = 1;

	for (int i = 0; i < l->n; i++)
		count += l->layer[i].kind == kind;
	*layer = (struct kf_layer){ .kind = kind,
		.index = l->n,
		.weight = -1,
		.bias = -1 };
	snprintf(layer->name, sizeof layer->name, "%s%d", word, count);
	if (l->n)
		memcpy(layer->in, layer[-1].out, sizeof layer->in);
	else
		memcpy(layer->in, (int[]){ l->c, l->h, l->w }, sizeof layer->in);
	l->n++;
	return layer;
}

/* Adds a layer's weight, of this shape, and its bias, of (shape[0]). */
static int add_params(struct kf_layers *l, const struct word *w, struct kf_layer *layer,
	int rank, const int64_t *shape, struct kf_err *err)
{
	size_t count = 1;

	for (int i = 0; i < rank; i++)
		if (__builtin_mul_overflow(count, (size_t)shape[i], &count) ||
			count + (size_t)shape[0] > FLOATS_MAX - l->floats)
			return bad_word(l, w, "the net is too large", err);
	layer->weight = add_param(l, layer, "weight", rank, shape);
	layer->bias = add_param(l, layer, "bias", 1, shape);
	return 0;
}

static int add_dense(struct kf_layers *l, const struct word *w, struct kf_err *err)
{
	const char *at = w->at + w->letters, *end = w->at + w->length;
	int units = read_number(&at, end, UNITS_MAX);
	struct kf_layer *layer;
	int64_t shape[2];

	if (units < 0 || at != end)
		return bad_word(l, w, "should be denseN, N units from 1 to 1000000",
			err);
	if (units == 0 && !(w->last && l->outputs))
		return bad_word(l, w,
			"only the last layer may lack its number of units", err);
	layer = add_layer(l, KF_DENSE, "dense");
	layer->out[0] = units ? units : l->outputs;
	layer->out[1] = layer->out[2] = 1;
	shape[0] = kf_layer_outputs(layer);
	shape[1] = kf_layer_inputs(layer);
	return add_params(l, w, layer, 2, shape, err);
}

static int add_conv(struct kf_layers *l, const struct word *w, struct kf_err *err)
{
	const char *at = w->at + w->letters, *end = w->at + w->length;
	int filters = read_number(&at, end, UNITS_MAX), k = -1;
	struct kf_layer *layer;
	int64_t shape[4];

	if (filters > 0 && at < end && *at == 'x' && ++at < end)
		k = read_number(&at, end, UNITS_MAX);
	if (k <= 0 || at != end)
		return bad_word(l, w, "should be convNxK, N filters of K x K", err);
	layer = add_layer(l, KF_CONV, "conv");
	if (k > layer->in[1] || k > layer->in[2])
		return bad_word(l, w, "the filters are larger than what they see", err);
	layer->kernel = k;
	layer->out[0] = filters;
	for (int i = 1; i < 3; i++)
		layer->out[i] = layer->in[i] - k + 1;
	shape[0] = filters;
	shape[1] = layer->in[0];
	shape[2] = shape[3] = k;
	return add_params(l, w, layer, 4, shape, err);
}

static int add_pool(struct kf_layers *l, const struct word *w, struct kf_err *err)
{
	const char *at = w->at + w->letters, *end = w->at + w->length;
	int k = read_number(&at, end, UNITS_MAX);
	struct kf_layer *layer;

	if (k <= 0 || at != end)
		return bad_word(l, w, "should be poolK, the largest of K x K", err);
	layer = add_layer(l, KF_POOL, "pool");
	if (k > layer->in[1] || k > layer->in[2])
		return bad_word(l, w, "the pool is larger than what it sees", err);
	layer->kernel = k;
	layer->out[0] = layer->in[0];
	for (int i = 1; i < 3; i++)
		layer->out[i] = layer->in[i] / k;
	return 0;
}

static int add_drop(struct kf_layers *l, const struct word *w, struct kf_err *err)
{
	char *end;
	double p = strtod(w->at + w->letters, &end); /* stops at a blank or the end */
	struct kf_layer *layer;

	if (w->letters == w->length || end != w->at + w->length || !(p > 0 && p < 1))
		return bad_word(l, w, "should be dropP, P between 0 and 1", err);
	layer = add_layer(l, KF_DROP, "drop");
	layer->drop = p;
	memcpy(layer->out, layer->in, sizeof layer->out);
	return 0;
}

static int add_activation(struct kf_layers *l, const struct word *w,
	enum kf_activation activation, struct kf_err *err)
{
	struct kf_layer *layer = l->n ? &l->layer[l->n - 1] : NULL;

	if (!layer || layer->weight < 0 || layer->activation != KF_LINEAR)
		return bad_word(l, w, "an activation follows a conv or dense layer",
			err);
	if (w->letters != w->length)
		return bad_word(l, w, "takes no number", err);
	layer->activation = activation;
	return 0;
}

/* -- the tables ---------------------------------------------------------------- */

static const struct {
	const char *word, *class;
	int (*add)(struct kf_layers *, const struct word *, struct kf_err *);
} kinds[KF_LAYER_KIND_COUNT] = {
#define ROW(NAME, word, form, class) [KF_##NAME] = { #word, class, add_##word },
	KF_LAYER_KINDS(ROW)
#undef ROW
};

static const char *const activations[KF_ACTIVATION_COUNT] = { [KF_LINEAR] = "",
#define ROW(NAME, word, ...) [KF_##NAME] = #word,
	KF_ACTIVATIONS(ROW)
#undef ROW
};

#define FORM(NAME, word, form, ...) " " #word form
#define WORD(NAME, word, ...) " " #word
static const char known_words[] =
	"no such layer; there are" KF_LAYER_KINDS(FORM) KF_ACTIVATIONS(WORD);

const char *kf_layer_class(enum kf_layer_kind kind)
{
	return kinds[kind].class;
}

const char *kf_activation_word(enum kf_activation activation)
{
	return activations[activation];
}

/* The activation called word, KF_LINEAR if there is none. */
static enum kf_activation find_activation(const char *word, size_t length)
{
	int i = KF_ACTIVATION_COUNT - 1;

	while (i > KF_LINEAR &&
		(length != strlen(activations[i]) ||
			strncmp(word, activations[i], length)))
		i--;
	return (enum kf_activation)i;
}

static int add_word(struct kf_layers *l, const struct word *w, struct kf_err *err)
{
	enum kf_activation activation = find_activation(w->at, (size_t)w->letters);

	if (activation != KF_LINEAR)
		return add_activation(l, w, activation, err);
	for (int i = 0; i < KF_LAYER_KIND_COUNT; i++)
		if (word_is(w, kinds[i].word))
			return kinds[i].add(l, w, err);
	return bad_word(l, w, known_words, err);
}

/* -- the line ------------------------------------------------------------------ */

/* A copy of the line with one space between words, which are counted; NULL when out of
 * memory. */
static char *tidy(const char *line, int *words)
{
	char *out = malloc(strlen(line) + 1), *to = out;

	if (!out)
		return NULL;
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

/* Whether the number of values fits an int. */
static bool countable(const int shape[3])
{
	return (int64_t)shape[0] * shape[1] * shape[2] <= INT32_MAX;
}

/* Are all words from here on activations? */
static bool only_activations(const char *s)
{
	while (*s) {
		size_t n = strcspn(s, " ");

		if (find_activation(s, n) == KF_LINEAR)
			return false;
		s += n + (s[n] == ' ');
	}
	return true;
}

static int parse_words(struct kf_layers *l, int words, struct kf_err *err)
{
	const struct kf_layer *last;
	const char *s = l->line;

	for (int i = 1; i <= words; i++) {
		struct word w = { .at = s, .position = i };

		w.length = (int)strcspn(s, " ");
		w.last = only_activations(s + w.length + (s[w.length] == ' '));
		while (w.letters < w.length && isalpha((unsigned char)s[w.letters]))
			w.letters++;
		if (add_word(l, &w, err) < 0)
			return -1;
		if (!countable(l->layer[l->n - 1].out))
			return bad_word(l, &w, "its output is too large", err);
		s += w.length + 1;
	}
	if (l->n == 0)
		return kf_fail(err, "the line of layers is empty");
	if (l->outputs && l->n_params == 0)
		return kf_fail(err, "'%.200s' has nothing to learn", l->line);
	last = &l->layer[l->n - 1];
	if (l->outputs && last->out[1] * last->out[2] != 1)
		return kf_fail(err,
			"'%.200s' ends in images of %d x %d, not in numbers", l->line,
			last->out[1], last->out[2]);
	if (l->outputs && kf_layer_outputs(last) != l->outputs)
		return kf_fail(err,
			"'%.200s' ends in %d outputs, and there are %d targets",
			l->line, kf_layer_outputs(last), l->outputs);
	return 0;
}

int kf_layers_parse(struct kf_layers *l, const char *line, int c, int h, int w,
	int outputs, struct kf_err *err)
{
	int words;

	*l = (struct kf_layers){ .c = c, .h = h, .w = w, .outputs = outputs };
	if (!countable((const int[]){ c, h, w }))
		return kf_fail(err, "images of %d x %d x %d are too large", c, h, w);
	l->line = tidy(line, &words);
	if (!l->line)
		return kf_fail_memory(err);
	if (words > LAYERS_MAX) {
		kf_layers_free(l);
		return kf_fail(err, "more than %d layers", LAYERS_MAX);
	}
	l->layer = calloc((size_t)words + 1, sizeof *l->layer);
	l->param = calloc(2 * (size_t)words + 1, sizeof *l->param);
	if (!l->layer || !l->param) {
		kf_layers_free(l);
		return kf_fail_memory(err);
	}
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
