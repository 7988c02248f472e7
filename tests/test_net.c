/*
 * Nets of a backend against a net in double precision: layers one after another and with
 * branches, pass by pass, and as a struct kf_net.
 */
#include "net/layers_parse.h"
#include "net/net.h"

#include <string.h>

#include "backend_test.h"
#include "reference.h"

#define LAYERS_MAX 40

struct net_case {
	int n, c, h, w; /* of the input */
	const char *line;
};

/* A line of layers in double precision: values and gradients between them. */
struct reference_net {
	struct reference layer[LAYERS_MAX];
	double *y[LAYERS_MAX + 1], *dy[LAYERS_MAX + 1]; /* y[0] is the input */
	double *weights, *grads;                        /* as l->floats are */
};

static void run_reference(struct reference_net *net, const struct kf_layers *l, int n,
	const float *x, const float *weights, const float *dy,
	const struct kf_pass *pass)
{
	size_t n_x = (size_t)n * (size_t)kf_layer_inputs(&l->layer[0]);

	*net = (struct reference_net){ .weights = widen(weights, l->floats),
		.grads = zeros(l->floats) };
	net->y[0] = widen(x, n_x);
	net->dy[0] = zeros(n_x);
	for (int i = 0; i < l->n; i++) {
		struct reference *r = &net->layer[i];

		*r = make_reference(l, i, n, net->weights, pass);
		r->x = net->y[l->layer[i].from + 1];
		r->other = net->y[l->layer[i].other + 1];
		net->y[i + 1] = zeros(outputs(r));
		net->dy[i + 1] = zeros(outputs(r));
		reference_forward(r, net->y[i + 1]);
	}
	for (size_t i = 0; i < outputs(&net->layer[l->n - 1]); i++)
		net->dy[l->n][i] = dy[i];
	for (int i = l->n - 1; i >= 0; i--) {
		struct reference_gradients d = make_gradients(l, i, net->grads,
			net->dy[l->layer[i].from + 1], net->dy[l->layer[i].other + 1]);

		reference_backward(&net->layer[i], net->y[i + 1], net->dy[i + 1], &d);
	}
}

static void free_reference(struct reference_net *net, const struct kf_layers *l)
{
	for (int i = 0; i <= l->n; i++) {
		free(net->y[i]);
		free(net->dy[i]);
	}
	free(net->weights);
	free(net->grads);
}

/* The backend's side: what a net keeps for a batch. */
struct device_net {
	struct kf_plan *plan[LAYERS_MAX];
	struct kf_act *y[LAYERS_MAX + 1], *dy[LAYERS_MAX + 1];
	struct kf_mem *data, *weights, *grads;
};

static struct kf_flow flow(const struct device_net *net, const struct kf_layer *l)
{
	bool adds = l->kind == KF_ADD;

	return (struct kf_flow){ .x = net->y[l->from + 1],
		.y = net->y[l->index + 1],
		.other = adds ? net->y[l->other + 1] : NULL,
		.dy = net->dy[l->index + 1],
		.dx = net->dy[l->from + 1],
		.d_other = adds ? net->dy[l->other + 1] : NULL };
}

/* Goes down the layers; the first reader of an act sets its gradient. */
static void run_backward(struct device_net *net, const struct kf_layers *l,
	const struct kf_pass *pass)
{
	bool set[LAYERS_MAX + 1] = { false };

	for (int i = l->n - 1; i >= 0; i--) {
		struct kf_flow f = flow(net, &l->layer[i]);

		f.sum_dx = set[l->layer[i].from + 1];
		set[l->layer[i].from + 1] = true;
		if (f.other) {
			f.sum_other = set[l->layer[i].other + 1];
			set[l->layer[i].other + 1] = true;
		}
		b->op->backward(b, net->plan[i], pass, net->weights, net->grads, &f);
	}
}

