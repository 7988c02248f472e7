/* The options of kfkd-train: a preset, and what overrides it. */
#define _GNU_SOURCE
#include "train_options.h"

#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "train/preset.h"

#define EPOCHS_MAX 100000000

enum { RECOMPUTE = DEVICE_KEYS_END, OVERWRITE };

static const char *preset_word(int i)
{
	const struct kf_preset *p = kf_preset_at(i);

	return p ? p->name : NULL;
}

static const char *rule_word(int i)
{
	return i < KF_RULE_COUNT ? kf_rule_name((enum kf_rule)i) : NULL;
}

static const char *loss_word(int i)
{
	static const char *const words[] = { "squared", "crossentropy", NULL };

	return words[i];
}

static const struct program program = {
	.name = "kfkd-train",
	.synopsis = { "[OPTION ...] [FILE] > MODEL" },
	.about = "Trains a net on a scaled tensor stream; without options, net1.",
	.rows = {
		{ 'n', "net", "SPEC",
			"layers, or a preset: %s; its options hold where none is given "
			"(net1)",
			.word = preset_word },
		{ 'l', "loss", "LOSS",
			"squared, or crossentropy with labels (squared)", OPTION_WORD,
			.word = loss_word },
		{ 'u', "update", "RULE", "%s (nesterov)", OPTION_WORD,
			.word = rule_word },
		{ 'r', "rate", "A[:B]",
			"learning rate, from A to B (the rule's own)",
			.kind = OPTION_TEXT },
		{ 'M', "momentum", "A[:B]",
			"of nesterov and momentum, from A to B (0.9)",
			.kind = OPTION_TEXT },
		{ 'w', "weight-decay", "F",
			"F times a weight is added to its gradient (0)", OPTION_REAL,
			.high = 1e6 },
		{ 'e', "epochs", "N",
			"passes over the data; 0 writes initial weights (400)",
			OPTION_INT, .max = EPOCHS_MAX },
		{ 'B', "batch", "N", "rows in a batch (128)", OPTION_INT, .min = 1,
			.max = 1 << 20 },
		{ 'S', "shuffle", .help = "new batches in each epoch" },
		{ 'a', "augment", "LIST",
			"flip,shift:PX,rotate:DEG,scale:F,contrast:F or none",
			.kind = OPTION_TEXT },
		{ 'p', "patience", "N",
			"end after N epochs without a better one, with the best",
			OPTION_INT, .min = 1, .max = EPOCHS_MAX },
		{ 'v', "valid", "F",
			"share of rows that validate, 0 for none (0.2)", OPTION_REAL,
			.high = 0.99 },
		{ 's', "seed", "N", "of all random numbers (42)", OPTION_INT,
			.max = UINT32_MAX },
		{ 'i', "init", "MODEL", "start from the weights of another model",
			.kind = OPTION_FILE },
		{ 'c', "checkpoint", "FILE", "keep there what is needed to go on",
			.kind = OPTION_FILE },
		{ 'N', "every", "N", "epochs from checkpoint to checkpoint (10)",
			OPTION_INT, .min = 1, .max = EPOCHS_MAX },
		{ 'R', "resume", "FILE", "go on from a checkpoint",
			.kind = OPTION_FILE },
		{ OVERWRITE, "overwrite",
			.help = "let --checkpoint replace a file that is not this run's" },
		{ BACKEND_ROW },
		{ THREADS_ROW },
		{ TF32_ROW },
		{ RECOMPUTE, "recompute",
			.help = "cpu: less memory, longer epochs of convolutions" },
		{ 'q', "quiet", .help = "say nothing while training" },
	},
};

/* "A:B" or "A", which is "A:A"; from 0 to max. */
static void parse_range(const char *name, const char *text, double max, double range[2])
{
	char *copy = strdup(text), *colon;

	must_alloc(copy);
	colon = strchr(copy, ':');
	if (colon)
		*colon = '\0';
	range[0] = range[1] = option_real(name, copy, 0, max);
	if (colon)
		range[1] = option_real(name, colon + 1, 0, max);
	free(copy);
}

static enum kf_rule find_rule(const char *name)
{
	int rule = kf_rule_find(name);

	if (rule < 0)
		misuse("--update: no rule '%s'", name);
	return (enum kf_rule)rule;
}

static bool find_loss(const char *name)
{
	if (strcmp(name, "squared") && strcmp(name, "crossentropy"))
		misuse("--loss: '%s' is neither squared nor crossentropy", name);
	return !strcmp(name, "crossentropy");
}

