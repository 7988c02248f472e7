/* The options of kfkd-train: presets, and what is given over them. */
#define _GNU_SOURCE
#include "train_options.h"

#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "train/preset.h"

static const char usage[] =
	"usage: kfkd-train [OPTION ...] [FILE] > MODEL\n"
	"Trains a net on a scaled tensor stream; without options, net1.\n"
	"  -n, --net SPEC         layers, or a preset: net1 to net7, best, mnist-mlp,\n"
	"                         mnist-cnn; its options hold where none is given (net1)\n"
	"  -l, --loss LOSS        squared, or crossentropy with labels (squared)\n"
	"  -u, --update RULE      nesterov, momentum, sgd, adagrad, rmsprop, adadelta\n"
	"                         or adam (nesterov)\n"
	"  -r, --rate A[:B]       learning rate, from A to B (the rule's own)\n"
	"  -M, --momentum A[:B]   of nesterov and momentum, from A to B (0.9)\n"
	"  -w, --weight-decay F   F times a weight is added to its gradient (0)\n"
	"  -e, --epochs N         passes over the data; 0 writes initial weights (400)\n"
	"  -B, --batch N          rows in a batch (128)\n"
	"  -S, --shuffle          new batches in each epoch\n"
	"  -a, --augment LIST     flip,shift:PX,rotate:DEG,scale:F,contrast:F or none\n"
	"  -p, --patience N       end after N epochs without a better one, with the best\n"
	"  -v, --valid F          share of rows that validate, 0 for none (0.2)\n"
	"  -s, --seed N           of all random numbers (42)\n"
	"  -i, --init MODEL       start from the weights of another model\n"
	"  -c, --checkpoint FILE  keep there what is needed to go on\n"
	"  -N, --every N          epochs from checkpoint to checkpoint (10)\n"
	"  -R, --resume FILE      go on from a checkpoint\n"
	"  -b, --backend BACKEND  cpu, cuda, or auto: cuda where it can run (auto)\n"
	"  -t, --threads N        at most N threads (as many as processors)\n"
	"      --tf32             cuda: products faster, rounded to 10 bits\n"
	"      --recompute        cpu: less memory, longer epochs of convolutions\n"
	"  -q, --quiet            say nothing while training\n"
	"  -o, --output OUT       write to OUT, which appears when it is whole\n"
	"  -h, --help             print this\n"
	"  -V, --version          print the version\n";

enum { TF32 = 256, RECOMPUTE }; /* options without a letter */

static const char short_options[] =
	CLI_SHORT "n:l:u:r:M:w:e:B:Sa:p:v:s:i:c:N:R:b:t:qo:";
static const struct option options[] = { { "net", required_argument, NULL, 'n' },
	{ "loss", required_argument, NULL, 'l' },
	{ "update", required_argument, NULL, 'u' },
	{ "rate", required_argument, NULL, 'r' },
	{ "momentum", required_argument, NULL, 'M' },
	{ "weight-decay", required_argument, NULL, 'w' },
	{ "epochs", required_argument, NULL, 'e' },
	{ "batch", required_argument, NULL, 'B' },
	{ "shuffle", no_argument, NULL, 'S' },
	{ "augment", required_argument, NULL, 'a' },
	{ "patience", required_argument, NULL, 'p' },
	{ "valid", required_argument, NULL, 'v' },
	{ "seed", required_argument, NULL, 's' },
	{ "init", required_argument, NULL, 'i' },
	{ "checkpoint", required_argument, NULL, 'c' },
	{ "every", required_argument, NULL, 'N' },
	{ "resume", required_argument, NULL, 'R' },
	{ "backend", required_argument, NULL, 'b' },
	{ "threads", required_argument, NULL, 't' },
	{ "tf32", no_argument, NULL, TF32 },
	{ "recompute", no_argument, NULL, RECOMPUTE },
	{ "quiet", no_argument, NULL, 'q' }, { "output", required_argument, NULL, 'o' },
	CLI_LONG };

