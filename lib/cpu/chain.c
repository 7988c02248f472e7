/*
 * Layers that work image by image: all but dense ones.
 *
 * Their outputs are DEFERRED until a layer that works on complete batches reads one.
 * By then a chain of them is pending, and each thread takes one image after another
 * through the entire chain, from scratch to scratch, while it is in the cache.  The
 * gradient goes down the chain in the same way.
 *
 * The output of a chain's last layer is stored for the complete batch.  In training, so
 * are the activations in between that backward reads; with
 * kf_backend_options.recompute, backward recomputes them instead, which takes about a
 * fifth of an epoch's time.
 */
#include "cpu/chain.h"

#include <omp.h>
#include <stdlib.h>

#include "cpu/activation.h"
#include "cpu/batch.h"
#include "cpu/memory.h"

/* What else is to be done with each image. */
struct visitor {
	cpu_visit *visit; /* NULL for nothing */
	void *context;
};

/* Whether it has yet to be computed. */
static bool pending(const struct kf_act *a)
{
	return a->state == CPU_DEFERRED || a->state == CPU_STORING;
}

/* -- a thread's scratch ---------------------------------------------------------- */

/* One thread's scratch for a plan's output: one image, its gradient, its mask. */
struct cpu_scratch {
	float *y, *dy;
	void *mask;
	float *dx;           /* of the input, where it is to be added */
	int image;           /* y and mask are valid for this image */
	unsigned long sweep; /* in this sweep */
};

void cpu_chain_make(struct kf_backend *b, struct kf_plan *plan, size_t mask_bytes)
{
	plan->mask_bytes = mask_bytes;
	plan->scratch = calloc((size_t)cpu(b)->threads, sizeof *plan->scratch);
	if (!plan->scratch)
		cpu_fail(b, "out of memory");
}

void cpu_chain_make_plain(struct kf_backend *b, struct kf_plan *plan)
{
	cpu_chain_make(b, plan, 0);
}

void cpu_chain_free(struct kf_backend *b, struct kf_plan *plan)
{
	for (int i = 0; plan->scratch && i < cpu(b)->threads; i++) {
		free(plan->scratch[i].y);
		free(plan->scratch[i].dy);
		free(plan->scratch[i].dx);
		free(plan->scratch[i].mask);
	}
	free(plan->scratch);
	free(plan->masks);
}

/* The masks of n images at *masks, allocated on first use; NULL on failure. */
static void *masks_once(struct kf_backend *b, const struct kf_plan *plan, void **masks,
	int n)
{
	if (!*masks && !(*masks = malloc(plan->mask_bytes * (size_t)n + 1)))
		cpu_fail(b, "out of memory");
	return *masks;
}

static void *stored_mask(const struct kf_plan *plan, int i)
{
	return (char *)plan->masks + (size_t)i * plan->mask_bytes;
}

const void *cpu_mask(const struct cpu_deferred *d, int i, int thread)
{
	return d->plan->stores_masks ? stored_mask(d->plan, i) :
				       d->plan->scratch[thread].mask;
}

float *cpu_chain_scratch(struct kf_backend *b, const struct kf_plan *plan)
{
	struct cpu_scratch *scratch = &plan->scratch[omp_get_thread_num()];

	scratch->sweep = 0; /* y is overwritten */
	return cpu_floats_once(b, &scratch->y, cpu_image_floats(&plan->y));
}

/* -- forward --------------------------------------------------------------------- */

void cpu_chain_forward(const struct cpu_deferred *d, struct kf_act *y)
{
	y->state = CPU_DEFERRED;
	y->deferred = *d;
}

float *cpu_values(struct kf_backend *b, const struct kf_act *a, int i, int thread)
{
	struct kf_plan *plan = a->deferred.plan;
	struct cpu_scratch *scratch;
	float *x, *y;
	void *mask;

	if (!pending(a))
		return cpu_image(a, i);
	scratch = &plan->scratch[thread];
	y = a->state == CPU_STORING ?
		cpu_image(a, i) :
		cpu_floats_once(b, &scratch->y, cpu_image_floats(&a->layout));
	if (scratch->image == i && scratch->sweep == cpu(b)->sweep)
		return y;
	x = cpu_values(b, a->deferred.x, i, thread);
	mask = plan->stores_masks ? stored_mask(plan, i) :
				    masks_once(b, plan, &scratch->mask, 1);
	if (mask && x && y)
		plan->ops->image_forward(b, &a->deferred, thread, i, x, y, mask);
	scratch->image = i;
	scratch->sweep = cpu(b)->sweep;
	return y;
}

