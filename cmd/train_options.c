/* The options of kfkd-train: a preset, and what overrides it. */
#define _GNU_SOURCE
#include "train_options.h"

#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "train/preset.h"

#define EPOCHS_MAX 100000000

enum {
	RECOMPUTE = DEVICE_KEYS_END,
	OVERWRITE,
	WARMUP,
	COMM,
	MEMORY,
	LAST,
	LOG,
	VALIDATION,
	FOLD
};

static const char crossentropy[] = "crossentropy";

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
	if (i < KF_LOSS_COUNT)
		return kf_loss_form(i);
	return i == KF_LOSS_COUNT ? crossentropy : NULL;
}

static const char *comm_word(int i)
{
	static const char *const words[] = { "auto", "none" };

	return i < 2 ? words[i] : kf_comm_name(i - 2);
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
			"%s,\nwhich is for labels (squared)", OPTION_WORD, .word = loss_word },
		{ 'u', "update", "RULE", "%s (nesterov)", OPTION_WORD,
			.word = rule_word },
		{ 'r', "rate", "A[:B]",
			"learning rate, from A to B (the rule's own); A:B:SHAPE\n"
			"goes by linear, cosine or step[:N], N stages (linear)",
			.kind = OPTION_TEXT },
		{ WARMUP, "warmup", "N", "epochs in which the rate rises to A (0)",
			OPTION_INT, .max = EPOCHS_MAX },
		{ 'M', "momentum", "A[:B]",
			"of nesterov and momentum, in the same way (0.9)",
			.kind = OPTION_TEXT },
		{ 'w', "weight-decay", "F",
			"F times a weight is added to its gradient (0); adamw\n"
			"takes the rate times F of it away",
			OPTION_REAL, .high = 1e6 },
		{ 'e', "epochs", "N",
			"passes over the data; 0 writes initial weights (400)",
			OPTION_INT, .max = EPOCHS_MAX },
		{ 'B', "batch", "N", "rows in a batch (128)", OPTION_INT, .min = 1,
			.max = 1 << 20 },
		{ 'S', "shuffle", .help = "new batches in each epoch" },
		{ 'a', "augment", "LIST",
			"flip[:SUM],flip:auto,shift:PX,rotate:DEG,scale:F,\n"
			"contrast:F,brightness:F,shear:DEG,hole:PX or none",
			.kind = OPTION_TEXT },
		{ 'p', "patience", "N",
			"end after N epochs without a better one",
			OPTION_INT, .min = 1, .max = EPOCHS_MAX },
		{ LAST, "last",
			.help = "write the last epoch's weights, not the best one's" },
		{ 'v', "valid", "F",
			"share of rows that validate, 0 for none (0.2)", OPTION_REAL,
			.high = 0.99 },
		{ VALIDATION, "validation", "FILE",
			"a stream that validates, in place of a share",
			.kind = OPTION_FILE },
		{ FOLD, "fold", "I/K",
			"the I-th of K folds validates, as kfkd-split draws them",
			.kind = OPTION_TEXT },
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
		{ LOG, "log", "FILE", "a table of the epochs, as they come",
			.kind = OPTION_FILE },
		{ BACKEND_ROW },
		{ THREADS_ROW },
		{ TF32_ROW },
		{ BF16_ROW },
		{ COMM, "comm", "ENGINE",
			"%s: joins the processes that mpirun\nstarted, each with a part of "
			"a batch (auto)",
			OPTION_WORD, .word = comm_word },
		{ RECOMPUTE, "recompute",
			.help = "cpu: less memory, longer epochs of convolutions" },
		{ MEMORY, "memory", "SIZE",
			"of data in memory, as 500M; images beyond it stay in a file\n"
			"(half of what there is)",
			.kind = OPTION_SIZE },
		{ 'q', "quiet", .help = "say nothing while training" },
	},
};

/* "A:B:SHAPE", "A:B", or "A", which is "A:A"; from 0 to max. */
static struct kf_schedule parse_schedule(const char *name, const char *text, double max)
{
	struct kf_schedule s = { .shape = KF_LINEAR_SHAPE };
	char *copy = strdup(text), *rest = copy, *part;
	struct kf_err err;

	must_alloc(copy);
	part = strsep(&rest, ":");
	s.from = s.to = option_real(name, part, 0, max);
	if ((part = strsep(&rest, ":")))
		s.to = option_real(name, part, 0, max);
	if (rest && kf_schedule_shape(&s, rest, &err) < 0)
		misuse("--%s: %s", name, err.msg);
	free(copy);
	return s;
}

static enum kf_rule find_rule(const char *name)
{
	int rule = kf_rule_find(name);

	if (rule < 0)
		misuse("--update: no rule '%s'", name);
	return (enum kf_rule)rule;
}

