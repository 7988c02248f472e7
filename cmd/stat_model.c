/* What kfkd-stat prints about a model. */
#include "stat.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "listing.h"
#include "net/layers_parse.h"
#include "net/model.h"

static void print_layers(const struct kf_model *m)
{
	struct kf_layers l;
	struct kf_err err;

	if (kf_layers_parse(&l, m->net, m->c, m->h, m->w, m->columns.n, &err) < 0) {
		if (err.memory)
			die("%s", err.msg);
		printf("\nlayers: %s\n", visible(err.msg));
		return;
	}
	putchar('\n');
	list_layers(stdout, &l);
	kf_layers_free(&l);
}

static void print_parameters(const struct kf_model *m)
{
	size_t all = 0;

	printf("\n%-28s %-20s %10s\n", "parameter", "shape", "values");
	for (int i = 0; i < m->n; i++) {
		const struct kf_tensor *t = &m->param[i];
		char shape[100];

		shape_text(t->shape, t->rank, shape, sizeof shape);
		printf("%-28s %-20s %10zu\n", visible(t->name), shape,
			kf_tensor_count(t));
		all += kf_tensor_count(t);
	}
	printf("%-28s %-20s %10zu\n\n", "all", "", all);
}

static void print_losses(const struct kf_model *m)
{
	int best = stat_best_epoch(m), last = m->epochs - 1;

	printf("epochs: %d\n", m->epochs);
	if (last < 0)
		return;
	printf("last losses: train %.6f, valid %.6f\n", m->train_loss[last],
		m->valid_loss[last]);
	if (best < 0 || isnan(m->valid_loss[best]))
		return;
	printf("best valid loss: %.6f in epoch %d", m->valid_loss[best], best + 1);
	if (!m->classify)
		printf(", an RMSE of %.3f pixels",
			kf_model_pixels(m) * sqrt(m->valid_loss[best]));
	printf("\n");
}

/* Losses of coordinates are all told as squared errors. */
static void print_loss(const struct kf_model *m)
{
	const char *trained = kf_meta_get(&m->notes, "loss");

	printf("loss: %s", m->classify ? "cross-entropy" : "squared error");
	if (trained)
		printf(", trained for %s", visible(trained));
	printf("\n");
}

static void print_model(const struct kf_model *m)
{
	printf("net: %s\n", visible(m->net));
	print_loss(m);
	printf("images: %d x %d, channels: %d\n", m->w, m->h, m->c);
	print_scale("X.scale", &m->x_scale, 1);
	print_scale("y.scale", m->y_scale, 2);
	print_layers(m);
	print_parameters(m);
	print_losses(m);
	for (int i = 0; i < m->notes.n; i++)
		if (strcmp(m->notes.key[i], "loss"))
			printf("%s: %s\n", visible(m->notes.key[i]),
				visible(m->notes.value[i]));
	print_names("names of classes", &m->class_names);
	printf("targets: %d\n", m->columns.n);
	for (int i = 0; i < m->columns.n; i++)
		printf("  %s\n", m->columns.name[i]);
}

static void print_history(const struct kf_model *m)
{
	printf("epoch\ttrain_loss\tvalid_loss\n");
	for (int i = 0; i < m->epochs; i++)
		printf("%d\t%.9g\t%.9g\n", i + 1, m->train_loss[i], m->valid_loss[i]);
}

void stat_model(struct kf_st *st, bool history)
{
	struct kf_model m;
	struct kf_err err;

	check(kf_model_from(&m, st, "", &err), &err);
	if (history)
		print_history(&m);
	else
		print_model(&m);
	kf_model_free(&m);
}
