/* A net on a backend. */
#include "net/net.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

/* Plans and memory for passes over n rows, created once for each n. */
struct kf_batch {
	struct kf_batch *next;
	int n;
	bool lends;            /* owns its memory, which smaller batches may share */
	struct kf_plan **plan; /* (layers) */
	struct kf_act **act;   /* (layers + 1): the input, then each output */
	struct kf_act **grad;  /* (layers + 1): gradients with respect to act; */
			       /* NULL where neither a parameter is below, */
			       /* nor the input's gradient is wanted */
};

int kf_net_open(struct kf_net *net, struct kf_backend *b,
	const struct kf_layers *layers, struct kf_err *err)
{
	*net = (struct kf_net){ .b = b, .layers = layers };
	net->weights = b->op->alloc(b, layers->floats);
	return b->op->sync(b, err);
}

static void free_batch(struct kf_net *net, struct kf_batch *t)
{
	const struct kf_backend_ops *op = net->b->op;

	for (int i = 0; i <= net->layers->n; i++) {
		if (t->plan && i < net->layers->n && t->plan[i])
			op->free_plan(net->b, t->plan[i]);
		if (t->act)
			op->free_act(net->b, t->act[i]);
		if (t->grad)
			op->free_act(net->b, t->grad[i]);
	}
	free(t->plan);
	free(t->act);
	free(t->grad);
	free(t);
}

void kf_net_close(struct kf_net *net)
{
	struct kf_batch *next;

	for (struct kf_batch *t = net->batches; t; t = next) {
		next = t->next;
		free_batch(net, t);
	}
	net->b->op->free(net->b, net->weights);
	net->b->op->free(net->b, net->grads);
	free(net->made);
}

/* -- parameters ------------------------------------------------------------------ */

/* Uniformly from -a to a, with a = sqrt(6 / ((shape[0] + shape[1]) field)). */
static void fill_glorot(const struct kf_param *p, float *w, uint64_t seed, int layer)
{
	double fans = (double)(p->shape[0] + p->shape[1]);

	for (int d = 2; d < p->rank; d++)
		fans *= (double)p->shape[d];
	kf_rng_fill_uniform(w, p->count, (float)sqrt(6 / fans), seed, KF_RNG_WEIGHTS,
		(uint32_t)layer, 0);
}

/* layer is the index of the one that the parameter belongs to. */
static int init_param(struct kf_net *net, int param, uint64_t seed, int layer,
	struct kf_err *err)
{
	const struct kf_param *p;
	float *w;

	if (param < 0 || net->layers->param[param].init == KF_ZERO)
		return 0;
	p = &net->layers->param[param];
	w = malloc(p->count * sizeof *w);
	if (!w)
		return kf_fail(err, "out of memory for the weights");
	for (size_t i = 0; i < p->count; i++)
		w[i] = 1;
	if (p->init == KF_GLOROT)
		fill_glorot(p, w, seed, layer);
	net->b->op->write_param(net->b, net->weights, p, w);
	free(w);
	return 0;
}

int kf_net_init(struct kf_net *net, uint64_t seed, struct kf_err *err)
{
	for (int i = 0; i < net->layers->n; i++) {
		const struct kf_layer *layer = &net->layers->layer[i];

		if (init_param(net, layer->weight, seed, i, err) < 0 ||
			init_param(net, layer->variance, seed, i, err) < 0)
			return -1;
	}
	return 0;
}

int kf_net_set(struct kf_net *net, struct kf_mem *arena, const char *prefix,
	const struct kf_tensor *t, int n, bool *found, int n_found)
{
	int count = 0;

	for (int i = 0; i < n_found; i++) {
		const struct kf_param *p = &net->layers->param[i];
		const struct kf_tensor *from = kf_param_find(p, prefix, t, n);

		found[i] = from != NULL;
		if (!from)
			continue;
		net->b->op->write_param(net->b, arena, p, from->data);
		count++;
	}
	return count;
}

struct kf_tensor *kf_net_get(struct kf_net *net, const struct kf_mem *arena,
	const char *prefix, int n)
{
	const struct kf_layers *l = net->layers;
	struct kf_tensor *t = calloc((size_t)n + 1, sizeof *t);
	char name[2 * KF_NAME_MAX];

	for (int i = 0; t && i < n; i++) {
		const struct kf_param *p = &l->param[i];

		snprintf(name, sizeof name, "%s%s", prefix, p->name);
		t[i] = kf_tensor(name, KF_F32, p->rank, p->shape);
		t[i].data = malloc(p->count * sizeof(float));
		if (!t[i].data) {
			while (i-- > 0)
				free(t[i].data);
			free(t);
			return NULL;
		}
		net->b->op->read_param(net->b, arena, p, t[i].data);
	}
	return t;
}