static void parse_loss(struct kf_train_options *t, const char *text)
{
	struct kf_err err;

	t->classify = !strcmp(text, crossentropy);
	if (t->classify)
		t->loss = (struct kf_loss){ .kind = KF_SQUARED };
	else if (kf_loss_parse(&t->loss, text, &err) < 0)
		misuse("--loss: %s", err.msg);
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

static void parse_fold(struct settings *s, const char *text)
{
	struct kf_err err;

	if (kf_split_fold(&s->fold, text, &err) < 0)
		misuse("--fold: %s", err.msg);
}

/* Applies the option just read, which overrides the preset. */
static void apply(struct settings *s, int key, const struct options *o)
{
	struct kf_train_options *t = &s->train;

	switch (key) {
	case 'n': break; /* start_from_preset has it already */
	case 'l': parse_loss(t, o->text); break;
	case 'u': t->rule = find_rule(o->text); break;
	case 'r': t->rate = parse_schedule("rate", o->text, 1e6); break;
	case WARMUP: t->warmup = (int)o->number; break;
	case 'M': t->momentum = parse_schedule("momentum", o->text, 1); break;
	case 'w': t->weight_decay = o->real; break;
	case 'e': t->epochs = (int)o->number; break;
	case 'B': t->batch = (int)o->number; break;
	case 'S': t->shuffle = true; break;
	case 'a': parse_augment(s, o->text); break;
	case 'p': t->patience = (int)o->number; break;
	case LAST: t->last = true; break;
	case 'v': t->valid = o->real; break;
	case VALIDATION: s->validation = o->text; break;
	case FOLD: parse_fold(s, o->text); break;
	case 's': t->seed = (uint64_t)o->number; break;
	case 'i': s->init = o->text; break;
	case 'c': s->checkpoint = o->text; break;
	case 'N': s->every = (int)o->number; break;
	case 'R': s->resume = o->text; break;
	case LOG: s->log = o->text; break;
	case OVERWRITE: s->overwrite = true; break;
	case COMM: s->comm = o->text; break;
	case MEMORY: s->memory = (size_t)o->number; break;
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
		.comm = "auto",
		.every = 10 };

	s.train.seed = 42;
	return s;
}

/* It is written line by line, beside files that are replaced as a whole. */
static void check_log(const struct settings *s, const struct options *o)
{
	if (!s->log)
		return;
	if (!strcmp(s->log, "-"))
		misuse("--log: it is a file; the model goes to standard output");
	if (o->output && !strcmp(s->log, o->output))
		misuse("--log and --output are the same file: '%s'", s->log);
	if (s->checkpoint && !strcmp(s->log, s->checkpoint))
		misuse("--log and --checkpoint are the same file: '%s'", s->log);
}

/* What validates instead of a share of the rows. */
static void choose_validation(struct settings *s, const struct options *o)
{
	int given = options_given(o, 'v') + !!s->validation + !!s->fold.folds;

	if (given > 1)
		misuse("give one of --valid, --validation and --fold");
	if (s->validation && !strcmp(s->validation, "-") &&
		!strcmp(o->operands[0], "-"))
		misuse("--validation and the stream are both standard input");
	if (s->validation || s->fold.folds)
		s->train.valid = 0;
	s->validation_all = s->validation;
	s->fold.seed = s->train.seed;
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
	choose_validation(&s, o);
	check_log(&s, o);
	s.keeps = s.checkpoint || s.resume;
	if (s.train.rule != preset_rule && !options_given(o, 'r'))
		s.train.rate = (struct kf_schedule){ .from = kf_rule_rate(s.train.rule),
			.to = kf_rule_rate(s.train.rule) };
	return s;
}

static void note_schedule(struct kf_model *m, const char *key,
	const struct kf_schedule *s)
{
	char text[100];

	kf_schedule_print(s, text, sizeof text);
	kf_model_note(m, key, "%s", text);
}

/* That of a model is in its metadata; other losses of coordinates are only noted. */
static void note_loss(struct kf_model *m, const struct kf_loss *l)
{
	char text[100];

	if (l->kind == KF_SQUARED)
		return;
	kf_loss_print(l, text, sizeof text);
	kf_model_note(m, "loss", "%s", text);
}

void train_note_settings(struct kf_model *m, const struct settings *s)
{
	const struct kf_train_options *t = &s->train;
	char text[400];

	note_loss(m, &t->loss);
	kf_model_note(m, "update", "%s", kf_rule_name(t->rule));
	note_schedule(m, "rate", &t->rate);
	if (t->warmup)
		kf_model_note(m, "warmup", "%d", t->warmup);
	if (kf_rule_uses_momentum(t->rule))
		note_schedule(m, "momentum", &t->momentum);
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
	if (s->validation)
		kf_model_note(m, "validation", "%zu rows", s->validation_rows);
	else if (s->fold.folds)
		kf_model_note(m, "fold", "%d/%d", s->fold.fold, s->fold.folds);
	else
		kf_model_note(m, "valid", "%.9g", t->valid);
	kf_model_note(m, "seed", "%llu", (unsigned long long)t->seed);
	/* a run goes on with the precision that it has begun with */
	if (s->device.options.bf16)
		kf_model_note(m, "bf16", "yes");
}
