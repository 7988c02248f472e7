/* What a net's layers are and hold. */
#define _GNU_SOURCE
#include "net/layers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int kf_layer_inputs(const struct kf_layer *l)
{
	return l->in[0] * l->in[1] * l->in[2];
}

int kf_layer_outputs(const struct kf_layer *l)
{
	return l->out[0] * l->out[1] * l->out[2];
}

size_t kf_layer_products(const struct kf_layer *l)
{
	size_t field = (size_t)l->in[0] * (size_t)l->kernel * (size_t)l->kernel;

	if (l->kind == KF_CONV)
		return (size_t)kf_layer_outputs(l) * field;
	if (l->kind == KF_DENSE)
		return (size_t)kf_layer_outputs(l) * (size_t)kf_layer_inputs(l);
	return 0;
}

size_t kf_layers_products(const struct kf_layers *l)
{
	size_t products = 0;

	for (int i = 0; i < l->n; i++)
		products += kf_layer_products(&l->layer[i]);
	return products;
}

size_t kf_layer_floats(const struct kf_layers *l, const struct kf_layer *layer)
{
	return (layer->weight < 0 ? 0 : l->param[layer->weight].count) +
		(layer->bias < 0 ? 0 : l->param[layer->bias].count);
}

const struct kf_tensor *kf_param_find(const struct kf_param *p, const char *prefix,
	const struct kf_tensor *t, int n)
{
	char name[2 * KF_NAME_MAX];

	snprintf(name, sizeof name, "%s%s", prefix, p->name);
	for (int i = 0; i < n; i++)
		if (!strcmp(name, t[i].name) && p->rank == t[i].rank &&
			!memcmp(p->shape, t[i].shape,
				(size_t)p->rank * sizeof *p->shape))
			return &t[i];
	return NULL;
}

static const char *const activations[KF_ACTIVATION_COUNT] = { [KF_LINEAR] = "",
#define ROW(NAME, word, ...) [KF_##NAME] = #word,
	KF_ACTIVATIONS(ROW)
#undef ROW
};

const char *kf_activation_word(enum kf_activation activation)
{
	return activations[activation];
}

void kf_layers_free(struct kf_layers *l)
{
	free(l->line);
	free(l->layer);
	free(l->param);
	*l = (struct kf_layers){ 0 };
}

int kf_layers_check_columns(const struct kf_layers *l, const struct kf_names *columns,
	struct kf_err *err)
{
	if (l->layer[l->n - 1].kind != KF_SOFTARGMAX)
		return 0;
	for (int i = 0; i + 1 < columns->n; i += 2) {
		const char *x = columns->name[i], *y = columns->name[i + 1];
		size_t n = strlen(x);

		if (kf_axis(x) != 0 || kf_axis(y) != 1 || strlen(y) != n ||
			strncmp(x, y, n - 1))
			return kf_fail(err,
				"softargmax finds points, whose x and y must follow each "
				"other: columns %d and %d are '%s' and '%s'",
				i + 1, i + 2, x, y);
	}
	return 0;
}