static void run_device(struct device_net *net, const struct kf_layers *l, int n,
	const float *x, const float *weights, const float *dy,
	const struct kf_pass *pass)
{
	const int shape[3] = { l->c, l->h, l->w };
	size_t n_x = (size_t)n * (size_t)kf_layer_inputs(&l->layer[0]);
	uint32_t *rows = calloc((size_t)n, sizeof *rows);

	*net = (struct device_net){ .data = upload(x, n_x),
		.weights = b->op->alloc(b, l->floats),
		.grads = b->op->alloc(b, l->floats) };
	for (int i = 0; i < n; i++)
		rows[i] = (uint32_t)i;
	for (int i = 0; i < l->n_params; i++)
		b->op->write_param(b, net->weights, &l->param[i],
			weights + l->param[i].offset);
	net->y[0] = b->op->input(b, n, shape);
	net->dy[0] = b->op->input(b, n, shape);
	b->op->write_act(b, net->dy[0], x); /* gives it memory of its own */
	b->op->take(b, net->y[0], net->data, rows, NULL);
	for (int i = 0; i < l->n; i++) {
		struct kf_flow f;

		net->plan[i] = b->op->plan(b, &l->layer[i], l->param, n);
		net->y[i + 1] = b->op->act(b, net->plan[i], NULL);
		net->dy[i + 1] = b->op->act(b, net->plan[i], NULL);
		f = flow(net, &l->layer[i]);
		b->op->forward(b, net->plan[i], pass, net->weights, &f);
	}
	if (pass->train) {
		b->op->write_act(b, net->dy[l->n], dy);
		run_backward(net, l, pass);
	}
	free(rows);
}

static void free_device(struct device_net *net, const struct kf_layers *l)
{
	for (int i = 0; i <= l->n; i++) {
		b->op->free_act(b, net->y[i]);
		b->op->free_act(b, net->dy[i]);
		if (i < l->n)
			b->op->free_plan(b, net->plan[i]);
	}
	b->op->free(b, net->data);
	b->op->free(b, net->weights);
	b->op->free(b, net->grads);
}

static bool all_same_grads(const struct kf_layers *l, const struct kf_mem *device,
	const double *grads)
{
	bool good = true;

	for (int i = 0; i < l->n; i++)
		good &= same_grads(l, &l->layer[i], device, grads, 2e-5, 0.05);
	return good;
}

/* Layers one after another and with branches: what a layer does depends on its
 * neighbours, too. */
static void test_net(const struct net_case *t)
{
	struct kf_pass pass = { .train = true, .seed = 9, .step = 2 };
	struct reference_net want;
	struct device_net got;
	struct kf_layers l;
	struct kf_err err;
	size_t n_x = (size_t)(t->n * t->c * t->h * t->w), n_y;
	float *x = numbers(n_x, 21), *w, *dy;

	if (kf_layers_parse(&l, t->line, t->c, t->h, t->w, 0, &err) < 0) {
		ok(false, "'%s': %s", t->line, err.msg);
		free(x);
		return;
	}
	w = parameters(&l, 22);
	for (size_t i = 0; i < l.learned; i++)
		w[i] *= 0.2f; /* a saturated tanh's gradient would lose its digits */
	n_y = (size_t)t->n * (size_t)kf_layer_outputs(&l.layer[l.n - 1]);
	dy = numbers(n_y, 23);
	run_reference(&want, &l, t->n, x, w, dy, &pass);
	run_device(&got, &l, t->n, x, w, dy, &pass);
	ok(same_act(got.y[l.n], want.y[l.n], n_y, 1e-5, 1e-30), "'%s': outputs",
		t->line);
	ok(same_act(got.dy[0], want.dy[0], n_x, 2e-5, 1e-30), "gradient by the input");
	ok(all_same_grads(&l, got.grads, want.grads) && healthy(),
		"gradients by weights");
	free_reference(&want, &l);
	free_device(&got, &l);
	pass.train = false;
	run_reference(&want, &l, t->n, x, w, dy, &pass);
	run_device(&got, &l, t->n, x, w, dy, &pass);
	ok(same_act(got.y[l.n], want.y[l.n], n_y, 1e-5, 1e-30) && healthy(),
		"outputs, not training");
	free_reference(&want, &l);
	free_device(&got, &l);
	kf_layers_free(&l);
	free(x), free(w), free(dy);
}

/* -- struct kf_net ----------------------------------------------------------------- */