/* "A:B" or "A", which is "A:A". */
static void parse_range(const char *option, const char *text, double max,
	double range[2])
{
	char *copy = strdup(text), *colon;

	if (!copy)
		die("out of memory");
	colon = strchr(copy, ':');
	if (colon)
		*colon = '\0';
	range[0] = range[1] = cli_real(option, copy, 0, max);
	if (colon)
		range[1] = cli_real(option, colon + 1, 0, max);
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

	if (!strcmp(text, "none"))
		s->train.augment = (struct kf_augment){ 0 };
	else if (kf_augment_parse(&s->train.augment, text, &err) < 0)
		misuse("--augment: %s", err.msg);
}

/* What is given on the command line, over what the preset brought. */
static void apply(struct settings *s, int c, char *arg)
{
	struct kf_train_options *t = &s->train;

	switch (c) {
	case 'n': break; /* find_net took it */
	case 'l': t->classify = find_loss(arg); break;
	case 'u': t->rule = find_rule(arg); break;
	case 'r': parse_range("--rate", arg, 1e6, t->rate); break;
	case 'M': parse_range("--momentum", arg, 1, t->momentum); break;
	case 'w': t->weight_decay = cli_real("--weight-decay", arg, 0, 1e6); break;
	case 'e': t->epochs = (int)cli_int("--epochs", arg, 0, 100000000); break;
	case 'B': t->batch = (int)cli_int("--batch", arg, 1, 1 << 20); break;
	case 'S': t->shuffle = true; break;
	case 'a': parse_augment(s, arg); break;
	case 'p': t->patience = (int)cli_int("--patience", arg, 1, 100000000); break;
	case 'v': t->valid = cli_real("--valid", arg, 0, 0.99); break;
	case 's': t->seed = (uint64_t)cli_int("--seed", arg, 0, UINT32_MAX); break;
	case 'i': s->init = arg; break;
	case 'c': s->checkpoint = arg; break;
	case 'N': s->every = (int)cli_int("--every", arg, 1, 100000000); break;
	case 'R': s->resume = arg; break;
	case 'b': s->backend = arg; break;
	case 't': s->device.threads = (int)cli_int("--threads", arg, 1, 1024); break;
	case TF32: s->device.tf32 = true; break;
	case RECOMPUTE: s->device.recompute = true; break;
	case 'q': s->quiet = true; break;
	case 'o': s->output = arg; break;
	default: cli_option(c);
	}
}

/* A first look at the options: which preset? */
static void find_net(struct settings *s, int argc, char **argv)
{
	const struct kf_preset *p;
	const char *net = "net1";
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, short_options, options, NULL)) != -1)
		if (c == 'n')
			net = optarg;
	opterr = 1;
	optind = 0; /* getopt starts anew */
	p = kf_preset_find(net);
	s->line = p ? p->line : net;
	/* layers without a preset train like net1 */
	s->train = (p ? p : kf_preset_find("net1"))->train;
	s->train.seed = 42;
}

struct settings train_settings(int argc, char **argv)
{
	struct settings s = { .backend = "auto", .every = 10 };
	bool momentum = false, every = false;
	enum kf_rule preset_rule;
	double preset_rate[2];
	int c;

	cli_init(argv, usage);
	find_net(&s, argc, argv);
	preset_rule = s.train.rule;
	memcpy(preset_rate, s.train.rate, sizeof preset_rate);
	s.train.rate[0] = -1;
	while ((c = getopt_long(argc, argv, short_options, options, NULL)) != -1) {
		apply(&s, c, optarg);
		momentum |= c == 'M';
		every |= c == 'N';
	}
	if (momentum && !kf_rule_uses_momentum(s.train.rule))
		misuse("--momentum: %s has none", kf_rule_name(s.train.rule));
	if (every && !s.checkpoint)
		misuse("--every: it is for --checkpoint, which is not given");
	if (s.train.rate[0] < 0) {
		memcpy(s.train.rate, preset_rate, sizeof preset_rate);
		if (s.train.rule != preset_rule)
			s.train.rate[0] = s.train.rate[1] = kf_rule_rate(s.train.rule);
	}
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
