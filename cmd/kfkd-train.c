/* kfkd-train: learns a net from a scaled stream. */
#define _GNU_SOURCE
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "checkpoint.h"
#include "cli.h"
#include "preset.h"
#include "progress.h"

static const char usage[] =
	"usage: kfkd-train [OPTION ...] [FILE] > MODEL\n"
	"Trains a net on a scaled tensor stream; without options, net1.\n"
	"  -n, --net SPEC         layers, or a preset: net1 to net7, mnist-mlp, mnist-cnn;\n"
	"                         its options hold where none is given (net1)\n"
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
	"  -p, --patience N       end N epochs after the best, with its weights\n"
	"  -v, --valid F          share of rows that validate, 0 for none (0.2)\n"
	"  -s, --seed N           of all random numbers (42)\n"
	"  -i, --init MODEL       start from the weights of another model\n"
	"  -c, --checkpoint FILE  keep there what is needed to go on\n"
	"  -N, --every N          epochs from checkpoint to checkpoint (10)\n"
	"  -R, --resume FILE      go on from a checkpoint\n"
	"  -b, --backend BACKEND  auto or cpu (auto)\n"
	"  -t, --threads N        at most N threads (as many as processors)\n"
	"  -q, --quiet            say nothing while training\n"
	"  -o, --output OUT       write to OUT, which appears when it is whole\n"
	"  -h, --help             print this\n"
	"  -V, --version          print the version\n";

static const char short_options[] = CLI_SHORT "n:l:u:r:M:w:e:B:Sa:p:v:s:i:c:N:R:b:t:qo:";
static const struct option options[] = {
	{ "net", required_argument, NULL, 'n' },
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
	{ "quiet", no_argument, NULL, 'q' },
	{ "output", required_argument, NULL, 'o' }, CLI_LONG
};

/* -- options ----------------------------------------------------------------------- */

struct settings {
	const char *line;       /* of layers */
	const char *augment;    /* as given, for the model to tell; or NULL */
	const char *init, *backend, *output, *checkpoint, *resume;
	struct kf_train_options train;
	int every, threads;
	bool quiet;
};

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

	s->augment = text;
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
	case 't': s->threads = (int)cli_int("--threads", arg, 1, 1024); break;
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

static struct settings parse(int argc, char **argv)
{
	struct settings s = { .backend = "auto", .every = 10 };
	enum kf_rule preset_rule;
	double preset_rate[2];
	int c;

	find_net(&s, argc, argv);
	preset_rule = s.train.rule;
	memcpy(preset_rate, s.train.rate, sizeof preset_rate);
	s.train.rate[0] = -1;
	while ((c = getopt_long(argc, argv, short_options, options, NULL)) != -1)
		apply(&s, c, optarg);
	if (s.train.rate[0] < 0) {
		memcpy(s.train.rate, preset_rate, sizeof preset_rate);
		if (s.train.rule != preset_rule)
			s.train.rate[0] = s.train.rate[1] = kf_rule_rate(s.train.rule);
	}
	if (s.resume && s.init)
		misuse("--resume goes on with its own weights, so --init is idle");
	return s;
}

/* A failure that the library reported. */
static void check(int rc, const struct kf_err *err)
{
	if (rc < 0)
		die("%s", err->msg);
}

/* -- what the model tells of itself ---------------------------------------------------- */

static void note_range(struct kf_model *m, const char *key, const double range[2])
{
	if (range[0] == range[1])
		kf_model_note(m, key, "%g", range[0]);
	else
		kf_model_note(m, key, "%g:%g", range[0], range[1]);
}

/* All that the weights depend on; a checkpoint holds only for the same. */
static void note_options(struct kf_model *m, const struct settings *s)
{
	const struct kf_train_options *t = &s->train;

	kf_model_note(m, "update", "%s", kf_rule_name(t->rule));
	note_range(m, "rate", t->rate);
	if (kf_rule_uses_momentum(t->rule))
		note_range(m, "momentum", t->momentum);
	if (t->weight_decay > 0)
		kf_model_note(m, "weight-decay", "%g", t->weight_decay);
	kf_model_note(m, "epochs", "%d", t->epochs);
	kf_model_note(m, "batch", "%d", t->batch);
	if (t->shuffle)
		kf_model_note(m, "shuffle", "yes");
	if (kf_augment_any(&t->augment))
		kf_model_note(m, "augment", "%s", s->augment ? s->augment : "flip");
	if (t->patience)
		kf_model_note(m, "patience", "%d", t->patience);
	kf_model_note(m, "valid", "%g", t->valid);
	kf_model_note(m, "seed", "%llu", (unsigned long long)t->seed);
}