/* A net with data and targets, of which every fifth is missing. */
struct net_test {
	struct kf_layers l;
	struct kf_net net;
	struct kf_pass pass;
	float *x, *w, *t;
	size_t m; /* targets a row */
	struct kf_mem *images, *targets, *losses;
};

static bool open_net(struct net_test *t, const struct net_case *c, struct kf_err *err)
{
	size_t n_x = (size_t)(c->n * c->c * c->h * c->w);

	*t = (struct net_test){ .pass = { .train = true, .seed = 9, .step = 2 } };
	if (kf_layers_parse(&t->l, c->line, c->c, c->h, c->w, 0, err) < 0 ||
		kf_net_open(&t->net, b, &t->l, err) < 0)
		return false;
	t->m = (size_t)kf_layer_outputs(&t->l.layer[t->l.n - 1]);
	t->x = numbers(n_x, 24);
	t->w = parameters(&t->l, 25);
	for (size_t i = 0; i < t->l.learned; i++)
		t->w[i] *= 0.2f;
	t->t = numbers((size_t)c->n * t->m, 26);
	for (size_t i = 0; i < (size_t)c->n * t->m; i += 5)
		t->t[i] = NAN;
	t->images = upload(t->x, n_x);
	t->targets = upload(t->t, (size_t)c->n * t->m);
	t->losses = b->op->alloc(b, 1);
	for (int i = 0; i < t->l.n_params; i++)
		b->op->write_param(b, t->net.weights, &t->l.param[i],
			t->w + t->l.param[i].offset);
	return true;
}

static void close_net(struct net_test *t)
{
	kf_net_close(&t->net);
	kf_layers_free(&t->l);
	b->op->free(b, t->images);
	b->op->free(b, t->targets);
	b->op->free(b, t->losses);
	free(t->x), free(t->w), free(t->t);
}

/* The number of targets of n rows, and the gradient of their mean squared error. */
static size_t find_gradient(const struct net_test *t, int n, const double *p, float *dy,
	double *loss)
{
	size_t count = (size_t)n * t->m, present = 0;

	*loss = 0;
	for (size_t i = 0; i < count; i++)
		present += !isnan(t->t[i]);
	for (size_t i = 0; i < count; i++) {
		double d = isnan(t->t[i]) ? 0 : p[i] - t->t[i];

		dy[i] = (float)(2 * d / (double)present);
		*loss += d * d / (double)present;
	}
	return present;
}

/* A training pass over the first n rows: its loss and all gradients. */
static void test_pass(struct net_test *t, int n)
{
	struct reference_net want;
	struct kf_err err;
	uint32_t *rows = calloc((size_t)n, sizeof *rows);
	float *dy = calloc((size_t)n * t->m + 1, sizeof *dy), got;
	struct kf_target target = { .values = t->targets,
		.rows = rows,
		.losses = t->losses };
	double loss;

	for (int i = 0; i < n; i++)
		rows[i] = (uint32_t)i;
	run_reference(&want, &t->l, n, t->x, t->w, dy, &t->pass);
	target.present = (double)find_gradient(t, n, want.y[t->l.n], dy, &loss);
	free_reference(&want, &t->l);
	run_reference(&want, &t->l, n, t->x, t->w, dy, &t->pass);
	kf_net_loss(&t->net, t->images, rows, NULL, n, &target, &t->pass, &err);
	b->op->read(b, t->losses, 0, &got, 1);
	ok(same(&got, &loss, 1, 1e-5) &&
			all_same_grads(&t->l, t->net.grads, want.grads) && healthy(),
		"loss and gradients of %d rows", n);
	free_reference(&want, &t->l);
	free(rows), free(dy);
}

