/* kfkd-train: learns a net from a scaled stream. */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "cli.h"
#include "net/layers_parse.h"
#include "progress.h"
#include "train_options.h"
#include "train_ranks.h"
#include "train_run.h"
#include "train_start.h"

/* -- the model's description ---------------------------------------------------- */

static void name_outputs(struct kf_model *m, const struct kf_schema *schema)
{
	char name[32];

	if (!m->classify) {
		if (kf_names_copy(&m->columns, &schema->columns) < 0)
			die("out of memory");
		memcpy(m->y_scale, schema->y_scale, sizeof m->y_scale);
		return;
	}
	if (schema->classes < 1 || schema->classes > KF_COLUMNS_MAX)
		die("the stream's number of classes, '%d', is not from 1 to %d",
			schema->classes, KF_COLUMNS_MAX);
	for (int i = 0; i < schema->classes; i++) {
		snprintf(name, sizeof name, "class_%d", i);
		if (kf_names_add(&m->columns, name) < 0)
			die("out of memory");
	}
	if (kf_names_copy(&m->class_names, &schema->class_names) < 0)
		die("out of memory");
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
	if (m->notes.incomplete)
		die("out of memory");
	m->train_loss = calloc((size_t)s->train.epochs + 1, sizeof(float));
	m->valid_loss = calloc((size_t)s->train.epochs + 1, sizeof(float));
	must_alloc(m->train_loss);
	must_alloc(m->valid_loss);
}

/* -- the data ------------------------------------------------------------------- */

/* By default half of the memory, which the ranks on a machine share. */
static size_t memory_of_data(const struct settings *s)
{
	size_t ranks = s->train.comm ? (size_t)s->train.comm->local : 1;

	return s->memory ? s->memory : kf_memory_limit() / 2 / ranks;
}

static struct kf_dataset_options intake(const struct settings *s)
{
	return (struct kf_dataset_options){ .labels = s->train.classify,
		.validation = s->validation ? cli_open_stream(s->validation) : NULL,
		.digest = s->keeps,
		.memory = memory_of_data(s),
		.batch = s->train.batch };
}

/* The rows of the fold validate. */
static void set_fold_aside(const struct settings *s, struct kf_dataset *d)
{
	bool *taken = calloc(d->n, sizeof *taken);
	struct kf_err err;

	must_alloc(taken);
	for (size_t i = 0; i < d->n; i++)
		taken[i] = kf_split_takes(&s->fold, (uint64_t)d->id[i]);
	check(kf_dataset_set_aside(d, taken, &err), &err);
	free(taken);
	if (!ranks_total(s, s->train.valid_shards, d->n_valid))
		die("fold %d/%d has none of the rows", s->fold.fold, s->fold.folds);
}

static size_t count_missing(const struct kf_dataset *d, size_t first, size_t end)
{
	size_t m = (size_t)d->m, missing = 0;

	for (size_t i = first * m; i < end * m; i++)
		missing += isnan(d->y[i]);
	return missing;
}

/* Of a file without any target the losses would all be missing. */
static void check_validation(const struct settings *s, const struct kf_dataset *d)
{
	size_t missing =
		ranks_total(s, s->train.valid_shards, count_missing(d, 0, d->n_valid));

	if (s->validation && missing == s->validation_rows * (size_t)d->m)
		die("'%s' has no value of any target to validate by",
			visible(s->validation_all));
}

/* What validates, as the log's "12 to validate" goes on. */
static void say_rows(const struct progress *p, const struct settings *s, size_t train,
	size_t valid)
{
	char which[32] = "";

	if (s->train.valid > 0)
		snprintf(which, sizeof which, "a share of %.4g", s->train.valid);
	else if (s->fold.folds)
		snprintf(which, sizeof which, "fold %d/%d", s->fold.fold,
			s->fold.folds);
	progress_say(p, "%zu rows: %zu to train on, %zu to validate%s%s%s",
		train + valid, train, valid, valid ? ", " : "",
		valid && s->validation ? "those of " : "",
		valid && s->validation ? visible(s->validation_all) : which);
}

