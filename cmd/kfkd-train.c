/* kfkd-train: learns a net from a scaled stream. */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "dataset.h"
#include "model.h"
#include "net.h"
#include "progress.h"
#include "train.h"

static const char usage[] =
	"usage: kfkd-train [OPTION ...] [FILE] > MODEL\n"
	"Trains a net on a scaled tensor stream; without options, net1.\n"
	"  -n, --net SPEC         layers, or a preset (net1: \"dense100 relu dense\")\n"
	"  -u, --update RULE      nesterov, momentum, sgd, adagrad, rmsprop, adadelta\n"
	"                         or adam (nesterov)\n"
	"  -r, --rate R           learning rate (the rule's own; nesterov 0.01)\n"
	"  -M, --momentum M       of nesterov and momentum (0.9)\n"
	"  -e, --epochs N         passes over the data; 0 writes initial weights (400)\n"
	"  -B, --batch N          rows in a batch (128)\n"
	"  -v, --valid F          share of rows that validate, 0 for none (0.2)\n"
	"  -s, --seed N           of the shuffle and the initial weights (42)\n"
	"  -i, --init MODEL       start from the weights of another model\n"
	"  -b, --backend BACKEND  auto or cpu (auto)\n"
	"  -t, --threads N        at most N threads (as many as processors)\n"
	"  -q, --quiet            say nothing while training\n"
	"  -o, --output OUT       write to OUT, which appears when it is whole\n"
	"  -h, --help             print this\n"
	"  -V, --version          print the version\n";

static const struct option options[] = {
	{ "net", required_argument, NULL, 'n' },
	{ "update", required_argument, NULL, 'u' },
	{ "rate", required_argument, NULL, 'r' },
	{ "momentum", required_argument, NULL, 'M' },
	{ "epochs", required_argument, NULL, 'e' },
	{ "batch", required_argument, NULL, 'B' },
	{ "valid", required_argument, NULL, 'v' },
	{ "seed", required_argument, NULL, 's' },
	{ "init", required_argument, NULL, 'i' },
	{ "backend", required_argument, NULL, 'b' },
	{ "threads", required_argument, NULL, 't' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "output", required_argument, NULL, 'o' }, CLI_LONG
};

struct settings {
	const char *net, *init, *backend, *output;
	struct kf_train_options train;
	int threads;
	bool quiet;
};

static int find_rule(const char *name)
{
	int rule = kf_rule_find(name);

	if (rule < 0)
		misuse("--update: no rule '%s'", name);
	return rule;
}

static struct settings parse(int argc, char **argv)
{
	struct settings s = { .net = "net1", .backend = "auto",
		.train = { .rule = KF_NESTEROV, .rate = -1, .momentum = 0.9,
			.epochs = 400, .batch = 128, .valid = 0.2, .seed = 42 } };
	int c;

	while ((c = getopt_long(argc, argv, CLI_SHORT "n:u:r:M:e:B:v:s:i:b:t:qo:",
		options, NULL)) != -1)
		switch (c) {
		case 'n': s.net = optarg; break;
		case 'u': s.train.rule = (enum kf_rule)find_rule(optarg); break;
		case 'r': s.train.rate = cli_real("--rate", optarg, 0, 1e6); break;
		case 'M':
			s.train.momentum = cli_real("--momentum", optarg, 0, 1);
			break;
		case 'e':
			s.train.epochs = (int)cli_int("--epochs", optarg, 0, 100000000);
			break;
		case 'B':
			s.train.batch = (int)cli_int("--batch", optarg, 1, 1 << 20);
			break;
		case 'v': s.train.valid = cli_real("--valid", optarg, 0, 0.99); break;
		case 's':
			s.train.seed = (uint64_t)cli_int("--seed", optarg, 0, UINT32_MAX);
			break;
		case 'i': s.init = optarg; break;
		case 'b': s.backend = optarg; break;
		case 't':
			s.threads = (int)cli_int("--threads", optarg, 1, 1024);
			break;
		case 'q': s.quiet = true; break;
		case 'o': s.output = optarg; break;
		default: cli_option(c);
		}
	if (s.train.rate < 0)
		s.train.rate = kf_rule_rate(s.train.rule);
	return s;
}