/* -- passes ---------------------------------------------------------------------- */

/* Passes never overlap, so smaller batches can share a larger one's memory. */
static struct kf_batch *find_lender(const struct kf_net *net, int n)
{
	for (struct kf_batch *t = net->batches; t; t = t->next)
		if (t->n >= n && t->lends)
			return t;
	return NULL;
}

/* Tells why an operation returned NULL: the failure that sticks in the backend. */
static int failed(struct kf_net *net, struct kf_err *err)
{
	if (net->b->op->sync(net->b, err) == 0)
		kf_fail_memory(err);
	return -1;
}

/* Creates the plans and acts of t, whose arrays are there. */
static int fill_batch(struct kf_net *net, struct kf_batch *t,
	const struct kf_batch *lender, struct kf_err *err)
{
	const struct kf_layers *l = net->layers;
	const struct kf_backend_ops *op = net->b->op;
	const int shape[3] = { l->c, l->h, l->w };

	if (!(t->act[0] = op->input(net->b, t->n, shape)))
		return failed(net, err);
	for (int i = 0; i < l->n; i++)
		if (!(t->plan[i] = op->plan(net->b, &l->layer[i], l->param, t->n)) ||
			!(t->act[i + 1] = op->act(net->b, t->plan[i],
				  lender ? lender->act[i + 1] : NULL)))
			return failed(net, err);
	return 0;
}

static struct kf_batch *new_batch(struct kf_net *net, int n, struct kf_err *err)
{
	struct kf_batch *lender = find_lender(net, n);
	struct kf_batch *t = calloc(1, sizeof *t);
	size_t acts = (size_t)net->layers->n + 1;
	int rc;

	if (!t) {
		kf_fail_memory(err);
		return NULL;
	}
	t->n = n;
	t->plan = calloc(acts, sizeof *t->plan);
	t->act = calloc(acts, sizeof *t->act);
	t->grad = calloc(acts, sizeof *t->grad);
	if (t->plan && t->act && t->grad)
		rc = fill_batch(net, t, lender, err);
	else
		rc = kf_fail_memory(err);
	if (rc < 0) {
		free_batch(net, t);
		return NULL;
	}
	t->lends = !lender;
	t->next = net->batches;
	net->batches = t;
	return t;
}

static struct kf_batch *find_batch(struct kf_net *net, int n, struct kf_err *err)
{
	for (struct kf_batch *t = net->batches; t; t = t->next)
		if (t->n == n)
			return t;
	return new_batch(net, n, err);
}

/* What layer i works on; gradients are NULL until they are needed.  KF_INPUT is -1. */
static struct kf_flow flow(const struct kf_net *net, const struct kf_batch *t, int i)
{
	const struct kf_layer *l = &net->layers->layer[i];
	struct kf_flow f = { .x = t->act[l->from + 1],
		.y = t->act[i + 1],
		.dy = t->grad[i + 1],
		.dx = t->grad[l->from + 1] };

	if (l->kind == KF_ADD) {
		f.other = t->act[l->other + 1];
		f.d_other = t->grad[l->other + 1];
	}
	return f;
}

static struct kf_batch *forward(struct kf_net *net, const struct kf_mem *images,
	const uint32_t *rows, const struct kf_warp *warps, int n,
	const struct kf_pass *pass, struct kf_err *err)
{
	const struct kf_backend_ops *op = net->b->op;
	struct kf_batch *t = find_batch(net, n, err);

	if (!t)
		return NULL;
	op->take(net->b, t->act[0], images, rows, warps);
	for (int i = 0; i < net->layers->n; i++) {
		struct kf_flow f = flow(net, t, i);

		op->forward(net->b, t->plan[i], pass, net->weights, &f);
	}
	return t;
}

struct kf_act *kf_net_forward(struct kf_net *net, const struct kf_mem *images,
	const uint32_t *rows, const struct kf_warp *warps, int n,
	const struct kf_pass *pass, struct kf_err *err)
{
	struct kf_batch *t = forward(net, images, rows, warps, n, pass, err);

	return t ? t->act[net->layers->n] : NULL;
}

/* Whether an output depends on parameters, so that its gradient is needed: depends has
 * the answers for the input and the layers before. */
