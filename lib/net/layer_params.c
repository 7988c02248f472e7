/* Parameters of the layers of a line. */
#define _GNU_SOURCE
#include "net/layer_params.h"

#include <stdio.h>
#include <string.h>

#define FLOATS_MAX ((size_t)1 << 31) /* in all parameters */

static void name_param(struct kf_param *p, const struct kf_layer *layer,
	const char *what)
{
	snprintf(p->name, sizeof p->name, "%s.%s", layer->name, what);
}

/* Appends a parameter that is learned, and returns its index; -1 on failure. */
static int learn(struct kf_layer_parser *p, const struct kf_layer_word *w,
	const struct kf_param *like, struct kf_err *err)
{
	struct kf_layers *l = p->l;
	struct kf_param *param = &l->param[l->n_learned];

	*param = *like;
	param->count = 1;
	for (int i = 0; i < like->rank; i++)
		if (__builtin_mul_overflow(param->count, (size_t)like->shape[i],
			    &param->count) ||
			param->count > FLOATS_MAX - l->learned - p->statistics)
			return kf_bad_word(w, err, "the net is too large");
	param->offset = l->learned;
	l->learned += param->count;
	return l->n_learned++;
}

int kf_add_weight(struct kf_layer_parser *p, const struct kf_layer_word *w,
	struct kf_layer *layer, int rank, const int64_t *shape, struct kf_err *err)
{
	struct kf_param weight = { .rank = rank,
		.init = rank == 1 ? KF_ONE : KF_GLOROT };

	name_param(&weight, layer, "weight");
	memcpy(weight.shape, shape, (size_t)rank * sizeof *shape);
	return layer->weight = learn(p, w, &weight, err);
}

int kf_add_bias(struct kf_layer_parser *p, const struct kf_layer_word *w,
	struct kf_layer *layer, struct kf_err *err)
{
	struct kf_param bias = { .rank = 1, .shape = { layer->out[0] } };

	name_param(&bias, layer, "bias");
	return layer->bias = learn(p, w, &bias, err);
}

int kf_add_statistic(struct kf_layer_parser *p, const struct kf_layer_word *w,
	const struct kf_layer *layer, const char *what, enum kf_init init,
	struct kf_err *err)
{
	struct kf_param *s = &p->statistic[p->n_statistics];

	if ((size_t)layer->out[0] > FLOATS_MAX - p->l->learned - p->statistics)
		return kf_bad_word(w, err, "the net is too large");
	*s = (struct kf_param){ .rank = 1,
		.shape = { layer->out[0] },
		.offset = p->statistics,
		.count = (size_t)layer->out[0],
		.init = init };
	name_param(s, layer, what);
	p->statistics += s->count;
	return p->n_statistics++;
}