static void name_outputs(struct kf_model *m, const struct kf_schema *schema)
{
	long classes = schema->classes ? strtol(schema->classes, NULL, 10) : 0;
	char name[32];

	if (!m->classify) {
		m->columns = kf_names_copy(&schema->columns);
		memcpy(m->y_scale, schema->y_scale, sizeof m->y_scale);
		return;
	}
	if (classes < 1 || classes > KF_COLUMNS_MAX)
		die("the stream's number of classes, '%s', is not from 1 to %d",
			schema->classes ? schema->classes : "", KF_COLUMNS_MAX);
	for (long i = 0; i < classes; i++) {
		snprintf(name, sizeof name, "class_%ld", i);
		kf_names_add(&m->columns, name);
	}
}

static void describe(struct kf_model *m, const struct settings *s,
	const struct kf_schema *schema)
{
	m->c = schema->c;
	m->h = schema->h;
	m->w = schema->w;
	m->x_scale = schema->x_scale;
	m->classify = s->train.classify;
	name_outputs(m, schema);
	note_options(m, s);
	m->train_loss = calloc((size_t)s->train.epochs + 1, sizeof(float));
	m->valid_loss = calloc((size_t)s->train.epochs + 1, sizeof(float));
	if (!m->train_loss || !m->valid_loss)
		die("out of memory");
}

/* -- start --------------------------------------------------------------------------- */

/* Takes over what fits of another model, and says what does not. */
static void start_from(struct kf_net *net, const char *path, struct progress *p)
{
	struct kf_model m;
	struct kf_err err;
	const char *name;
	bool *taken = calloc((size_t)net->layers->n_params, sizeof *taken);
	int fd = cli_open(path, &name);

	if (!taken)
		die("out of memory");
	check(kf_model_read(&m, fd, name, NULL, &err), &err);
	kf_net_set(net, net->weights, "", m.param, m.n, taken);
	for (int i = 0; i < net->layers->n_params; i++)
		progress_say(p, "%s %s", net->layers->param[i].name, taken[i] ?
			"is taken over" : "starts at random: none of its name and shape");
	kf_model_free(&m);
	free(taken);
	close(fd);
}

static void say_data(const struct progress *p, const struct kf_dataset *d,
	double valid)
{
	size_t n_valid = kf_valid_rows(d->n, valid), missing = 0;
	size_t values = d->n * (size_t)d->m;

	for (size_t i = 0; i < values; i++)
		missing += isnan(d->y[i]);
	progress_say(p, "%zu rows: %zu to train on, %zu to validate", d->n,
		d->n - n_valid, n_valid);
	if (missing)
		progress_say(p, "%zu of %zu target values are missing and left out of "
			"the loss", missing, values);
}

/* -- the run ------------------------------------------------------------------------- */

/*
 * Signals that end a run are blocked and asked for between batches.  A handler
 * would not do: oneDNN's products use the stack pointer for their own ends, and
 * a signal that a thread takes meanwhile is written over the heap.
 */
static sigset_t ending;   /* those of SIGHUP, SIGINT, SIGTERM not ignored */
static int end_signal;    /* the one that came */

static void find_ending_signals(void)
{
	static const int numbers[] = { SIGHUP, SIGINT, SIGTERM };
	struct sigaction now;

	sigemptyset(&ending);
	for (int i = 0; i < 3; i++)
		if (!sigaction(numbers[i], NULL, &now) && now.sa_handler != SIG_IGN)
			sigaddset(&ending, numbers[i]);
}

static bool stop(void)
{
	static const struct timespec at_once;
	int number = sigtimedwait(&ending, NULL, &at_once);

	if (number > 0)
		end_signal = number;
	return end_signal != 0;
}

/* Its threads start with these signals blocked, and stay so. */
static struct kf_backend *open_backend(const struct settings *s)
{
	struct kf_backend *b;
	struct kf_err err;
	sigset_t before;