static bool learns(const struct kf_layers *l, int i, const bool *depends /* + 1 */)
{
	const struct kf_layer *layer = &l->layer[i];

	return layer->weight >= 0 || depends[layer->from + 1] ||
		(layer->kind == KF_ADD && depends[layer->other + 1]);
}

/* Allocates what the net needs from the first training pass on. */
static int prepare_training(struct kf_net *net, struct kf_err *err)
{
	const struct kf_layers *l = net->layers;

	if (!net->grads && !(net->grads = net->b->op->alloc(net->b, l->floats)))
		return failed(net, err);
	if (!net->made && !(net->made = calloc((size_t)l->n_params + 1, sizeof(bool))))
		return kf_fail_memory(err);
	return 0;
}

static int prepare_input(struct kf_net *net, struct kf_batch *t, struct kf_err *err)
{
	const int shape[3] = { net->layers->c, net->layers->h, net->layers->w };

	if (!t->grad[0] && !(t->grad[0] = net->b->op->input(net->b, t->n, shape)))
		return failed(net, err);
	return 0;
}

/* What a batch needs from the first training pass on, or where the input's gradient is
 * wanted. */
static int prepare_backward(struct kf_net *net, struct kf_batch *t, bool input,
	struct kf_err *err)
{
	const struct kf_backend_ops *op = net->b->op;
	const struct kf_layers *l = net->layers;
	struct kf_batch *lender = t->lends ? NULL : find_lender(net, t->n);
	bool depends[KF_LAYERS_MAX + 1] = { false };

	if (prepare_training(net, err) < 0 || (input && prepare_input(net, t, err) < 0))
		return -1;
	depends[0] = input;
	for (int i = 0; i < l->n; i++) {
		depends[i + 1] = learns(l, i, depends);
		if (depends[i + 1] && !t->grad[i + 1] &&
			!(t->grad[i + 1] = op->act(net->b, t->plan[i],
				  lender ? lender->grad[i + 1] : NULL)))
			return failed(net, err);
	}
	return 0;
}

/* -- gradients of several ranks ---------------------------------------------------- */

/* Fewer floats than this are not worth a message of their own. */
#define MESSAGE_MIN ((size_t)1 << 18)

/* Gradients from `from` to before `to`, which lie one after another, as yet unsummed. */
struct unsummed {
	struct kf_comm *comm; /* NULL: they need not be */
	size_t from, to;
	bool unset; /* some of them may not be set yet */
};

static void sum_gradients(struct kf_net *net, struct unsummed *u)
{
	if (u->comm && u->to > u->from)
		net->b->op->sum(net->b, u->comm, net->grads, u->from, u->to - u->from);
	u->to = u->from;
}

/*
 * After the backward pass of layer i: as parameters lie in the order of the layers, those
 * of the dense ones at the top, whose gradients are set, can be summed while the pass goes
 * on below.
 */
static void offer_gradients(struct kf_net *net, struct unsummed *u, int i)
{
	const struct kf_layer *l = &net->layers->layer[i];

	if (l->weight < 0)
		return;
	u->unset |= l->kind != KF_DENSE;
	if (!u->comm || u->unset)
		return;
	u->from = net->layers->param[l->weight].offset;
	if (u->to - u->from >= MESSAGE_MIN)
		sum_gradients(net, u);
}

/* Goes down the layers.  The first reader of an act to come sets its gradient, and the
 * others add to it. */
static void backward(struct kf_net *net, struct kf_batch *t, const struct kf_pass *pass)
{
	const struct kf_layers *l = net->layers;
	struct unsummed u = { pass->share.comm, l->learned, l->learned, false };
	bool set[KF_LAYERS_MAX + 1] = { false };

	for (int i = l->n - 1; i >= 0; i--) {
		const struct kf_layer *layer = &l->layer[i];
		struct kf_flow f = flow(net, t, i);

		if (!f.dy)
			continue;
		f.sum_dx = set[layer->from + 1];
		set[layer->from + 1] = true;
		if (layer->kind == KF_ADD) {
			f.sum_other = set[layer->other + 1];
			set[layer->other + 1] = true;
		}
		net->b->op->backward(net->b, t->plan[i], pass, net->weights, net->grads,
			&f);
		offer_gradients(net, &u, i);
	}
	u.from = 0;
	sum_gradients(net, &u);
	if (u.comm)
		net->b->op->finish_sums(net->b, u.comm);
}

