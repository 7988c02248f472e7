/* What each word of a line of layers adds to a net: shapes and parameters. */
#define _GNU_SOURCE
#include "net/layer_kinds.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* -- layers -------------------------------------------------------------------- */

/* Notes that another layer reads the output of layer `from`. */
static void add_reader(struct kf_layer_parser *p, int from)
{
	if (from != KF_INPUT)
		p->l->layer[from].readers++;
}

static void shape_of(const struct kf_layers *l, int from, int shape[3])
{
	const int input[3] = { l->c, l->h, l->w };

	memcpy(shape, from == KF_INPUT ? input : l->layer[from].out, sizeof input);
}

/* Appends a layer of this kind, whose output is shaped like its input, the output of
 * layer `from`. */
static struct kf_layer *new_layer(struct kf_layer_parser *p, enum kf_layer_kind kind,
	const char *word, int from)
{
	struct kf_layers *l = p->l;
	struct kf_layer *layer = &l->layer[l->n];
	int count = 1;

	for (int i = 0; i < l->n; i++)
		count += l->layer[i].kind == kind;
	*layer = (struct kf_layer){ .kind = kind,
		.index = l->n,
		.from = from,
		.other = KF_INPUT,
		.stride = 1,
		.image = { l->h, l->w },
		.weight = -1,
		.bias = -1,
		.mean = -1,
		.variance = -1 };
	add_reader(p, from);
	snprintf(layer->name, sizeof layer->name, "%s%d", word, count);
	shape_of(l, from, layer->in);
	shape_of(l, from, layer->out);
	l->n++;
	return layer;
}

/* Whether the number of values fits an int. */
static bool countable(const int shape[3])
{
	int64_t area = (int64_t)shape[1] * shape[2];

	return area <= INT32_MAX && area * shape[0] <= INT32_MAX;
}

/* Makes a layer, whose shape is set, the input of the next. */
static int go_on(struct kf_layer_parser *p, const struct kf_layer_word *w,
	struct kf_layer *layer, struct kf_err *err)
{
	if (!countable(layer->out))
		return kf_bad_word(w, err, "its output is too large");
	p->at = layer->index;
	p->open = layer;
	return 0;
}

int kf_add_dense(struct kf_layer_parser *p, const struct kf_layer_word *w,
	struct kf_err *err)
{
	int units = kf_word_number(w);
	struct kf_layer *layer;
	int64_t shape[2];

	if (units < 0)
		return kf_bad_word(w, err, "should be denseN, N units from 1 to %d",
			KF_UNITS_MAX);
	if (units == 0 && !(w->last && p->l->outputs))
		return kf_bad_word(w, err,
			"only the last layer may lack its number of units");
	layer = new_layer(p, KF_DENSE, "dense", p->at);
	layer->out[0] = units ? units : p->l->outputs;
	layer->out[1] = layer->out[2] = 1;
	shape[0] = kf_layer_outputs(layer);
	shape[1] = kf_layer_inputs(layer);
	if (kf_add_weight(p, w, layer, 2, shape, err) < 0 ||
		(!kf_next_word_is(w, "batchnorm") && kf_add_bias(p, w, layer, err) < 0))
		return -1;
	return go_on(p, w, layer, err);
}

static int convolve(struct kf_layer_parser *p, const struct kf_layer_word *w, int from,
	const struct kf_filters *f, bool bias, struct kf_err *err)
{
	struct kf_layer *layer = new_layer(p, KF_CONV, "conv", from);
	int64_t shape[4] = { f->n, layer->in[0], f->kernel, f->kernel };

	if (f->pad >= f->kernel)
		return kf_bad_word(w, err, "the padding is as wide as the filters");
	for (int i = 1; i < 3; i++) {
		int padded = layer->in[i] + 2 * f->pad;

		if (f->kernel > padded)
			return kf_bad_word(w, err,
				"the filters are larger than what they see");
		layer->out[i] = (padded - f->kernel) / f->stride + 1;
	}
	layer->out[0] = f->n;
	layer->kernel = f->kernel;
	layer->pad = f->pad;
	layer->stride = f->stride;
	if (kf_add_weight(p, w, layer, 4, shape, err) < 0 ||
		(bias && kf_add_bias(p, w, layer, err) < 0))
		return -1;
	return go_on(p, w, layer, err);
}

int kf_add_conv(struct kf_layer_parser *p, const struct kf_layer_word *w,
	struct kf_err *err)
{
	struct kf_filters f;

	if (!kf_word_filters(w, &f))
		return kf_bad_word(w, err,
			"should be convNxK, N filters of K x K, and may go on with "
			"pP for P zeros around the image and sS for steps of S");
	return convolve(p, w, p->at, &f, !kf_next_word_is(w, "batchnorm"), err);
}