	sigprocmask(SIG_BLOCK, &ending, &before);
	b = kf_backend_open(s->backend, s->threads, &err);
	sigprocmask(SIG_SETMASK, &before, NULL);
	check(b ? 0 : -1, &err);
	return b;
}

static void run(struct kf_trainer *t, struct kf_model *m, const struct settings *s,
	uint64_t digest, struct progress *p)
{
	struct kf_epoch e;
	struct kf_err err;
	int rc;

	if (s->resume) {
		check(kf_checkpoint_read(s->resume, t, m, digest, &err), &err);
		progress_say(p, "resumed in epoch %d", t->epoch + 1);
	}
	sigprocmask(SIG_BLOCK, &ending, NULL);
	progress_head(p);
	while ((rc = kf_trainer_epoch(t, &e, stop, &err)) == 1) {
		m->train_loss[m->epochs] = e.train_loss;
		m->valid_loss[m->epochs++] = e.valid_loss;
		progress_row(p, &e);
		if (s->checkpoint && t->epoch % s->every == 0)
			check(kf_checkpoint_write(s->checkpoint, t, m, digest, &err),
				&err);
	}
	check(rc, &err);
	if (s->checkpoint)
		check(kf_checkpoint_write(s->checkpoint, t, m, digest, &err), &err);
	progress_end(p);
	if (rc == 2 && s->checkpoint)
		warn("stopped in epoch %d; the same command with --resume %s goes on",
			t->epoch + 1, s->checkpoint);
	if (rc == 2)
		cli_end_by_signal(end_signal);
	kf_trainer_finish(t);
	sigprocmask(SIG_UNBLOCK, &ending, NULL);
}

static void train(struct kf_net *net, struct kf_dataset *data, struct kf_model *m,
	const struct settings *s, struct progress *p)
{
	uint64_t digest = s->checkpoint || s->resume ? kf_dataset_digest(data) : 0;
	struct kf_trainer trainer;
	struct kf_err err;

	check(kf_dataset_shuffle(data, (uint32_t)s->train.seed, &err), &err);
	check(kf_trainer_open(&trainer, net, data, &s->train, &err), &err);
	run(&trainer, m, s, digest, p);
	kf_trainer_close(&trainer);
}

int main(int argc, char **argv)
{
	struct kf_model model = { 0 };
	struct progress progress;
	struct kf_dataset data;
	struct kf_layers layers;
	struct kf_reader *in;
	struct kf_backend *b;
	struct kf_net net;
	struct kf_err err;
	struct settings s;

	cli_init(argv, usage);
	s = parse(argc, argv);
	cli_output(s.output);
	cli_binary_output();
	find_ending_signals();
	in = cli_reader(argc, argv);
	b = open_backend(&s);
	check(kf_dataset_read(&data, in, s.train.classify, &err), &err);
	kf_reader_close(in);
	describe(&model, &s, &data.schema);
	check(kf_layers_parse(&layers, s.line, data.schema.c, data.schema.h,
		data.schema.w, model.columns.n, &err), &err);
	model.net = strdup(layers.line);
	if (!model.net)
		die("out of memory");

	progress_start(&progress, s.quiet, s.train.epochs, s.train.classify,
		kf_model_pixels(&model));
	progress_say(&progress, "backend %s", b->device);
	say_data(&progress, &data, s.train.valid);
	progress_layers(&progress, &layers);
	check(kf_net_open(&net, b, &layers, &err), &err);
	check(kf_net_init(&net, s.train.seed, &err), &err);
	if (s.init)
		start_from(&net, s.init, &progress);
	if (s.train.epochs > 0)
		train(&net, &data, &model, &s, &progress);
	model.n = layers.n_params;
	model.param = kf_net_get(&net, net.weights, "");
	check(model.param ? b->op->sync(b, &err) : kf_fail(&err, "out of memory"), &err);
	check(kf_model_write(&model, STDOUT_FILENO, cli_output_name(), &err), &err);

	kf_net_close(&net);
	b->op->close(b);
	kf_dataset_free(&data);
	kf_layers_free(&layers);
	kf_model_free(&model);
	return cli_finish();
}
