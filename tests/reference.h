/*
 * Layers in double precision, as plain loops: forward, and backward by the formulas of
 * gradients, which test_backend.c compares with finite differences of forward.
 */
#ifndef REFERENCE_H
#define REFERENCE_H

#include "backend_test.h"

/* One layer and what it works on; shapes as in struct kf_layer. */
struct reference {
	int n;
	const struct kf_layer *l;
	const struct kf_pass *pass;
	const double *x, *other;
	const double *weight, *bias, *mean, *variance; /* NULL if it has none */
};

/* Gradients, to which backward adds, and a batch's statistics. */
struct reference_gradients {
	double *x, *other;
	double *weight, *bias, *mean, *variance;
};

static inline size_t outputs(const struct reference *r)
{
	return (size_t)r->n * (size_t)kf_layer_outputs(r->l);
}

/* -- activations ----------------------------------------------------------------- */

static inline double activate(double v, enum kf_activation f)
{
	switch (f) {
	case KF_LINEAR: return v;
	case KF_RELU: return v > 0 ? v : 0;
	case KF_LEAKYRELU: return v < 0 ? 0.01 * v : v;
	case KF_TANH: return tanh(v);
	case KF_SIGMOID: return 1 / (1 + exp(-v));
	}
	return NAN;
}

/* f'(v), given f(v) */
static inline double slope(double y, enum kf_activation f)
{
	switch (f) {
	case KF_LINEAR: return 1;
	case KF_RELU: return y > 0;
	case KF_LEAKYRELU: return y < 0 ? 0.01 : 1;
	case KF_TANH: return 1 - y * y;
	case KF_SIGMOID: return y * (1 - y);
	}
	return NAN;
}

/* -- layers whose outputs are sums of inputs --------------------------------------- */

/*
 * Calls with each pair of an output and an input that it depends on, and the
 * weight between them (-1 where it is factor()): all that forward and backward need.
 */
typedef void (*visit)(void *context, size_t y, size_t x, long weight);

static inline void visit_dense(const struct reference *r, visit f, void *context)
{
	size_t in = (size_t)kf_layer_inputs(r->l);
	size_t out = (size_t)kf_layer_outputs(r->l);

	for (size_t i = 0; i < (size_t)r->n; i++)
		for (size_t o = 0; o < out; o++)
			for (size_t k = 0; k < in; k++)
				f(context, i * out + o, i * in + k, (long)(o * in + k));
}

/* The index of value (i, c, h, w) in images of this shape. */
static inline size_t number(const int shape[3], int i, int c, int h, int w)
{
	return (size_t)(((i * shape[0] + c) * shape[1] + h) * shape[2] + w);
}

/* A value of an output, whose coordinates these are. */
struct place {
	int i, c, h, w;
};

static inline struct place place_of(const int shape[3], size_t y)
{
	int at = (int)y, area = shape[1] * shape[2];

	return (struct place){ at / area / shape[0], at / area % shape[0],
		at % area / shape[2], at % shape[2] };
}

/* One output of a convolution: all inputs that it depends on. */
static inline void visit_field(const struct reference *r, visit f, void *context,
	size_t y)
{
	const int *in = r->l->in, k = r->l->kernel;
	struct place p = place_of(r->l->out, y);

	for (int c = 0; c < in[0]; c++)
		for (int a = 0; a < k; a++)
			for (int b = 0; b < k; b++) {
				int h = p.h * r->l->stride - r->l->pad + a;
				int w = p.w * r->l->stride - r->l->pad + b;

				if (h >= 0 && h < in[1] && w >= 0 && w < in[2])
					f(context, y, number(in, p.i, c, h, w),
						((p.c * in[0] + c) * k + a) * k + b);
			}
}

static inline void visit_conv(const struct reference *r, visit f, void *context)
{
	for (size_t y = 0; y < outputs(r); y++)
		visit_field(r, f, context, y);
}

/* The first of the largest values of a window. */
static inline size_t largest(const struct reference *r, const struct place *p)
{
	int k = r->l->kernel;
	size_t best = number(r->l->in, p->i, p->c, p->h * k, p->w * k);

	for (int a = 0; a < k; a++)
		for (int b = 0; b < k; b++) {
			size_t at = number(r->l->in, p->i, p->c, p->h * k + a,
				p->w * k + b);

			if (r->x[at] > r->x[best])
				best = at;
		}
	return best;
}