static void parse_augment(struct settings *s, const char *text)
{
	struct kf_err err;

	if (!strcmp(text, "none")) {
		s->train.augment = (struct kf_augment){ 0 };
	} else if (kf_augment_parse(&s->train.augment, text, &err) < 0) {
		if (err.memory)
			die("%s", err.msg);
		misuse("--augment: %s", err.msg);
	}
}

/* Applies the option just read, which overrides the preset. */
static void apply(struct settings *s, int key, const struct options *o)
{
	struct kf_train_options *t = &s->train;

	switch (key) {
	case 'n': break; /* start_from_preset has it already */
	case 'l': t->classify = find_loss(o->text); break;
	case 'u': t->rule = find_rule(o->text); break;
	case 'r': parse_range("rate", o->text, 1e6, t->rate); break;
	case 'M': parse_range("momentum", o->text, 1, t->momentum); break;
	case 'w': t->weight_decay = o->real; break;
	case 'e': t->epochs = (int)o->number; break;
	case 'B': t->batch = (int)o->number; break;
	case 'S': t->shuffle = true; break;
	case 'a': parse_augment(s, o->text); break;
	case 'p': t->patience = (int)o->number; break;
	case 'v': t->valid = o->real; break;
	case 's': t->seed = (uint64_t)o->number; break;
	case 'i': s->init = o->text; break;
	case 'c': s->checkpoint = o->text; break;
	case 'N': s->every = (int)o->number; break;
	case 'R': s->resume = o->text; break;
	case OVERWRITE: s->overwrite = true; break;
	case RECOMPUTE: s->device.options.recompute = true; break;
	case 'q': s->quiet = true; break;
	default: device_option(&s->device, key, o);
	}
}

/* Layers that are no preset are trained like net1. */
static struct settings start_from_preset(const char *net)
{
	const struct kf_preset *p = kf_preset_find(net);
	struct settings s = { .line = p ? p->line : net,
		.train = (p ? p : kf_preset_find("net1"))->train,
		.device = { .backend = "auto" },
		.every = 10 };

	s.train.seed = 42;
	return s;
}

struct settings train_settings(struct options *o, int argc, char **argv)
{
	struct settings s;
	enum kf_rule preset_rule;
	const char *net;
	int key;

	options_begin(o, &program, argc, argv);
	net = options_find(o, 'n');
	s = start_from_preset(net ? net : "net1");
	preset_rule = s.train.rule;
	while ((key = options_next(o)))
		apply(&s, key, o);
	if (options_given(o, 'M') && !kf_rule_uses_momentum(s.train.rule))
		misuse("--momentum: %s has none", kf_rule_name(s.train.rule));
	if (options_given(o, 'N') && !s.checkpoint)
		misuse("--every: it is for --checkpoint, which is not given");
	if (s.overwrite && !s.checkpoint)
		misuse("--overwrite: it is for --checkpoint, which is not given");
	if (s.train.rule != preset_rule && !options_given(o, 'r'))
		s.train.rate[0] = s.train.rate[1] = kf_rule_rate(s.train.rule);
	return s;
}

static void note_range(struct kf_model *m, const char *key, const double range[2])
{
	if (range[0] == range[1])
		kf_model_note(m, key, "%.9g", range[0]);
	else
		kf_model_note(m, key, "%.9g:%.9g", range[0], range[1]);
}

void train_note_settings(struct kf_model *m, const struct settings *s)
{
	const struct kf_train_options *t = &s->train;
	char text[160];

	kf_model_note(m, "update", "%s", kf_rule_name(t->rule));
	note_range(m, "rate", t->rate);
	if (kf_rule_uses_momentum(t->rule))
		note_range(m, "momentum", t->momentum);
	if (t->weight_decay > 0)
		kf_model_note(m, "weight-decay", "%.9g", t->weight_decay);
	kf_model_note(m, "epochs", "%d", t->epochs);
	kf_model_note(m, "batch", "%d", t->batch);
	if (t->shuffle)
		kf_model_note(m, "shuffle", "yes");
	if (kf_augment_any(&t->augment)) {
		kf_augment_print(&t->augment, text, sizeof text);
		kf_model_note(m, "augment", "%s", text);
	}
	if (t->patience)
		kf_model_note(m, "patience", "%d", t->patience);
	kf_model_note(m, "valid", "%.9g", t->valid);
	kf_model_note(m, "seed", "%llu", (unsigned long long)t->seed);
}