/* The gradient at the input of something whose gradient at the outputs is dy. */
static void test_input(struct net_test *t, int n)
{
	struct reference_net want;
	struct kf_err err;
	uint32_t *rows = calloc((size_t)n, sizeof *rows);
	float *dy = numbers((size_t)n * t->m, 27);
	size_t n_x = (size_t)n * (size_t)kf_layer_inputs(&t->l.layer[0]);
	struct kf_act *dx = NULL;

	for (int i = 0; i < n; i++)
		rows[i] = (uint32_t)i;
	run_reference(&want, &t->l, n, t->x, t->w, dy, &t->pass);
	if (kf_net_forward(&t->net, t->images, rows, NULL, n, &t->pass, &err))
		dx = kf_net_input_gradient(&t->net, dy, n, &t->pass, &err);
	ok(dx && same_act(dx, want.dy[0], n_x, 2e-5, 1e-30) && healthy(),
		"gradient at the input of %d rows", n);
	free_reference(&want, &t->l);
	free(rows), free(dy);
}

/* A step by the gradients of the last pass, and of statistics towards its batch's. */
static void test_step(struct net_test *t)
{
	const struct kf_update u = kf_update(KF_SGD, 0.5, 0, 0, 1);
	float *g = download(t->net.grads, 0, t->l.floats);
	float *w = download(t->net.weights, 0, t->l.floats), *got;
	double *want = widen(w, t->l.floats);

	for (size_t i = 0; i < t->l.floats; i++)
		want[i] = i < t->l.learned ? w[i] - 0.5 * g[i] :
					     w[i] + 0.1 * ((double)g[i] - w[i]);
	kf_net_update(&t->net, &u, NULL, NULL);
	got = download(t->net.weights, 0, t->l.floats);
	ok(same(got, want, t->l.floats, 1e-6) && healthy(), "a step");
	free(g), free(w), free(got), free(want);
}

/* A pass with a step, which may be made while gradients come, does to the last bit what a
 * pass and then a step do. */
static void test_train(struct net_test *t, int n)
{
	const struct kf_update u = kf_update(KF_ADAMW, 0.01, 0, 0.1, 3);
	uint32_t *rows = calloc((size_t)n, sizeof *rows);
	struct kf_target target = { .values = t->targets,
		.rows = rows,
		.present = 1,
		.losses = t->losses };
	size_t floats = t->l.floats, learned = t->l.learned;
	struct kf_mem *start = b->op->alloc(b, floats), *state[2][2];
	struct kf_err err;
	float *got[2], *moved[2];

	b->op->copy(b, start, t->net.weights, floats);
	for (int i = 0; i < 4; i++)
		state[i / 2][i % 2] = b->op->alloc(b, learned);
	for (int i = 0; i < n; i++)
		rows[i] = (uint32_t)i;
	kf_net_loss(&t->net, t->images, rows, NULL, n, &target, &t->pass, &err);
	kf_net_update(&t->net, &u, state[0][0], state[0][1]);
	got[0] = download(t->net.weights, 0, floats);
	b->op->copy(b, t->net.weights, start, floats);
	kf_net_train(&t->net, t->images, rows, NULL, n, &target, &t->pass, &u,
		state[1][0], state[1][1], &err);
	got[1] = download(t->net.weights, 0, floats);
	for (int i = 0; i < 2; i++)
		moved[i] = download(state[i][1], 0, learned);
	ok(!memcmp(got[0], got[1], floats * sizeof(float)) &&
			!memcmp(moved[0], moved[1], learned * sizeof(float)) &&
			healthy(),
		"a pass with a step");
	for (int i = 0; i < 2; i++) {
		free(got[i]), free(moved[i]);
		b->op->free(b, state[i][0]);
		b->op->free(b, state[i][1]);
	}
	b->op->free(b, start);
	free(rows);
}

/* Passes over batches that share memory, of a net that ends in numbers. */
static void test_kf_net(const struct net_case *c)
{
	struct net_test t;
	struct kf_err err;

	if (!ok(open_net(&t, c, &err), "'%s' as a kf_net", c->line)) {
		note("%s", err.msg);
		return;
	}
	if (kf_layer_outputs(&t.l.layer[t.l.n - 1]) != t.l.layer[t.l.n - 1].out[0]) {
		close_net(&t);
		return;
	}
	test_pass(&t, c->n);
	if (c->n > 1)
		test_pass(&t, c->n - 1);
	test_pass(&t, c->n);
	test_input(&t, c->n);
	if (c->n > 1)
		test_input(&t, c->n - 1);
	test_pass(&t, c->n);
	test_step(&t);
	test_train(&t, c->n);
	close_net(&t);
}