/* A failure that the library reported. */
static void check(int rc, const struct kf_err *err)
{
	if (rc < 0)
		die("%s", err->msg);
}

/* What the model says of itself, before any weight is there. */
static void describe(struct kf_model *m, const struct settings *s,
	const struct kf_layers *l, const struct kf_schema *schema)
{
	m->net = strdup(l->line);
	m->c = schema->c;
	m->h = schema->h;
	m->w = schema->w;
	m->columns = kf_names_copy(&schema->columns);
	m->x_scale = schema->x_scale;
	memcpy(m->y_scale, schema->y_scale, sizeof m->y_scale);
	kf_model_note(m, "update", "%s", kf_rule_name(s->train.rule));
	kf_model_note(m, "rate", "%g", s->train.rate);
	if (kf_rule_uses_momentum(s->train.rule))
		kf_model_note(m, "momentum", "%g", s->train.momentum);
	kf_model_note(m, "batch", "%d", s->train.batch);
	kf_model_note(m, "valid", "%g", s->train.valid);
	kf_model_note(m, "seed", "%llu", (unsigned long long)s->train.seed);
	m->train_loss = calloc((size_t)s->train.epochs + 1, sizeof(float));
	m->valid_loss = calloc((size_t)s->train.epochs + 1, sizeof(float));
	if (!m->net || !m->train_loss || !m->valid_loss)
		die("out of memory");
}

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
	kf_net_set(net, m.param, m.n, taken);
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
	size_t values = d->n * (size_t)d->schema.columns.n;

	for (size_t i = 0; i < values; i++)
		missing += isnan(d->y[i]);
	progress_say(p, "%zu rows: %zu to train on, %zu to validate", d->n,
		d->n - n_valid, n_valid);
	if (missing)
		progress_say(p, "%zu of %zu target values are missing and left out of "
			"the loss", missing, values);
}

struct log {
	struct progress progress;
	struct kf_model *model;
};

static void each_epoch(void *context, const struct kf_epoch *e)
{
	struct log *log = context;

	log->model->train_loss[log->model->epochs] = e->train_loss;
	log->model->valid_loss[log->model->epochs++] = e->valid_loss;
	progress_row(&log->progress, e);
}

int main(int argc, char **argv)
{
	struct kf_model model = { 0 };
	struct log log = { .model = &model };
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
	in = cli_reader(argc, argv);
	b = kf_backend_open(s.backend, s.threads, &err);
	check(b ? 0 : -1, &err);
	check(kf_dataset_read(&data, in, &err), &err);
	kf_reader_close(in);
	check(kf_layers_parse(&layers, s.net, data.schema.c, data.schema.h,
		data.schema.w, data.schema.columns.n, &err), &err);
	describe(&model, &s, &layers, &data.schema);

	progress_start(&log.progress, s.quiet, s.train.epochs, kf_model_pixels(&model));
	progress_say(&log.progress, "backend %s", b->device);
	say_data(&log.progress, &data, s.train.valid);
	progress_layers(&log.progress, &layers);
	check(kf_net_open(&net, b, &layers, &err), &err);
	check(kf_net_init(&net, s.train.seed, &err), &err);
	if (s.init)
		start_from(&net, s.init, &log.progress);
	if (s.train.epochs > 0) {
		check(kf_dataset_shuffle(&data, (uint32_t)s.train.seed, &err), &err);
		progress_head(&log.progress);
		check(kf_train(&net, &data, &s.train, each_epoch, &log, &err), &err);
		progress_end(&log.progress);
	}
	model.n = layers.n_params;
	model.param = kf_net_get(&net);
	check(model.param ? b->op->sync(b, &err) : kf_fail(&err, "out of memory"), &err);
	check(kf_model_write(&model, STDOUT_FILENO, cli_output_name(), &err), &err);

	kf_net_close(&net);
	b->op->close(b);
	kf_dataset_free(&data);
	kf_layers_free(&layers);
	kf_model_free(&model);
	return cli_finish();
}
