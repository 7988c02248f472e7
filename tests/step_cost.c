/*
 * What a batch costs on the CUDA backend, counted from its layers: launches of
 * kernels, matrix products, and the bytes that these must move, each operand
 * once.
 *
 *   step_cost NET SIZE OUTPUTS BATCH
 *
 * NET is a preset or layers (whose rows are consecutive, as without options of
 * kfkd-train), for grey images of SIZE x SIZE.  Prints a line for
 * a step of training, with the update rule Nesterov, and one for a batch that
 * validates: launches, products, bytes, and the products' operations.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/layers_parse.h"
#include "train/preset.h"

/* As in cuda/backend.c: 64 MiB. */
#define WORKSPACE_FLOATS ((double)(1 << 24))

struct cost {
	double launches, products, floats, flop;
};

static void launch(struct cost *c, double floats)
{
	c->launches++;
	c->floats += floats;
}

/* (m, k) by (k, n) */
static void product(struct cost *c, double m, double n, double k)
{
	c->products++;
	c->floats += m * k + k * n + m * n;
	c->flop += 2 * m * n * k;
}

static double values(const int shape[3])
{
	return (double)shape[0] * shape[1] * shape[2];
}

/* Is its layout other than (n, c, h, w)? */
static int by_channels(const int shape[3])
{
	return shape[0] > 1 && shape[1] * shape[2] > 1;
}

/* Floats that a layer's bias and activation read and write in backward. */
static double bias_back(const struct kf_layer *l, double outputs)
{
	return l->activation == KF_LINEAR ? outputs : 3 * outputs;
}

static void dense(struct cost *c, const struct kf_layer *l, double n, int train, int dx)
{
	double in = values(l->in), out = values(l->out);
	int flatten = by_channels(l->in);

	if (flatten)
		launch(c, 2 * n * in);
	product(c, n, out, in);
	if (l->bias >= 0)
		launch(c, 2 * n * out);
	if (!train)
		return;
	if (l->bias >= 0)
		launch(c, bias_back(l, n * out));
	product(c, out, in, n);
	if (dx)
		product(c, n, in, out);
	if (dx && flatten)
		launch(c, 2 * n * in);
}

static void convolution(struct cost *c, const struct kf_layer *l, double n, int train,
	int dx)
{
	double image = (double)l->out[1] * l->out[2], pixels = n * image;
	double taps = (double)l->in[0] * l->kernel * l->kernel, filters = l->out[0];
	double piece = (double)(long)(WORKSPACE_FLOATS / taps);

	if (piece > image)
		piece -= (double)((long)piece % (long)image);
	for (double at = 0; at < pixels; at += piece) {
		double now = pixels - at < piece ? pixels - at : piece;
		double input = now / image * values(l->in);

		launch(c, input + taps * now);
		product(c, filters, now, taps);
		if (!train)
			continue;
		launch(c, input + taps * now);
		product(c, filters, taps, now);
		if (!dx)
			continue;
		product(c, taps, now, filters);
		launch(c, taps * now + input);
	}
	if (l->bias < 0)
		return;
	launch(c, 2 * filters * pixels);
	if (!train)
		return;
	launch(c, bias_back(l, filters * pixels));
	if (image > 1)
		launch(c, filters); /* of the slices' sums */
}

/* Sums over a channel are finished by a kernel of their own. */
static void batchnorm(struct cost *c, const struct kf_layer *l, double n, int train,
	int dx)
{
	double all = n * values(l->in);

	launch(c, train ? all : 2 * l->in[0]); /* moments, or the scale alone */
	if (train)
		launch(c, 3 * l->in[0]);
	launch(c, 2 * all);
	if (!train)
		return;
	launch(c, l->activation == KF_LINEAR ? 2 * all : 4 * all);
	launch(c, 4 * l->in[0]);
	if (dx)
		launch(c, 3 * all);
}

/* Which of a layer's inputs need a gradient. */
struct wanted {
	int dx, other;
};

static void add_layer(struct cost *c, const struct kf_layer *l, double n, int train,
	struct wanted wanted)
{
	double in = n * values(l->in), out = n * values(l->out);
	int dx = train && wanted.dx;

	switch (l->kind) {
	case KF_CONV:
		if (l->pad == 0 && l->kernel == l->in[1] && l->kernel == l->in[2])
			dense(c, l, n, train, dx); /* it sees all of an image at once */
		else
			convolution(c, l, n, train, dx);
		break;
	case KF_DENSE: dense(c, l, n, train, dx); break;
	case KF_BATCHNORM: batchnorm(c, l, n, train, dx); break;
	case KF_POOL:
		launch(c, in + out);
		if (dx)
			launch(c, 2 * in + out);
		break;
	case KF_AVGPOOL:
	case KF_UPSCALE:
		launch(c, in + out);
		if (dx)
			launch(c, in + out);
		break;
	case KF_SOFTARGMAX:
		launch(c, in + out);
		if (dx)
			launch(c, 2 * in + out);
		break;
	case KF_ADD:
		launch(c, 3 * out);
		if (train && (wanted.dx || wanted.other))
			launch(c, out * (2 + wanted.dx + wanted.other));
		break;
	case KF_DROP:
		if (!train)
			c->floats += 2 * in; /* a copy */
		else
			launch(c, 2 * in);
		if (dx)
			launch(c, 2 * in);
		break;
	}
}

/* gather: rows are copied to the batch, not used in place. */
static struct cost batch_cost(const struct kf_layers *l, double n, int train,
	int gather)
{
	struct cost c = { 0 };
	int *learns = calloc((size_t)l->n + 1, sizeof *learns); /* from the input on */

	if (!learns)
		exit(1);
	if (gather)
		launch(&c, 2 * n * l->h * l->w);
	for (int i = 0; i < l->n; i++) {
		const struct kf_layer *layer = &l->layer[i];
		struct wanted wanted = { learns[layer->from + 1],
			layer->kind == KF_ADD && learns[layer->other + 1] };

		learns[i + 1] = layer->weight >= 0 || wanted.dx || wanted.other;
		add_layer(&c, layer, n, train, wanted);
		if (train && learns[i + 1] && layer->readers > 1) /* which add to it */
			c.floats += n * values(layer->out) * (layer->readers - 1);
	}
	free(learns);
	launch(&c, n * l->outputs * (train ? 3 : 2));
	if (train)
		launch(&c, 5 * (double)l->learned);
	if (train && l->floats > l->learned)
		launch(&c, 3 * (double)(l->floats - l->learned));
	return c;
}

int main(int argc, char **argv)
{
	const struct kf_preset *preset = argc == 5 ? kf_preset_find(argv[1]) : NULL;
	struct kf_layers l;
	struct kf_err err;
	int size, n;

	if (argc != 5)
		return fputs("usage: step_cost NET SIZE OUTPUTS BATCH\n", stderr), 2;
	size = atoi(argv[2]);
	n = atoi(argv[4]);
	if (kf_layers_parse(&l, preset ? preset->line : argv[1], 1, size, size,
		    atoi(argv[3]), &err) < 0)
		return fprintf(stderr, "%s\n", err.msg), 1;
	for (int train = 1; train >= 0; train--) {
		struct cost c = batch_cost(&l, n, train,
			train && preset &&
				(preset->train.shuffle ||
					kf_augment_any(&preset->train.augment)));

		printf("%s\t%g\t%g\t%.0f\t%.0f\n", train ? "train" : "valid",
			c.launches, c.products, c.floats * sizeof(float), c.flop);
	}
	kf_layers_free(&l);
	return 0;
}