int kf_add_maps(struct kf_layer_parser *p, const struct kf_layer_word *w,
	struct kf_err *err)
{
	struct kf_filters f = { .n = p->l->outputs / 2, .kernel = 1, .stride = 1 };

	if (w->letters != w->length)
		return kf_bad_word(w, err, "takes no number");
	if (!f.n || p->l->outputs % 2)
		return kf_bad_word(w, err,
			"a map is for a point, x and y, and there are %d targets",
			p->l->outputs);
	return convolve(p, w, p->at, &f, true, err);
}

/* A layer that divides its input into k x k windows. */
static int add_windows(struct kf_layer_parser *p, const struct kf_layer_word *w,
	enum kf_layer_kind kind, const char *word, int k, struct kf_err *err)
{
	struct kf_layer *layer = new_layer(p, kind, word, p->at);

	if (k > layer->in[1] || k > layer->in[2])
		return kf_bad_word(w, err, "the pool is larger than what it sees");
	layer->kernel = layer->stride = k;
	for (int i = 1; i < 3; i++)
		layer->out[i] = layer->in[i] / k;
	return go_on(p, w, layer, err);
}

int kf_add_pool(struct kf_layer_parser *p, const struct kf_layer_word *w,
	struct kf_err *err)
{
	int k = kf_word_number(w);

	if (k <= 0)
		return kf_bad_word(w, err, "should be poolK, the largest of K x K");
	return add_windows(p, w, KF_POOL, "pool", k, err);
}

int kf_add_avgpool(struct kf_layer_parser *p, const struct kf_layer_word *w,
	struct kf_err *err)
{
	int k = kf_word_number(w), shape[3];

	if (k < 0)
		return kf_bad_word(w, err,
			"should be avgpoolK, the mean of K x K, or avgpool, the mean of "
			"the image");
	if (k)
		return add_windows(p, w, KF_AVGPOOL, "avgpool", k, err);
	shape_of(p->l, p->at, shape);
	if (shape[1] != shape[2])
		return kf_bad_word(w, err, "it sees %d x %d, which is no square",
			shape[1], shape[2]);
	return add_windows(p, w, KF_AVGPOOL, "avgpool", shape[1], err);
}

/* Pools drop what is left over at the end of an image: an output that is smaller than what
 * was saved by that much gets its size. */
static void fit_saved(const struct kf_layer_parser *p, struct kf_layer *layer)
{
	int saved[3];

	shape_of(p->l, p->saved[p->depth - 1], saved);
	for (int i = 1; i < 3; i++)
		if (saved[i] > layer->out[i] &&
			saved[i] - layer->out[i] < layer->kernel)
			layer->out[i] = saved[i];
}

int kf_add_upscale(struct kf_layer_parser *p, const struct kf_layer_word *w,
	struct kf_err *err)
{
	int k = kf_word_number(w);
	struct kf_layer *layer;

	if (k <= 0 || k > 1000)
		return kf_bad_word(w, err,
			"should be upscaleK, K x K for each value, K up to 1000");
	layer = new_layer(p, KF_UPSCALE, "upscale", p->at);
	layer->kernel = k;
	for (int i = 1; i < 3; i++)
		if (__builtin_mul_overflow(layer->in[i], k, &layer->out[i]))
			return kf_bad_word(w, err, "its output is too large");
	if (p->depth)
		fit_saved(p, layer);
	return go_on(p, w, layer, err);
}

int kf_add_drop(struct kf_layer_parser *p, const struct kf_layer_word *w,
	struct kf_err *err)
{
	double drop = kf_word_real(w);
	struct kf_layer *layer;

	if (!(drop > 0 && drop < 1))
		return kf_bad_word(w, err, "should be dropP, P between 0 and 1");
	layer = new_layer(p, KF_DROP, "drop", p->at);
	layer->drop = drop;
	return go_on(p, w, layer, err);
}

static int normalize(struct kf_layer_parser *p, const struct kf_layer_word *w,
	struct kf_err *err)
{
	struct kf_layer *layer = new_layer(p, KF_BATCHNORM, "batchnorm", p->at);
	const int64_t shape[1] = { layer->out[0] };

	if (kf_add_weight(p, w, layer, 1, shape, err) < 0 ||
		kf_add_bias(p, w, layer, err) < 0)
		return -1;
	layer->mean = kf_add_statistic(p, w, layer, "running_mean", KF_ZERO, err);
	if (layer->mean < 0)
		return -1;
	layer->variance = kf_add_statistic(p, w, layer, "running_var", KF_ONE, err);
	if (layer->variance < 0)
		return -1;
	return go_on(p, w, layer, err);
}

