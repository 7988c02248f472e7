/* What kfkd-train and kfkd-stat say of a layer alike. */
#include "listing.h"

#include <stdio.h>

void layer_branch(const struct kf_layers *l, const struct kf_layer *layer, char *text,
	size_t size)
{
	int of = layer->kind == KF_ADD ? layer->other : layer->from;

	*text = '\0';
	/* what is before the first layer is KF_INPUT */
	if (layer->kind == KF_ADD || of != layer->index - 1)
		snprintf(text, size, "of %s",
			of == KF_INPUT ? "input" : l->layer[of].name);
}