static int run_pass(struct kf_net *net, const struct kf_mem *images,
	const uint32_t *rows, const struct kf_warp *warps, int n,
	const struct kf_target *target, const struct kf_pass *pass, struct kf_err *err)
{
	const struct kf_backend_ops *op = net->b->op;
	struct kf_batch *t = forward(net, images, rows, warps, n, pass, err);
	int last = net->layers->n;
	struct kf_act *gradient;

	if (!t || (pass->train && prepare_backward(net, t, false, err) < 0))
		return -1;
	gradient = pass->train ? t->grad[last] : NULL;
	if (target->classify)
		op->cross_entropy(net->b, t->act[last], target->values, target->rows,
			target->present, gradient, target->losses, target->hits,
			target->slot);
	else
		op->regression(net->b, &target->loss, t->act[last], target->values,
			target->rows, target->present, gradient, target->losses,
			target->slot);
	if (pass->train)
		backward(net, t, pass);
	return 0;
}

int kf_net_loss(struct kf_net *net, const struct kf_mem *images, const uint32_t *rows,
	const struct kf_warp *warps, int n, const struct kf_target *target,
	const struct kf_pass *pass, struct kf_err *err)
{
	struct kf_pass stores = *pass;

	stores.make = NULL;
	return run_pass(net, images, rows, warps, n, target, &stores, err);
}

/* Updates parameters from `first` to before `end`, which lie one after another. */
static void update(struct kf_net *net, const struct kf_step *step, int first, int end)
{
	const struct kf_param *p = net->layers->param;
	size_t from = p[first].offset, to = p[end - 1].offset + p[end - 1].count;

	net->b->op->update(net->b, &step->update, net->weights, net->grads,
		step->state[0], step->state[1], from, to - from);
}

/* What the pass has left of a step: of the parameters that made lacks, as many at once
 * as can be, and of the statistics. */
static void finish_step(struct kf_net *net, const struct kf_step *step)
{
	const struct kf_layers *l = net->layers;

	for (int i = 0, first = 0; i <= l->n_learned; i++) {
		if (i < l->n_learned && !step->made[i])
			continue;
		if (i > first)
			update(net, step, first, i);
		first = i + 1;
	}
	if (l->floats > l->learned)
		net->b->op->average(net->b, net->weights, net->grads,
			KF_STATISTICS_PART, l->learned, l->floats - l->learned);
}

static struct kf_step begin_step(struct kf_net *net, const struct kf_update *u,
	struct kf_mem *state1, struct kf_mem *state2)
{
	memset(net->made, 0, (size_t)net->layers->n_params * sizeof *net->made);
	return (struct kf_step){ *u, net->weights, { state1, state2 }, net->made };
}

void kf_net_update(struct kf_net *net, const struct kf_update *u, struct kf_mem *state1,
	struct kf_mem *state2)
{
	struct kf_step step;

	if (!net->made)
		return; /* no pass could be started */
	step = begin_step(net, u, state1, state2);
	finish_step(net, &step);
}

int kf_net_train(struct kf_net *net, const struct kf_mem *images, const uint32_t *rows,
	const struct kf_warp *warps, int n, const struct kf_target *target,
	const struct kf_pass *pass, const struct kf_update *u, struct kf_mem *state1,
	struct kf_mem *state2, struct kf_err *err)
{
	struct kf_pass makes = *pass;
	struct kf_step step;

	if (prepare_training(net, err) < 0)
		return -1;
	step = begin_step(net, u, state1, state2);
	/* of several ranks no one has the gradient before they are summed */
	makes.make = pass->share.comm ? NULL : &step;
	if (run_pass(net, images, rows, warps, n, target, &makes, err) < 0)
		return -1;
	finish_step(net, &step);
	return 0;
}

static struct kf_batch *last_batch(const struct kf_net *net, int n)
{
	struct kf_batch *t = net->batches;

	while (t->n != n)
		t = t->next;
	return t;
}

struct kf_act *kf_net_input_gradient(struct kf_net *net, const float *dy, int n,
	const struct kf_pass *pass, struct kf_err *err)
{
	struct kf_batch *t = last_batch(net, n);
	struct kf_pass stores = *pass;

	if (prepare_backward(net, t, true, err) < 0)
		return NULL;
	stores.make = NULL;
	net->b->op->write_act(net->b, t->grad[net->layers->n], dy);
	backward(net, t, &stores);
	return t->grad[0];
}

struct kf_act *kf_net_layer(struct kf_net *net, int n, int i)
{
	return last_batch(net, n)->act[i + 1];
}

struct kf_act *kf_net_outputs(struct kf_net *net, int n)
{
	return kf_net_layer(net, n, net->layers->n - 1);
}
