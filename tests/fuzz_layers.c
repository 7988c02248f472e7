/* Parses lines of layers; the first four bytes give the image and the outputs. */
#define _GNU_SOURCE
#include "fuzz.h"

#include "net/layers.h"

/* Layers fit together, and their parameters fill the arena without gaps. */
static void check_layers(const struct kf_layers *l)
{
	size_t floats = 0;

	for (int i = 0; i < l->n; i++) {
		const int *out =
			i ? l->layer[i - 1].out : (const int[]){ l->c, l->h, l->w };

		if (memcmp(l->layer[i].in, out, sizeof l->layer[i].in) ||
			kf_layer_outputs(&l->layer[i]) < 1)
			abort();
	}
	for (int i = 0; i < l->n_params; i++) {
		if (l->param[i].offset < floats)
			abort();
		floats = l->param[i].offset + l->param[i].count;
	}
	if (floats > l->floats)
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
