/* Parsing a line of layers, word by word. */
#define _GNU_SOURCE
#include "net/layers_parse.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "net/layer_kinds.h"

#define WORDS_MAX (KF_LAYERS_MAX / KF_LAYERS_OF_WORD)

/* -- the tables ---------------------------------------------------------------- */

typedef int add(struct kf_layer_parser *, const struct kf_layer_word *,
	struct kf_err *);

static const struct {
	const char *word;
	bool activates;
	add *add;
} kinds[KF_LAYER_KIND_COUNT] = {
#define ROW(NAME, word, form, activates) \
	[KF_##NAME] = { #word, activates, kf_add_##word },
	KF_LAYER_KINDS(ROW)
#undef ROW
};

static const struct {
	const char *word;
	add *add;
} shorthands[] = {
#define ROW(word, form) { #word, kf_add_##word },
	KF_LAYER_SHORTHANDS(ROW)
#undef ROW
};

#define SHORTHANDS (sizeof shorthands / sizeof *shorthands)

#define FORM(NAME, word, form, ...) " " #word form
#define SHORTHAND(word, form) " " #word form
#define WORD(NAME, word, ...) " " #word
static const char known_words[] = "no such layer; there are" KF_LAYER_KINDS(FORM)
	KF_LAYER_SHORTHANDS(SHORTHAND) KF_ACTIVATIONS(WORD);

#define TAKES(NAME, word, form, activates) TAKES_##activates(word)
#define TAKES_true(word) " " #word
#define TAKES_false(word)
static const char takes_activation[] =
	"an activation follows one of" KF_LAYER_KINDS(TAKES);

/* The activation called word, KF_LINEAR if there is none. */
static enum kf_activation find_activation(const char *word, size_t length)
{
	for (int i = KF_LINEAR + 1; i < KF_ACTIVATION_COUNT; i++) {
		const char *known = kf_activation_word((enum kf_activation)i);

		if (length == strlen(known) && !strncmp(word, known, length))
			return (enum kf_activation)i;
	}
	return KF_LINEAR;
}

static int add_activation(struct kf_layer_parser *p, const struct kf_layer_word *w,
	enum kf_activation activation, struct kf_err *err)
{
	struct kf_layer *layer = p->open;

	if (!layer || !kinds[layer->kind].activates || layer->activation != KF_LINEAR)
		return kf_bad_word(w, err, takes_activation);
	if (w->letters != w->length)
		return kf_bad_word(w, err, "takes no number");
	layer->activation = activation;
	return 0;
}

static bool word_is(const struct kf_layer_word *w, const char *letters)
{
	return (size_t)w->letters == strlen(letters) &&
		!strncmp(w->at, letters, (size_t)w->letters);
}

static int add_word(struct kf_layer_parser *p, const struct kf_layer_word *w,
	struct kf_err *err)
{
	enum kf_activation activation = find_activation(w->at, (size_t)w->letters);

	if (activation != KF_LINEAR)
		return add_activation(p, w, activation, err);
	for (int i = 0; i < KF_LAYER_KIND_COUNT; i++)
		if (word_is(w, kinds[i].word))
			return kinds[i].add(p, w, err);
	for (size_t i = 0; i < SHORTHANDS; i++)
		if (word_is(w, shorthands[i].word))
			return shorthands[i].add(p, w, err);
	return kf_bad_word(w, err, "%s", known_words);
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

/* Where the statistics are in the arena is known only behind the last parameter. */
static void append_statistics(struct kf_layer_parser *p)
{
	struct kf_layers *l = p->l;

	for (int i = 0; i < l->n; i++)
		if (l->layer[i].mean >= 0) {
			l->layer[i].mean += l->n_learned;
			l->layer[i].variance += l->n_learned;
		}
	l->n_params = l->n_learned;
	for (int i = 0; i < p->n_statistics; i++) {
		l->param[l->n_params] = p->statistic[i];
		l->param[l->n_params++].offset += l->learned;
	}
	l->floats = l->learned + p->statistics;
}

/* Is the net, whose words are all read, one that can learn the outputs? */
static int check_net(const struct kf_layer_parser *p, struct kf_err *err)
{
	const struct kf_layers *l = p->l;
	const struct kf_layer *last;

	if (l->n == 0)
		return kf_fail(err, "the line of layers is empty");
	last = &l->layer[l->n - 1];
	if (p->depth)
		return kf_fail(err, "'%.200s' has a 'save' without its 'add'", l->line);
	if (!l->outputs)
		return 0;
	if (l->n_params == 0)
		return kf_fail(err, "'%.200s' has nothing to learn", l->line);
	if (last->out[1] * last->out[2] != 1)
		return kf_fail(err,
			"'%.200s' ends in images of %d x %d, not in numbers", l->line,
			last->out[1], last->out[2]);
	if (kf_layer_outputs(last) != l->outputs)
		return kf_fail(err,
			"'%.200s' ends in %d outputs, and there are %d targets",
			l->line, kf_layer_outputs(last), l->outputs);
	return 0;
}

static int parse_words(struct kf_layer_parser *p, int words, struct kf_err *err)
{
	const char *s = p->l->line;

	for (int i = 1; i <= words; i++) {
		struct kf_layer_word w = { .line = p->l->line, .at = s, .position = i };

		w.length = (int)strcspn(s, " ");
		w.next = s + w.length + (s[w.length] == ' ');
		w.last = only_activations(w.next);
		while (w.letters < w.length && isalpha((unsigned char)s[w.letters]))
			w.letters++;
		if (add_word(p, &w, err) < 0)
			return -1;
		s = w.next;
	}
	append_statistics(p);
	return check_net(p, err);
}

int kf_layers_parse(struct kf_layers *l, const char *line, int c, int h, int w,
	int outputs, struct kf_err *err)
{
	struct kf_layer_parser p = { .l = l, .at = KF_INPUT };
	size_t room;
	int words, rc;

	*l = (struct kf_layers){ .c = c, .h = h, .w = w, .outputs = outputs };
	if ((int64_t)c * h * w > INT32_MAX)
		return kf_fail(err, "images of %d x %d x %d are too large", c, h, w);
	l->line = tidy(line, &words);
	if (!l->line)
		return kf_fail_memory(err);
	if (words > WORDS_MAX) {
		kf_layers_free(l);
		return kf_fail(err, "more than %d layers", WORDS_MAX);
	}
	room = (size_t)words + 1;
	l->layer = calloc(room * KF_LAYERS_OF_WORD, sizeof *l->layer);
	l->param = calloc(room * (KF_LEARNED_OF_WORD + KF_STATISTICS_OF_WORD),
		sizeof *l->param);
	p.statistic = calloc(room * KF_STATISTICS_OF_WORD, sizeof *p.statistic);
	if (l->layer && l->param && p.statistic)
		rc = parse_words(&p, words, err);
	else
		rc = kf_fail_memory(err);
	free(p.statistic);
	if (rc < 0)
		kf_layers_free(l);
	return rc;
}
