/*
 * Writes a model to look at, without training: for tests of what reads models.
 *
 *   mkmodel NET C H W SHAPE EPOCHS FACTOR [classify | bias | swapped] > MODEL
 *
 * SHAPE is that of the first weights, "100x9216" or "8x1x3x3"; weight i is
 * i % 7 - 3, and the first unit's weights are all 0.  With FACTOR f the loss
 * of epoch e is f * (0.05 / e + 0.002) in training and f * (0.05 / e + 0.003)
 * in validation; a FACTOR of 0 means a validation that is NaN.  There are two
 * targets, nose_x and nose_y, or two classes.  With "bias" or "swapped" the weights have
 * a bias of 0; with the latter, the targets change places.
 */
#define _GNU_SOURCE
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/model.h"

static struct kf_tensor weights(const char *text)
{
	int64_t shape[KF_RANK_MAX];
	struct kf_tensor t;
	size_t unit;
	int rank = 0;
	float *v;

	for (char *end; rank < KF_RANK_MAX; text = end + 1) {
		shape[rank++] = strtoll(text, &end, 10);
		if (*end != 'x')
			break;
	}
	t = kf_tensor(rank == 4 ? "conv1.weight" : "dense1.weight", KF_F32, rank,
		shape);
	t.data = v = calloc(kf_tensor_count(&t) + 1, sizeof *v);
	if (!v)
		abort();
	unit = kf_tensor_count(&t) / (size_t)shape[0];
	for (size_t i = unit; i < kf_tensor_count(&t); i++)
		v[i] = (float)(i % 7) - 3;
	return t;
}

static struct kf_tensor zero_bias(const struct kf_tensor *weights)
{
	struct kf_tensor t = kf_tensor("", KF_F32, 1, weights->shape);

	snprintf(t.name, sizeof t.name, "%.*s.bias", (int)strcspn(weights->name, "."),
		weights->name);
	t.data = calloc((size_t)t.shape[0], sizeof(float));
	if (!t.data)
		abort();
	return t;
}

int main(int argc, char **argv)
{
	struct kf_model m = { .x_scale = { 0, 255 } };
	const char *how = argc > 8 ? argv[8] : "";
	bool swapped = !strcmp(how, "swapped");
	struct kf_tensor param[2];
	struct kf_err err;
	double factor;

	if (argc < 8)
		return 2;
	m.net = strdup(argv[1]);
	m.c = atoi(argv[2]);
	m.h = atoi(argv[3]);
	m.w = atoi(argv[4]);
	m.classify = !strcmp(how, "classify");
	if (!m.classify) {
		m.y_scale[0] = (struct kf_scale){ (float)m.w / 2, (float)m.w / 2 };
		m.y_scale[1] = (struct kf_scale){ (float)m.h / 2, (float)m.h / 2 };
	}
	kf_names_add(&m.columns,
		m.classify      ? "class_0" :
			swapped ? "nose_y" :
				  "nose_x");
	kf_names_add(&m.columns,
		m.classify      ? "class_1" :
			swapped ? "nose_x" :
				  "nose_y");
	param[0] = weights(argv[5]);
	param[1] = zero_bias(&param[0]);
	m.n = swapped || !strcmp(how, "bias") ? 2 : 1;
	m.param = param;
	m.epochs = atoi(argv[6]);
	factor = atof(argv[7]);
	m.train_loss = calloc((size_t)m.epochs + 1, sizeof *m.train_loss);
	m.valid_loss = calloc((size_t)m.epochs + 1, sizeof *m.valid_loss);
	for (int i = 0; i < m.epochs; i++) {
		double f = factor > 0 ? factor : 1;

		m.train_loss[i] = (float)(f * (0.05 / (i + 1) + 0.002));
		m.valid_loss[i] =
			factor > 0 ? (float)(f * (0.05 / (i + 1) + 0.003)) : NAN;
	}
	if (kf_model_write(&m, STDOUT_FILENO, "standard output", &err) < 0) {
		fprintf(stderr, "mkmodel: %s\n", err.msg);
		return 1;
	}
	m.param = NULL;
	m.n = 0;
	free(param[0].data);
	free(param[1].data);
	kf_model_free(&m);
	return 0;
}