/* The weights after a step on n images of m, those of rows. */
static float *step_on(struct kf_net *net, const struct kf_mem *m, const uint32_t *rows,
	const float *w, int n, const struct kf_target *target)
{
	const struct kf_update u = kf_update(KF_SGD, 0.5, 0, 0, 1);
	struct kf_pass pass = { .train = true };
	struct kf_err err;

	for (int i = 0; i < net->layers->n_params; i++)
		b->op->write_param(b, net->weights, &net->layers->param[i],
			w + net->layers->param[i].offset);
	kf_net_train(net, m, rows, NULL, n, target, &pass, &u, NULL, NULL, &err);
	return download(net->weights, 0, net->layers->floats);
}

/* Images of bytes, and in any order, which a layer may read where they lie, are to the last
 * bit what the same floats one after another are. */
static void test_rows(const struct net_case *c)
{
	size_t image = (size_t)(c->c * c->h * c->w), n = (size_t)c->n, n_y;
	float *x = calloc(2 * n * image, sizeof *x), *reversed = x + n * image;
	float *w, *y, *want, *got[2];
	uint32_t *forth = calloc(2 * n, sizeof *forth), *back = forth + n;
	uint8_t *u = malloc(n * image);
	struct kf_layers l;
	struct kf_net net;
	struct kf_err err;
	struct kf_mem *data[3], *targets, *losses;
	struct kf_target t = { .rows = back, .present = 1 };

	if (kf_layers_parse(&l, c->line, c->c, c->h, c->w, 0, &err) < 0)
		exit(1);
	if (!ok(kf_net_open(&net, b, &l, &err) == 0, "'%s' opens", c->line)) {
		kf_net_close(&net);
		kf_layers_free(&l);
		free(x), free(u), free(forth);
		return;
	}
	for (size_t i = 0; i < n * image; i++) {
		u[i] = (uint8_t)i;
		x[i] = (float)(u[i] / 255.0);
		reversed[(n - 1 - i / image) * image + i % image] = x[i];
	}
	for (uint32_t i = 0; i < n; i++) {
		forth[i] = i;
		back[i] = (uint32_t)n - 1 - i;
	}
	n_y = n * (size_t)kf_layer_outputs(&l.layer[l.n - 1]);
	y = numbers(n_y, 31);
	w = parameters(&l, 32);
	data[0] = upload(reversed, n * image);
	data[1] = upload(x, n * image);
	data[2] = b->op->adopt(b, u, KF_U8, n * image);
	t.values = targets = upload(y, n_y);
	t.losses = losses = b->op->alloc(b, 1);
	want = step_on(&net, data[0], forth, w, c->n, &t);
	for (int i = 0; i < 2; i++) {
		got[i] = step_on(&net, data[i + 1], back, w, c->n, &t);
		ok(!memcmp(want, got[i], l.floats * sizeof *want) && healthy(),
			"'%s': %s in another order", c->line, i ? "bytes" : "floats");
		free(got[i]);
	}
	kf_net_close(&net);
	kf_layers_free(&l);
	for (int i = 0; i < 3; i++)
		b->op->free(b, data[i]);
	b->op->free(b, targets), b->op->free(b, losses);
	free(want), free(x), free(y), free(w), free(forth);
}

static void test_nets(const struct net_case *nets, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		test_net(&nets[i]);
		test_kf_net(&nets[i]);
	}
}

static const struct net_case of_rows[] = {
	{ 69, 1, 23, 25, "dense131 relu dense3" },
	{ 3, 4, 9, 7, "dense7 relu dense3" },
	{ 3, 1, 9, 7, "save conv1x3p1 relu add dense3" },
	{ 3, 63, 1, 1, "save dense63 add relu dense4" },
	{ 3, 1, 9, 7, "conv4x3 relu dense3" },
};

