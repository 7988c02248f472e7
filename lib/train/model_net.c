/* A model's net on a backend. */
#include "train/model_net.h"

#include <stdlib.h>

#include "net/fold.h"
#include "net/layers_parse.h"

/* Before any memory is taken for the net: a model may claim any net. */
static int check_params(const struct kf_layers *l, const struct kf_model *m,
	struct kf_err *err)
{
	for (int i = 0; i < l->n_params; i++)
		if (!kf_param_find(&l->param[i], "", m->param, m->n))
			return kf_fail(err,
				"the model lacks '%s' in the shape that its "
				"net has",
				l->param[i].name);
	return 0;
}

static int set_weights(struct kf_model_net *t, struct kf_backend *b,
	const struct kf_tensor *weights, int n_weights, struct kf_err *err)
{
	int n = t->layers.n_params;
	bool *found;

	if (kf_net_open(&t->net, b, &t->layers, err) < 0)
		return -1;
	found = calloc((size_t)n, sizeof *found);
	if (!found)
		return kf_fail_memory(err);
	kf_net_set(&t->net, t->net.weights, "", weights, n_weights, found, n);
	free(found);
	return 0;
}

/* Without statistics there is no batch norm. */
static bool wants_folding(const struct kf_layers *l, bool trains)
{
	return trains || l->floats > l->learned;
}

static struct kf_tensor *fold(struct kf_layers *l, const struct kf_model *m,
	bool trains, struct kf_err *err)
{
	return trains ? kf_fold_all(l, m->param, m->n, err) :
			kf_fold(l, m->param, m->n, err);
}

int kf_model_net_open(struct kf_model_net *t, struct kf_backend *b,
	const struct kf_model *m, bool trains, struct kf_err *err)
{
	struct kf_tensor *folded = NULL;
	int rc;

	*t = (struct kf_model_net){ .opened = false };
	if (kf_layers_parse(&t->layers, m->net, m->c, m->h, m->w, m->columns.n, err) <
		0)
		return -1;
	if (check_params(&t->layers, m, err) < 0 ||
		kf_layers_check_columns(&t->layers, &m->columns, err) < 0 ||
		(wants_folding(&t->layers, trains) &&
			!(folded = fold(&t->layers, m, trains, err)))) {
		kf_layers_free(&t->layers);
		return -1;
	}
	t->opened = true;
	rc = folded ? set_weights(t, b, folded, t->layers.n_params, err) :
		      set_weights(t, b, m->param, m->n, err);
	kf_fold_free(folded, t->layers.n_params);
	return rc;
}

void kf_model_net_close(struct kf_model_net *t)
{
	if (!t->opened)
		return;
	kf_net_close(&t->net);
	kf_layers_free(&t->layers);
	t->opened = false;
}
