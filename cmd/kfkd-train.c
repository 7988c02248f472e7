/* kfkd-train: learns a net from a scaled stream. */
#define _GNU_SOURCE
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "train/checkpoint.h"
#include "cli.h"
#include "progress.h"
#include "train_options.h"

/* A failure that the library reported. */
static void check(int rc, const struct kf_err *err)
{
	if (rc < 0)
		die("%s", err->msg);
}

/* -- what the model tells of itself ---------------------------------------------------- */

static void name_outputs(struct kf_model *m, const struct kf_schema *schema)
{
	char name[32];

	if (!m->classify) {
		m->columns = kf_names_copy(&schema->columns);
		memcpy(m->y_scale, schema->y_scale, sizeof m->y_scale);
		return;
	}
	if (schema->classes < 1 || schema->classes > KF_COLUMNS_MAX)
		die("the stream's number of classes, '%d', is not from 1 to %d",
			schema->classes, KF_COLUMNS_MAX);
	for (int i = 0; i < schema->classes; i++) {
		snprintf(name, sizeof name, "class_%d", i);
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
	train_note_settings(m, s);
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
		progress_say(p, "%s %s", net->layers->param[i].name,
			taken[i] ? "is taken over" :
				   "starts at random: none of its name and shape");
	kf_model_free(&m);
	free(taken);
	close(fd);
}

static void say_data(const struct progress *p, const struct kf_dataset *d, double valid)
{
	size_t n_valid = kf_valid_rows(d->n, valid), missing = 0;
	size_t values = d->n * (size_t)d->m;

	for (size_t i = 0; i < values; i++)
		missing += isnan(d->y[i]);
	progress_say(p, "%zu rows: %zu to train on, %zu to validate", d->n,
		d->n - n_valid, n_valid);
	if (missing)
		progress_say(p,
			"%zu of %zu target values are missing and left out of "
			"the loss",
			missing, values);
}

/* -- the run ------------------------------------------------------------------------- */

/*
 * Signals that end a run are blocked and asked for between batches.  A handler
 * would not do: oneDNN's products use the stack pointer for their own ends, and
 * a signal that a thread takes meanwhile is written over the heap.
 */
static sigset_t ending; /* those of SIGHUP, SIGINT, SIGTERM not ignored */
static int end_signal;  /* the one that came */

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
	b = kf_backend_open(s->backend, &s->device, &err);
	sigprocmask(SIG_SETMASK, &before, NULL);
	check(b ? 0 : -1, &err);
	return b;
}

/* A checkpoint on the way may fail, as on a full disk, without the run's loss. */
static void write_checkpoint(struct kf_trainer *t, struct kf_model *m,
	const struct settings *s, uint64_t digest, struct progress *p, bool needed)
{
	struct kf_err err;

	if (!s->checkpoint ||
		kf_checkpoint_write(s->checkpoint, t, m, digest, &err) == 0)
		return;
	progress_clear(p);
	if (needed)
		die("%s", err.msg);
	warn("%s; training goes on", err.msg);
}

static void run(struct kf_trainer *t, struct kf_model *m, const struct settings *s,
	uint64_t digest, struct progress *p)
{
	struct kf_epoch e;
	struct kf_err err;
	int rc;

	if (s->resume) {
		check(kf_checkpoint_read(s->resume, t, m, digest, &err), &err);
		progress_say(p, "resumed after epoch %d", t->epoch);
		progress_best(p, t->best_epoch, t->best_valid);
	}
	write_checkpoint(t, m, s, digest, p, true); /* can it be written at all? */
	sigprocmask(SIG_BLOCK, &ending, NULL);
	progress_head(p);
	while ((rc = kf_trainer_epoch(t, &e, stop, &err)) == 1) {
		m->train_loss[m->epochs] = e.train_loss;
		m->valid_loss[m->epochs++] = e.valid_loss;
		progress_row(p, &e);
		if (t->epoch % s->every == 0 && t->epoch < t->options.epochs)
			write_checkpoint(t, m, s, digest, p, false);
	}
	progress_clear(p);
	check(rc, &err);
	write_checkpoint(t, m, s, digest, p, true);
	if (rc == 2 && s->checkpoint)
		warn("stopped in epoch %d; the same command with --resume %s goes on",
			t->epoch + 1, s->checkpoint);
	if (rc == 2)
		cli_end_by_signal(end_signal);
	progress_end(p);
	kf_trainer_finish(t);
	/* what comes now is a whole model, and quickly written */
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

	s = train_settings(argc, argv);
	cli_output(s.output);
	cli_binary_output();
	find_ending_signals();
	in = cli_reader(argc, argv);
	b = open_backend(&s);
	check(kf_dataset_read(&data, in, s.train.classify, &err), &err);
	kf_reader_close(in);
	describe(&model, &s, &data.schema);
	check(kf_layers_parse(&layers, s.line, data.schema.c, data.schema.h,
		      data.schema.w, model.columns.n, &err),
		&err);
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
	if (s.init && !s.resume) /* a checkpoint has its own weights */
		start_from(&net, s.init, &progress);
	if (s.train.epochs > 0)
		train(&net, &data, &model, &s, &progress);
	model.n = layers.n_params;
	model.param = kf_net_get(&net, net.weights, "");
	check(model.param ? b->op->sync(b, &err) : kf_fail(&err, "out of memory"),
		&err);
	check(kf_model_write(&model, STDOUT_FILENO, cli_output_name(), &err), &err);

	kf_net_close(&net);
	b->op->close(b);
	kf_dataset_free(&data);
	kf_layers_free(&layers);
	kf_model_free(&model);
	return cli_finish();
}