static inline void visit_pool(const struct reference *r, visit f, void *context)
{
	for (size_t y = 0; y < outputs(r); y++) {
		struct place p = place_of(r->l->out, y);

		f(context, y, largest(r, &p), -1);
	}
}

static inline void visit_avgpool(const struct reference *r, visit f, void *context)
{
	int k = r->l->kernel;

	for (size_t y = 0; y < outputs(r); y++) {
		struct place p = place_of(r->l->out, y);

		for (int a = 0; a < k; a++)
			for (int b = 0; b < k; b++)
				f(context, y,
					number(r->l->in, p.i, p.c, p.h * k + a,
						p.w * k + b),
					-1);
	}
}

/* Behind the last value, it goes on. */
static inline int upscaled_from(int i, int k, int n)
{
	return i / k < n ? i / k : n - 1;
}

static inline void visit_upscale(const struct reference *r, visit f, void *context)
{
	int k = r->l->kernel;

	for (size_t y = 0; y < outputs(r); y++) {
		struct place p = place_of(r->l->out, y);

		f(context, y,
			number(r->l->in, p.i, p.c, upscaled_from(p.h, k, r->l->in[1]),
				upscaled_from(p.w, k, r->l->in[2])),
			-1);
	}
}

static inline void visit_drop(const struct reference *r, visit f, void *context)
{
	size_t first = (size_t)r->pass->share.first * outputs(r) / (size_t)r->n;

	for (size_t i = 0; i < outputs(r); i++)
		if (!r->pass->train ||
			kf_rng_u32(r->pass->seed, KF_RNG_DROPOUT, (uint32_t)r->l->index,
				r->pass->step,
				first + i) >= (uint32_t)(r->l->drop * 0x1p32))
			f(context, i, i, -1);
}

/* What inputs are multiplied by in a layer without weights. */
static inline double factor(const struct reference *r)
{
	if (r->l->kind == KF_AVGPOOL)
		return 1. / (r->l->kernel * r->l->kernel);
	if (r->l->kind == KF_DROP && r->pass->train)
		return 1 / (1 - r->l->drop);
	return 1;
}

struct sums {
	const struct reference *r;
	double *y;        /* forward */
	const double *dy; /* backward, before the activation */
	const struct reference_gradients *d;
};

static inline void add_forward(void *context, size_t y, size_t x, long w)
{
	struct sums *s = context;

	s->y[y] += s->r->x[x] * (w < 0 ? factor(s->r) : s->r->weight[w]);
}

static inline void add_backward(void *context, size_t y, size_t x, long w)
{
	struct sums *s = context;

	s->d->x[x] += s->dy[y] * (w < 0 ? factor(s->r) : s->r->weight[w]);
	if (w >= 0)
		s->d->weight[w] += s->dy[y] * s->r->x[x];
}

/* Which channel an output belongs to. */
static inline size_t channel(const struct reference *r, size_t y)
{
	return (size_t)place_of(r->l->out, y).c;
}

typedef void visit_layer(const struct reference *, visit, void *);

static inline void sums_forward(const struct reference *r, visit_layer *all, double *y)
{
	struct sums s = { .r = r, .y = y };

	for (size_t i = 0; i < outputs(r); i++)
		y[i] = r->bias ? r->bias[channel(r, i)] : 0;
	all(r, add_forward, &s);
}

static inline void sums_backward(const struct reference *r, visit_layer *all,
	const double *dy, const struct reference_gradients *d)
{
	struct sums s = { .r = r, .dy = dy, .d = d };

	for (size_t i = 0; r->bias && i < outputs(r); i++)
		d->bias[channel(r, i)] += dy[i];
	all(r, add_backward, &s);
}

