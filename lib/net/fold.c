/* Folding batch norm into the layer in front of it. */
#include "net/fold.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Work on one net: the new layers and parameters beside the old ones. */
struct fold {
	const struct kf_layers *old;
	const struct kf_tensor *t; /* (n) */
	int n;
	struct kf_layers *l; /* the new one: layers and parameters are filled */
	struct kf_tensor *folded;
	int *place; /* (old->n) the new index of each layer's output */
	bool all;   /* norms that no layer takes in and dropout go, too */
};

static const float *values(const struct fold *f, int param)
{
	return kf_param_find(&f->old->param[param], "", f->t, f->n)->data;
}

/* The batch norm that layer i of the old net takes in, or NULL. */
static const struct kf_layer *norm_of(const struct kf_layers *l, int i)
{
	const struct kf_layer *layer = &l->layer[i];

	if ((layer->kind != KF_CONV && layer->kind != KF_DENSE) || layer->bias >= 0 ||
		layer->activation != KF_LINEAR || layer->readers != 1)
		return NULL;
	for (int j = i + 1; j < l->n; j++)
		if (l->layer[j].from == i && l->layer[j].kind == KF_BATCHNORM)
			return &l->layer[j];
	return NULL;
}

/* Adds a parameter like p, with the values of data unless that is NULL, and returns its
 * index; -1 when out of memory. */
static int add_param(struct fold *f, const struct kf_param *p, const float *data,
	bool learned)
{
	struct kf_layers *l = f->l;
	struct kf_param *param = &l->param[l->n_params];
	struct kf_tensor *t = &f->folded[l->n_params];

	*param = *p;
	param->offset = l->floats;
	*t = kf_tensor(p->name, KF_F32, p->rank, p->shape);
	t->data = malloc(p->count * sizeof *data);
	if (!t->data)
		return -1;
	if (data)
		memcpy(t->data, data, p->count * sizeof *data);
	l->floats += p->count;
	if (learned) {
		l->learned = l->floats;
		l->n_learned++;
	}
	return l->n_params++;
}

/* What a norm multiplies channel i by. */
static double factor(const float *weight, const float *variance, size_t i)
{
	return weight[i] / sqrt(variance[i] + KF_BATCHNORM_EPSILON);
}

/* Gives a layer that multiplies as the norm does the bias that makes it do the rest:
 * weight (x - mean) / sqrt(variance + epsilon) + bias. */
static int add_bias(struct fold *f, struct kf_layer *layer, const struct kf_layer *norm)
{
	const float *weight = values(f, norm->weight), *bias = values(f, norm->bias);
	const float *mean = values(f, norm->mean),
		    *variance = values(f, norm->variance);
	struct kf_param p = { .rank = 1,
		.shape = { layer->out[0] },
		.count = (size_t)layer->out[0] };
	float *b;

	snprintf(p.name, sizeof p.name, "%s.bias", layer->name);
	layer->bias = add_param(f, &p, NULL, true);
	if (layer->bias < 0)
		return -1;
	b = f->folded[layer->bias].data;
	for (size_t i = 0; i < p.count; i++)
		b[i] = (float)(bias[i] - factor(weight, variance, i) * mean[i]);
	return 0;
}

/* Multiplies each output's weights by the norm's factor. */
static int take_in(struct fold *f, struct kf_layer *layer, const struct kf_layer *norm)
{
	const float *weight = values(f, norm->weight);
	const float *variance = values(f, norm->variance);
	size_t outputs = (size_t)layer->out[0];
	size_t fan = f->l->param[layer->weight].count / outputs;
	float *w = f->folded[layer->weight].data;

	layer->activation = norm->activation;
	layer->readers = norm->readers;
	for (size_t i = 0; i < outputs; i++)
		for (size_t j = 0; j < fan; j++)
			w[i * fan + j] =
				(float)(factor(weight, variance, i) * w[i * fan + j]);
	return add_bias(f, layer, norm);
}