static void say_file(const struct progress *p, const struct kf_dataset *d)
{
	const struct kf_image_file *f = d->file;
	const char *where = f->temporary ? "go to a" :
		f->sources > 1           ? "stay in the files" :
					   "stay in the file";

	progress_say(p, "the images, %zu MiB, do not fit into memory and %s %s%s%s",
		d->n * kf_image_bytes(&d->schema) >> 20, where,
		f->temporary ? KF_TEMPFILE : f->source[0].name,
		f->sources > 1 ? " and " : "", f->sources > 1 ? f->source[1].name : "");
}

static void say_data(const struct progress *p, const struct settings *s,
	const struct kf_dataset *d)
{
	bool shards = s->train.shards, valid_shards = s->train.valid_shards;
	size_t n_valid = d->n_valid + kf_valid_rows(d->n - d->n_valid, s->train.valid);
	size_t valid = ranks_total(s, valid_shards, n_valid);
	size_t train = ranks_total(s, shards, d->n - n_valid);
	size_t missing = ranks_total(s, valid_shards, count_missing(d, 0, n_valid)) +
		ranks_total(s, shards, count_missing(d, n_valid, d->n));

	say_rows(p, s, train, valid);
	if (missing)
		progress_say(p,
			"%zu of %zu target values are missing and left out of "
			"the loss",
			missing, (train + valid) * (size_t)d->m);
	if (d->file)
		say_file(p, d);
}

/* Only the first of several ranks writes. */
static void begin_output(const struct settings *s, const struct options *o)
{
	if (!ranks_first(s))
		return;
	output_begin(o->output);
	output_is_binary();
}

static void write_model(struct kf_model *m, struct kf_net *net)
{
	struct kf_backend *b = net->b;
	struct kf_err err;

	m->n = net->layers->n_params;
	m->param = kf_net_get(net, net->weights, "", m->n);
	must_alloc(m->param);
	check(b->op->sync(b, &err), &err);
	check(kf_model_write(m, output_descriptor(), output_name(), &err), &err);
}

int main(int argc, char **argv)
{
	struct kf_model model = { 0 };
	struct progress progress;
	struct kf_dataset_options options;
	struct kf_dataset data;
	struct kf_layers layers;
	struct kf_reader *in;
	struct kf_backend *b;
	struct kf_net net;
	struct kf_err err;
	struct settings s;
	struct options o;
	int status = 0;

	s = train_settings(&o, argc, argv);
	output_keep_apart();
	ranks_join(&s, &o);
	begin_output(&s, &o);
	train_begin(&s);
	in = cli_reader(&o);
	b = train_open_backend(&s.device);
	options = intake(&s);
	check(kf_dataset_read(&data, in, &options, &err), &err);
	kf_reader_close(in);
	kf_reader_close(options.validation);
	ranks_check_data(&s, &data);
	if (s.fold.folds)
		set_fold_aside(&s, &data);
	s.validation_rows = ranks_total(&s, s.train.valid_shards, data.n_valid);
	check_validation(&s, &data);
	describe(&model, &s, &data.schema);
	ranks_check_options(&s, &model);
	check(kf_layers_parse(&layers, s.line, data.schema.c, data.schema.h,
		      data.schema.w, model.columns.n, &err),
		&err);
	check(kf_layers_check_columns(&layers, &model.columns, &err), &err);
	model.net = strdup(layers.line);
	must_alloc(model.net);

	progress_start(&progress, s.quiet, s.train.epochs, s.train.classify,
		kf_model_pixels(&model));
	progress_say(&progress, "backend %s", b->device);
	if (s.train.comm)
		progress_say(&progress, "ranks joined by %s", s.train.comm->engine);
	say_data(&progress, &s, &data);
	progress_layers(&progress, &layers);
	check(kf_net_open(&net, b, &layers, &err), &err);
	check(kf_net_init(&net, s.train.seed, &err), &err);
	if (s.init && !s.resume) /* a checkpoint has its own weights */
		train_start_from(&net, s.init, &progress);
	if (s.train.epochs > 0)
		status = train_run(&net, &data, &model, &s, &progress);
	train_end();
	if (ranks_first(&s))
		write_model(&model, &net);

	kf_net_close(&net);
	b->op->close(b);
	kf_dataset_free(&data);
	kf_layers_free(&layers);
	kf_model_free(&model);
	if (ranks_first(&s))
		output_finish();
	ranks_leave(&s);
	return status;
}