#define SUMS(word) \
	static inline void forward_##word(const struct reference *r, double *y) \
	{ \
		sums_forward(r, visit_##word, y); \
	} \
	static inline void backward_##word(const struct reference *r, \
		const double *dy, const struct reference_gradients *d) \
	{ \
		sums_backward(r, visit_##word, dy, d); \
	}
SUMS(dense)
SUMS(conv)
SUMS(pool)
SUMS(avgpool)
SUMS(upscale)
SUMS(drop)
#undef SUMS

/* -- add ------------------------------------------------------------------------- */

static inline void forward_add(const struct reference *r, double *y)
{
	for (size_t i = 0; i < outputs(r); i++)
		y[i] = r->x[i] + r->other[i];
}

static inline void backward_add(const struct reference *r, const double *dy,
	const struct reference_gradients *d)
{
	for (size_t i = 0; i < outputs(r); i++) {
		d->x[i] += dy[i];
		d->other[i] += dy[i];
	}
}

/* -- batch norm ------------------------------------------------------------------- */

/* Sums over the values of a channel of a batch. */
struct moments {
	double n, mean, squares; /* squares of the differences from the mean */
};

static inline struct moments find_moments(const struct reference *r, size_t c)
{
	struct moments m = { 0 };

	for (size_t i = 0; i < outputs(r); i++)
		if (channel(r, i) == c)
			m.n++, m.mean += r->x[i];
	m.mean /= m.n;
	for (size_t i = 0; i < outputs(r); i++)
		if (channel(r, i) == c)
			m.squares += (r->x[i] - m.mean) * (r->x[i] - m.mean);
	return m;
}

static inline void forward_batchnorm(const struct reference *r, double *y)
{
	for (size_t c = 0; c < (size_t)r->l->out[0]; c++) {
		struct moments m = find_moments(r, c);
		double mean = r->pass->train ? m.mean : r->mean[c];
		double variance = r->pass->train ? m.squares / m.n : r->variance[c];

		for (size_t i = 0; i < outputs(r); i++)
			if (channel(r, i) == c)
				y[i] = (r->x[i] - mean) / sqrt(variance + 1e-5) *
						r->weight[c] +
					r->bias[c];
	}
}

/* The formula of Ioffe and Szegedy, "Batch normalization", 2015, step by step. */
static inline void norm_backward(const struct reference *r, const double *dy,
	const struct reference_gradients *d, size_t c, const struct moments *m)
{
	double variance = m->squares / m->n + 1e-5, by_variance = 0, by_mean = 0;

	for (size_t i = 0; i < outputs(r); i++) {
		double centred = r->x[i] - m->mean, g = dy[i] * r->weight[c];

		if (channel(r, i) != c)
			continue;
		d->bias[c] += dy[i];
		d->weight[c] += dy[i] * centred / sqrt(variance);
		by_variance += g * centred * -0.5 * pow(variance, -1.5);
		by_mean -= g / sqrt(variance);
	}
	for (size_t i = 0; i < outputs(r); i++)
		if (channel(r, i) == c)
			d->x[i] += dy[i] * r->weight[c] / sqrt(variance) +
				by_variance * 2 * (r->x[i] - m->mean) / m->n +
				by_mean / m->n;
}

static inline void backward_batchnorm(const struct reference *r, const double *dy,
	const struct reference_gradients *d)
{
	for (size_t c = 0; c < (size_t)r->l->out[0]; c++) {
		struct moments m = find_moments(r, c);

		norm_backward(r, dy, d, c, &m);
		d->mean[c] = m.mean;
		d->variance[c] = m.squares / (m.n > 1 ? m.n - 1 : 1);
	}
}

/* -- softargmax ------------------------------------------------------------------- */

/* Where the centre of cell i of n lies in `size` pixels, scaled like targets. */
static inline double cell(int i, int n, int size)
{
	double pixel = (i + 0.5) * size / n - 0.5;

	return (pixel - size / 2.) / (size / 2.);
}

/* The softmax of map m of all (n, c), and its expected place. */
static inline void find_softmax(const struct reference *r, size_t m,
	double *share /* (h w) */, double place[2])
{
	int h = r->l->in[1], w = r->l->in[2];
	double sum = 0;

	for (int i = 0; i < h * w; i++)
		sum += share[i] = exp(r->x[m * (size_t)(h * w) + (size_t)i]);
	place[0] = place[1] = 0;
	for (int i = 0; i < h * w; i++) {
		share[i] /= sum;
		place[0] += share[i] * cell(i % w, w, r->l->image[1]);
		place[1] += share[i] * cell(i / w, h, r->l->image[0]);
	}
}

static inline void forward_softargmax(const struct reference *r, double *y)
{
	double *share = zeros((size_t)(r->l->in[1] * r->l->in[2]));

	for (size_t m = 0; m < outputs(r) / 2; m++)
		find_softmax(r, m, share, y + 2 * m);
	free(share);
}

static inline void backward_softargmax(const struct reference *r, const double *dy,
	const struct reference_gradients *d)
{
	int h = r->l->in[1], w = r->l->in[2];
	double *share = zeros((size_t)(h * w)), place[2];

	for (size_t m = 0; m < outputs(r) / 2; m++) {
		find_softmax(r, m, share, place);
		for (int i = 0; i < h * w; i++)
			d->x[m * (size_t)(h * w) + (size_t)i] += share[i] *
				(dy[2 * m] *
						(cell(i % w, w, r->l->image[1]) -
							place[0]) +
					dy[2 * m + 1] *
						(cell(i / w, h, r->l->image[0]) -
							place[1]));
	}
	free(share);
}

/* -- any layer --------------------------------------------------------------------- */

static const struct {
	void (*forward)(const struct reference *r, double *y);
	void (*backward)(const struct reference *r, const double *dy,
		const struct reference_gradients *d);
} reference_layers[KF_LAYER_KIND_COUNT] = {
#define ROW(NAME, word, ...) [KF_##NAME] = { forward_##word, backward_##word },
	KF_LAYER_KINDS(ROW)
#undef ROW
};

static inline void reference_forward(const struct reference *r, double *y)
{
	reference_layers[r->l->kind].forward(r, y);
	for (size_t i = 0; i < outputs(r); i++)
		y[i] = activate(y[i], r->l->activation);
}

/* dy is with respect to y, after the activation. */
static inline void reference_backward(const struct reference *r, const double *y,
	const double *dy, const struct reference_gradients *d)
{
	double *inner = zeros(outputs(r));

	for (size_t i = 0; i < outputs(r); i++)
		inner[i] = dy[i] * slope(y[i], r->l->activation);
	reference_layers[r->l->kind].backward(r, inner, d);
	free(inner);
}

/* -- layers of a net ---------------------------------------------------------------- */

/* numbers for parameters; variances are positive */
static inline float *parameters(const struct kf_layers *l, uint32_t what)
{
	float *w = numbers(l->floats, what);

	for (int i = 0; i < l->n; i++)
		if (l->layer[i].variance >= 0) {
			const struct kf_param *p = &l->param[l->layer[i].variance];

			for (size_t j = 0; j < p->count; j++)
				w[p->offset + j] = 0.5f + fabsf(w[p->offset + j]);
		}
	return w;
}

/* A parameter in an arena; NULL if there is none. */
static inline double *param_in(double *arena, const struct kf_layers *l, int param)
{
	return param < 0 ? NULL : arena + l->param[param].offset;
}

static inline struct reference make_reference(const struct kf_layers *l, int layer,
	int n, double *weights, const struct kf_pass *pass)
{
	const struct kf_layer *at = &l->layer[layer];

	return (struct reference){ .n = n,
		.l = at,
		.pass = pass,
		.weight = param_in(weights, l, at->weight),
		.bias = param_in(weights, l, at->bias),
		.mean = param_in(weights, l, at->mean),
		.variance = param_in(weights, l, at->variance) };
}

static inline struct reference_gradients make_gradients(const struct kf_layers *l,
	int layer, double *grads, double *x, double *other)
{
	const struct kf_layer *at = &l->layer[layer];

	return (struct reference_gradients){ .x = x,
		.other = other,
		.weight = param_in(grads, l, at->weight),
		.bias = param_in(grads, l, at->bias),
		.mean = param_in(grads, l, at->mean),
		.variance = param_in(grads, l, at->variance) };
}

/* Whether the gradients by a layer's parameters, and its statistics, are the
 * reference's, all in arenas. */
static inline bool same_grads(const struct kf_layers *l, const struct kf_layer *layer,
	const struct kf_mem *device, const double *grads, double limit, double scale)
{
	const int params[] = { layer->weight, layer->bias, layer->mean,
		layer->variance };
	bool good = true;

	for (int i = 0; good && i < 4; i++) {
		const struct kf_param *p = &l->param[params[i]];
		float *got;

		if (params[i] < 0)
			continue;
		got = malloc((p->count + 1) * sizeof *got);
		b->op->read_param(b, device, p, got);
		good = similar(got, grads + p->offset, p->count, limit, scale);
		if (!good)
			note("%s", p->name);
		free(got);
	}
	return good;
}

#endif