static void begin(struct kf_backend *b, const struct cpu_deferred *d,
	enum cpu_direction direction)
{
	if (d->plan->ops->begin)
		d->plan->ops->begin(b, d->plan, direction, d->weights);
}

static void begin_values(struct kf_backend *b, const struct kf_act *a)
{
	for (; pending(a); a = a->deferred.x)
		begin(b, &a->deferred, CPU_FORWARD);
}

bool cpu_gives_preactivation(const struct kf_plan *plan, const struct kf_act *x)
{
	return plan->ops->absorbs_relu && x->activation == KF_RELU;
}

/* Whether backward reads the values of a, the input of the plan above. */
static bool read_by_backward(const struct kf_act *a, const struct kf_plan *above)
{
	return above->reads_x != CPU_NEVER ||
		!(cpu_gives_preactivation(above, a) || a->activation == KF_LINEAR);
}

/* Chooses which outputs of the chain that ends in a are stored, and allocates them. */
static void choose_stored(struct kf_backend *b, struct kf_act *a)
{
	bool keep = a->deferred.pass.train && !cpu(b)->recompute;
	const struct kf_plan *above = NULL;

	for (; pending(a); a = a->deferred.x) {
		struct kf_plan *plan = a->deferred.plan;

		plan->stores_masks = !above || keep;
		if (plan->stores_masks && !masks_once(b, plan, &plan->masks, plan->n))
			return;
		if (!above || (keep && read_by_backward(a, above))) {
			if (!cpu_batch_memory(b, a))
				return;
			a->state = CPU_STORING;
		}
		above = plan;
	}
}

static void visit_image(struct kf_backend *b, const struct visitor *v, int i,
	float *image)
{
	if (v->visit && image)
		v->visit(b, v->context, i, image);
}

static void materialize_values(struct kf_backend *b, struct kf_act *a,
	const struct visitor *v)
{
	begin_values(b, a);
	choose_stored(b, a);
	if (cpu(b)->failed)
		return;
	cpu(b)->sweep++;
#pragma omp parallel for schedule(dynamic) num_threads(cpu(b)->team.working)
	for (int i = 0; i < a->n; i++)
		visit_image(b, v, i, cpu_values(b, a, i, omp_get_thread_num()));
	for (; pending(a); a = a->deferred.x)
		if (a->state == CPU_STORING)
			a->state = CPU_STORED;
}

/* -- backward -------------------------------------------------------------------- */

/* The operation above d in the chain, which computes d's dy; NULL at the top. */
static const struct cpu_deferred *above(const struct cpu_deferred *d)
{
	return pending(d->dy) ? &d->dy->deferred : NULL;
}

/*
 * A thread's scratch for dx.  It is that of x itself, unless this layer still reads x
 * while it writes dx, or the layer below needs x for its activation's gradient.
 */
static float *gradient_memory(struct kf_backend *b, const struct kf_act *dx, int thread)
{
	const struct kf_act *x = dx->deferred.x;
	struct cpu_scratch *scratch = &x->deferred.plan->scratch[thread];
	size_t n = cpu_image_floats(&dx->layout);

	if (x->state == CPU_STORED)
		return cpu_floats_once(b, &scratch->y, n);
	if (dx->deferred.plan->reads_x == CPU_WHILE_DX ||
		!cpu_is_preactivation(dx, x->activation))
		return cpu_floats_once(b, &scratch->dy, n);
	scratch->sweep = 0; /* y is overwritten */
	return cpu_floats_once(b, &scratch->y, n);
}

/* The gradient a of image i, after running backward through the layers above. */
static float *gradient(struct kf_backend *b, const struct kf_act *a, int i, int thread)
{
	const struct cpu_deferred *d = &a->deferred;
	float *dy, *dx;

	if (!pending(a))
		return cpu_image(a, i);
	dy = gradient(b, d->dy, i, thread);
	dx = gradient_memory(b, a, thread);
	if (dy && dx)
		d->plan->ops->image_backward(b, d, thread, i, dy, dx);
	return dx;
}

/* The topmost values of the chain that d's backward reads; NULL if it reads none. */
static const struct kf_act *last_read(const struct cpu_deferred *d)
{
	const struct kf_plan *plan = d->plan;

	if (!cpu_is_preactivation(d->dy, plan->layer->activation) ||
		(plan->mask_bytes > 0 && !plan->stores_masks))
		return d->y;
	return plan->reads_x != CPU_NEVER ? d->x : NULL;
}

