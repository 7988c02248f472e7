/* What kfkd-train and kfkd-stat say of layers and parameters alike. */
#include "listing.h"

/*
 * "of conv7", where a layer's input is not simply the layer before it: for an add, what it
 * adds; for others, where they branch off.  Otherwise "".  Names are those of the
 * parameters, and "input" is the net's.
 */
static void describe_branch(const struct kf_layers *l, const struct kf_layer *layer,
	char *text, size_t size)
{
	int of = layer->kind == KF_ADD ? layer->other : layer->from;

	*text = '\0';
	/* what is before the first layer is KF_INPUT */
	if (layer->kind == KF_ADD || of != layer->index - 1)
		snprintf(text, size, "of %s",
			of == KF_INPUT ? "input" : l->layer[of].name);
}

static void print_layer(FILE *f, const char *name, const int shape[3], size_t products,
	size_t parameters)
{
	char size[64];

	if (shape[1] == 1 && shape[2] == 1)
		snprintf(size, sizeof size, "%d", shape[0]);
	else
		snprintf(size, sizeof size, "%d x %d x %d", shape[0], shape[1],
			shape[2]);
	fprintf(f, "%-28s %-20s %13zu %10zu\n", name, size, products, parameters);
}

/* "add3 of conv7 relu" */
static void describe_layer(const struct kf_layers *l, const struct kf_layer *layer,
	char *text, size_t size)
{
	const char *activation = kf_activation_word(layer->activation);
	char branch[64];

	describe_branch(l, layer, branch, sizeof branch);
	snprintf(text, size, "%s%s%s%s%s", layer->name, *branch ? " " : "", branch,
		*activation ? " " : "", activation);
}

void list_layers(FILE *f, const struct kf_layers *l)
{
	char text[160];

	fprintf(f, "%-28s %-20s %13s %10s\n", "layer", "output", "multiply-adds",
		"parameters");
	print_layer(f, "input", (const int[]){ l->c, l->h, l->w }, 0, 0);
	for (int i = 0; i < l->n; i++) {
		describe_layer(l, &l->layer[i], text, sizeof text);
		print_layer(f, text, l->layer[i].out, kf_layer_products(&l->layer[i]),
			kf_layer_floats(l, &l->layer[i]));
	}
	fprintf(f, "%-28s %-20s %13zu %10zu\n", "all", "", kf_layers_products(l),
		l->learned);
}

void shape_text(const int64_t *shape, int rank, char *text, size_t size)
{
	size_t end = 0;

	*text = '\0';
	for (int i = 0; i < rank && end < size; i++)
		end += (size_t)snprintf(text + end, size - end, i ? " x %lld" : "%lld",
			(long long)shape[i]);
}