int kf_add_batchnorm(struct kf_layer_parser *p, const struct kf_layer_word *w,
	struct kf_err *err)
{
	if (w->letters != w->length)
		return kf_bad_word(w, err, "takes no number");
	return normalize(p, w, err);
}

int kf_add_softargmax(struct kf_layer_parser *p, const struct kf_layer_word *w,
	struct kf_err *err)
{
	struct kf_layer *layer;

	if (w->letters != w->length)
		return kf_bad_word(w, err, "takes no number");
	if (*w->next)
		return kf_bad_word(w, err, "nothing may follow it");
	if (p->l->outputs % 2)
		return kf_bad_word(w, err,
			"it finds points, pairs of x and y, and there are %d targets",
			p->l->outputs);
	layer = new_layer(p, KF_SOFTARGMAX, "softargmax", p->at);
	if (layer->in[0] > INT32_MAX / 2)
		return kf_bad_word(w, err, "its output is too large");
	layer->out[0] = 2 * layer->in[0];
	layer->out[1] = layer->out[2] = 1;
	return go_on(p, w, layer, err);
}

/* -- branches ------------------------------------------------------------------ */

static int save(struct kf_layer_parser *p, const struct kf_layer_word *w,
	struct kf_err *err)
{
	if (p->depth == KF_SAVED_MAX)
		return kf_bad_word(w, err, "more than %d are saved and not added",
			KF_SAVED_MAX);
	p->saved[p->depth++] = p->at;
	p->open = NULL; /* what is saved does not change any more */
	return 0;
}

int kf_add_save(struct kf_layer_parser *p, const struct kf_layer_word *w,
	struct kf_err *err)
{
	if (w->letters != w->length)
		return kf_bad_word(w, err, "takes no number");
	return save(p, w, err);
}

/* Adds what was saved last, after a convolution unless f is NULL. */
static int add_saved(struct kf_layer_parser *p, const struct kf_layer_word *w,
	const struct kf_filters *f, struct kf_err *err)
{
	int from = p->at, other;
	struct kf_layer *layer;
	int shape[3];

	if (!p->depth)
		return kf_bad_word(w, err, "there is no 'save' before it");
	other = p->saved[--p->depth];
	if (f) {
		if (convolve(p, w, other, f, true, err) < 0)
			return -1;
		other = p->at;
	}
	layer = new_layer(p, KF_ADD, "add", from);
	layer->other = other;
	add_reader(p, other);
	shape_of(p->l, other, shape);
	if (memcmp(shape, layer->in, sizeof shape))
		return kf_bad_word(w, err,
			"cannot add %d x %d x %d, which was saved, to %d x %d x %d",
			shape[0], shape[1], shape[2], layer->in[0], layer->in[1],
			layer->in[2]);
	return go_on(p, w, layer, err);
}

int kf_add_add(struct kf_layer_parser *p, const struct kf_layer_word *w,
	struct kf_err *err)
{
	struct kf_filters f;

	if (w->letters == w->length)
		return add_saved(p, w, NULL, err);
	if (!kf_word_filters(w, &f))
		return kf_bad_word(w, err,
			"should be add, or addNxK with arguments like convNxK's for what "
			"was saved");
	return add_saved(p, w, &f, err);
}

/* A convolution that keeps the image's size, and batch norm. */
static int convolve_and_normalize(struct kf_layer_parser *p,
	const struct kf_layer_word *w, int n, struct kf_err *err)
{
	const struct kf_filters f = { .n = n, .kernel = 3, .pad = 1, .stride = 1 };

	if (convolve(p, w, p->at, &f, false, err) < 0)
		return -1;
	return normalize(p, w, err);
}

int kf_add_res(struct kf_layer_parser *p, const struct kf_layer_word *w,
	struct kf_err *err)
{
	int n = kf_word_number(w), shape[3];
	struct kf_filters across = { .kernel = 1, .stride = 1 };

	shape_of(p->l, p->at, shape);
	if (n < 0)
		return kf_bad_word(w, err,
			"should be resN, a residual block of N filters");
	across.n = n ? n : shape[0];
	if (save(p, w, err) < 0 || convolve_and_normalize(p, w, across.n, err) < 0)
		return -1;
	p->open->activation = KF_RELU;
	if (convolve_and_normalize(p, w, across.n, err) < 0 ||
		add_saved(p, w, across.n == shape[0] ? NULL : &across, err) < 0)
		return -1;
	p->open->activation = KF_RELU;
	p->open = NULL; /* its activation is given */
	return 0;
}