/* Where the gradient that leaves a chain goes. */
struct destination {
	struct kf_act *dx; /* NULL if it is not needed */
	bool sum;          /* add to it */
	struct visitor visitor;
};

/* Runs the lowest layer of a chain. */
static void leave_chain(struct kf_backend *b, const struct cpu_deferred *last,
	const struct destination *to, int i, int thread, float *dy)
{
	float *dx = to->dx ? cpu_image(to->dx, i) : NULL, *part = dx;
	size_t n = dx ? cpu_image_floats(&to->dx->layout) : 0;

	if (to->sum && !(part = cpu_floats_once(b, &last->plan->scratch[thread].dx, n)))
		return;
	last->plan->ops->image_backward(b, last, thread, i, dy, part);
	if (to->sum)
		cpu_add_to(dx, part, n);
	visit_image(b, &to->visitor, i, dx);
}

/* run_backward for one image. */
static void image_backward(struct kf_backend *b, const struct cpu_deferred *last,
	const struct destination *to, int i, int thread)
{
	const struct kf_act *read;
	float *dy;

	/* before gradients overwrite values in the scratch */
	for (const struct cpu_deferred *d = last; d; d = above(d))
		if ((read = last_read(d)))
			cpu_values(b, read, i, thread);
	if (cpu(b)->failed)
		return;
	dy = gradient(b, last->dy, i, thread);
	if (dy)
		leave_chain(b, last, to, i, thread, dy);
}

/* Goes down the chain to `last`, its lowest layer. */
static void run_backward(struct kf_backend *b, const struct cpu_deferred *last,
	const struct destination *to)
{
	const struct kf_act *read;
	int n = last->plan->n, size = cpu_group_size(b, n);

	for (const struct cpu_deferred *d = last; d; d = above(d)) {
		if ((read = last_read(d)))
			begin_values(b, read);
		begin(b, d, CPU_BACKWARD_WEIGHTS);
		if (d != last || to->dx)
			begin(b, d, CPU_BACKWARD_DATA);
	}
	if (cpu(b)->failed)
		return;
	cpu(b)->sweep++;
#pragma omp parallel for schedule(dynamic) num_threads(cpu(b)->team.working)
	for (int first = 0; first < n; first += size)
		for (int i = first; i < first + size && i < n; i++)
			image_backward(b, last, to, i, omp_get_thread_num());
	for (const struct cpu_deferred *d = last; d && !cpu(b)->failed; d = above(d))
		if (d->plan->ops->end)
			d->plan->ops->end(b, d->plan, d->grads);
}

/* -- operations ------------------------------------------------------------------ */

/* If x comes from a chain, dx is deferred too, and the chain continues downward; but
 * what is to be added is added now. */
void cpu_chain_backward(struct kf_backend *b, const struct cpu_deferred *d,
	struct kf_act *dx, bool sum)
{
	const struct destination to = { .dx = dx, .sum = dx && sum };

	if (to.sum) {
		cpu_materialize(b, dx);
		run_backward(b, d, &to);
	} else if (dx && d->x->state != CPU_READY) {
		dx->state = CPU_DEFERRED;
		dx->deferred = *d;
	} else if (!dx || cpu_batch_memory(b, dx)) {
		run_backward(b, d, &to);
	}
}

static void visit_all(struct kf_backend *b, const struct kf_act *a,
	const struct visitor *v)
{
#pragma omp parallel for schedule(dynamic) num_threads(cpu(b)->team.working)
	for (int i = 0; i < a->n; i++)
		visit_image(b, v, i, cpu_image(a, i));
}

void cpu_materialize_and(struct kf_backend *b, struct kf_act *a, cpu_visit *visit,
	void *context)
{
	struct cpu_deferred d = a->deferred;
	struct destination to = { .dx = a, .visitor = { visit, context } };

	if (cpu(b)->failed)
		return;
	if (a->state != CPU_DEFERRED) {
		if (visit)
			visit_all(b, a, &to.visitor);
	} else if (!d.dy) {
		materialize_values(b, a, &to.visitor);
	} else {
		a->state = CPU_READY;
		if (cpu_batch_memory(b, a))
			run_backward(b, &d, &to);
	}
}

void cpu_materialize(struct kf_backend *b, struct kf_act *a)
{
	cpu_materialize_and(b, a, NULL, NULL);
}