/* Makes the norm that layer was a layer that multiplies each channel and adds to it. */
static int replace(struct fold *f, struct kf_layer *layer, const struct kf_layer *norm)
{
	const float *weight = values(f, norm->weight);
	const float *variance = values(f, norm->variance);
	size_t channels = (size_t)norm->out[0];
	struct kf_param p = { .rank = norm->out[1] * norm->out[2] == 1 ? 2 : 4,
		.shape = { norm->out[0], norm->out[0], 1, 1 },
		.count = channels * channels };
	float *w = calloc(p.count, sizeof *w);

	snprintf(p.name, sizeof p.name, "%s.weight", layer->name);
	for (size_t i = 0; w && i < channels; i++)
		w[i * (channels + 1)] = (float)factor(weight, variance, i);
	layer->kind = p.rank == 2 ? KF_DENSE : KF_CONV;
	layer->kernel = 1;
	layer->mean = layer->variance = -1;
	layer->weight = w ? add_param(f, &p, w, true) : -1;
	free(w);
	return layer->weight < 0 ? -1 : add_bias(f, layer, norm);
}

static int moved(const struct fold *f, int index)
{
	return index == KF_INPUT ? KF_INPUT : f->place[index];
}

/* Copies the parameter at *index, if there is one, and sets its new index. */
static int keep_param(struct fold *f, int *index, bool learned)
{
	if (*index >= 0)
		*index = add_param(f, &f->old->param[*index], values(f, *index),
			learned);
	else
		return 0;
	return *index < 0 ? -1 : 0;
}

/* Whoever reads layer i, which drops nothing, reads its input instead. */
static void skip_drop(struct fold *f, int i)
{
	const struct kf_layer *drop = &f->old->layer[i];

	f->place[i] = moved(f, drop->from);
	if (f->place[i] != KF_INPUT)
		f->l->layer[f->place[i]].readers += drop->readers - 1;
}

/* Appends layer i of the old net, unless it is a norm that another took in. */
static int add_layer(struct fold *f, int i)
{
	const struct kf_layer *old = &f->old->layer[i], *norm = norm_of(f->old, i);
	struct kf_layer *layer = &f->l->layer[f->l->n];

	if (f->all && old->kind == KF_DROP) {
		skip_drop(f, i);
		return 0;
	}
	if (old->kind == KF_BATCHNORM && old->from != KF_INPUT &&
		norm_of(f->old, old->from) == old) {
		f->place[i] = f->place[old->from];
		return 0;
	}
	*layer = *old;
	layer->index = f->place[i] = f->l->n++;
	layer->from = moved(f, old->from);
	layer->other = moved(f, old->other);
	if (f->all && old->kind == KF_BATCHNORM)
		return replace(f, layer, old);
	if (keep_param(f, &layer->weight, true) < 0 ||
		keep_param(f, &layer->bias, true) < 0)
		return -1;
	return norm ? take_in(f, layer, norm) : 0;
}

/* Statistics of the norms that are left, behind the learned parameters. */
static int add_statistics(struct fold *f)
{
	for (int i = 0; i < f->l->n; i++)
		if (keep_param(f, &f->l->layer[i].mean, false) < 0 ||
			keep_param(f, &f->l->layer[i].variance, false) < 0)
			return -1;
	return 0;
}

static int fill(struct fold *f)
{
	for (int i = 0; i < f->old->n; i++)
		if (add_layer(f, i) < 0)
			return -1;
	return add_statistics(f);
}

void kf_fold_free(struct kf_tensor *folded, int n)
{
	for (int i = 0; folded && i < n; i++)
		free(folded[i].data);
	free(folded);
}

static struct kf_tensor *fold(struct kf_layers *l, const struct kf_tensor *t, int n,
	bool all, struct kf_err *err)
{
	struct kf_layers old = *l;
	struct fold f = { .old = &old, .t = t, .n = n, .l = l, .all = all };
	/* a norm's parameters are at least as many as the bias that replaces them */
	size_t room = (size_t)old.n_params + 1;

	l->n = l->n_params = l->n_learned = 0;
	l->floats = l->learned = 0;
	l->layer = calloc((size_t)old.n, sizeof *l->layer);
	l->param = calloc(room, sizeof *l->param);
	f.folded = calloc(room, sizeof *f.folded);
	f.place = calloc((size_t)old.n, sizeof *f.place);
	if (!l->layer || !l->param || !f.folded || !f.place || fill(&f) < 0) {
		kf_fold_free(f.folded, (int)room);
		f.folded = NULL;
		kf_fail_memory(err);
	}
	free(f.place);
	free(old.layer);
	free(old.param);
	return f.folded;
}

struct kf_tensor *kf_fold(struct kf_layers *l, const struct kf_tensor *t, int n,
	struct kf_err *err)
{
	return fold(l, t, n, false, err);
}

struct kf_tensor *kf_fold_all(struct kf_layers *l, const struct kf_tensor *t, int n,
	struct kf_err *err)
{
	return fold(l, t, n, true, err);
}
