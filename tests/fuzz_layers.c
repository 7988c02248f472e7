/* Parses lines of layers; the first four bytes give the image and the outputs. */
#define _GNU_SOURCE
#include "fuzz.h"

#include "net/layers_parse.h"

/* Whether layer i reads an output, of an earlier layer, of this shape. */
static bool reads(const struct kf_layers *l, int i, int from, const int shape[3])
{
	const int input[3] = { l->c, l->h, l->w };

	return from < i &&
		!memcmp(from == KF_INPUT ? input : l->layer[from].out, shape,
			sizeof input);
}

/* Layers fit together, and their parameters fill the arena without gaps. */
static void check_layers(const struct kf_layers *l)
{
	size_t floats = 0;

	if (l->n > KF_LAYERS_MAX)
		abort();
	for (int i = 0; i < l->n; i++) {
		const struct kf_layer *y = &l->layer[i];

		if (!reads(l, i, y->from, y->in) || kf_layer_outputs(y) < 1 ||
			(y->kind == KF_ADD && !reads(l, i, y->other, y->out)))
			abort();
	}
	for (int i = 0; i < l->n_params; i++) {
		if (l->param[i].offset < floats)
			abort();
		floats = l->param[i].offset + l->param[i].count;
	}
	if (floats != l->floats || floats > (size_t)1 << 31)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct kf_layers layers, again;
	struct kf_err err;
	char *line;

	if (n < 4)
		return 0;
	line = fuzz_text(data + 4, n - 4);
	if (kf_layers_parse(&layers, line, data[0] + 1, data[1] + 1, data[2] + 1,
		    data[3], &err) == 0) {
		check_layers(&layers);
		if (kf_layers_parse(&again, layers.line, layers.c, layers.h, layers.w,
			    layers.outputs, &err) < 0 ||
			strcmp(again.line, layers.line) ||
			again.floats != layers.floats)
			abort();
		kf_layers_free(&again);
		kf_layers_free(&layers);
	}
	free(line);
	return 0;
}