int main(void)
{
	/* All layers after each other, plain and in blocks of channels. */
	static const struct net_case nets[] = {
		{ 3, 1, 12, 11, "conv8x3 relu pool2 conv16x2 relu pool2 dense5" },
		{ 2, 8, 13, 12,
			"conv16x3 relu pool2 drop.2 conv17x2 tanh pool2 drop.5 "
			"dense7 relu dense3" },
		{ 2, 1, 14, 14,
			"pool2 conv16x3 leakyrelu drop.3 pool2 conv32x2 sigmoid" },
		{ 3, 16, 9, 9,
			"drop.2 conv16x2 relu conv16x2 relu pool3 drop.1 dense4" },
		{ 2, 16, 20, 20, "conv16x3 relu pool16 dense6 tanh drop.5 dense2" },
		{ 2, 5, 8, 8, "dense40 relu drop.5 dense20 sigmoid dense3" },
		/* with branches, of one reader after another, of the input, of itself */
		{ 3, 5, 8, 7, "save conv5x3p1 relu add relu dense4" },
		{ 2, 16, 8, 7, "conv16x3p1 relu save conv16x3p1 add relu pool2" },
		{ 2, 3, 9, 9, "save conv8x3p1s2 relu conv8x3p1 add8x1s2 relu avgpool" },
		{ 3, 4, 6, 6, "conv16x3p1 save add tanh dense3" },
		{ 2, 3, 6, 6, "save save conv3x3p1 add leakyrelu conv3x3p1 add" },
		{ 2, 5, 6, 6,
			"conv7x1 save save drop.3 add relu pool2 upscale2 add dense2" },
		{ 2, 4, 8, 8,
			"save pool2 upscale2 save conv4x3p1 add4x3p1 add4x1 dense3" },
		{ 4, 1, 8, 8, "dense20 relu save dense20 tanh add drop.5 dense3" },
		{ 4, 3, 9, 9,
			"conv16x3 batchnorm relu pool2 conv17x2 batchnorm avgpool2 "
			"dense9 batchnorm tanh dense2" },
		{ 3, 4, 8, 8, "conv16x3p1 batchnorm relu res res24 avgpool dense3" },
		{ 3, 3, 9, 8, "res res5 pool2 dense2" },
		{ 1, 3, 8, 8, "res8 avgpool dense3" },
		{ 4, 1, 6, 6, "dense5 batchnorm relu" },
		{ 4, 1, 6, 6, "dense5 batchnorm tanh" },
		/* that begin without parameters */
		{ 3, 1, 12, 12, "pool2 drop.2 avgpool2 dense3" },
		{ 3, 2, 9, 9, "drop.3 pool2 conv8x3 relu dense3" },
		/* upscaled to what was saved */
		{ 3, 20, 13, 11, "save pool2 res20 upscale2 add20x1 tanh dense4" },
		{ 2, 3, 11, 14, "conv8x3p1 save pool3 upscale3 add dense2" },
		{ 2, 3, 5, 5, "save pool3 upscale3 add3x1 dense2" },
		{ 3, 1, 12, 12,
			"conv8x3p1 relu save pool2 conv16x3p1 relu upscale2 "
			"conv8x3p1 add relu conv5x1 softargmax" },
		{ 2, 1, 16, 16,
			"conv16x3p1s2 batchnorm relu save conv16x3p1s2 relu res "
			"upscale2 add conv3x1 softargmax" },
	};
	size_t n = sizeof nets / sizeof *nets;
	struct kf_err err;
	bool recomputes;

	b = kf_backend_open("auto", NULL, &err);
	if (!ok(b != NULL, "a backend opens"))
		return note("%s", err.msg), done_testing();
	note("backend %s", b->device);
	test_nets(nets, n);
	for (size_t i = 0; i < sizeof of_rows / sizeof *of_rows; i++)
		test_rows(&of_rows[i]);
	recomputes = !strncmp(b->device, "cpu", 3);
	b->op->close(b);
	if (!recomputes)
		return done_testing();

	b = kf_backend_open("auto", &(struct kf_backend_options){ .recompute = true },
		&err);
	if (!ok(b != NULL, "the same with recomputing"))
		return note("%s", err.msg), done_testing();
	test_nets(nets, n);
	b->op->close(b);
	return done_testing();
}
