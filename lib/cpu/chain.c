/*
 * Layers image by image.
 *
 * What convolution, pooling and dropout make is computed only when a layer that
 * takes whole batches wants it.  By then a chain of them is due, and each thread
 * takes an image through all of it, from one small place to the next, while it is
 * in the cache.  The gradient goes down the chain in the same manner.
 *
 * Stored for a batch are the end of a chain and, in training, what the way back has
 * to read.  Without room for that (kf_backend_options.recompute), the way back
 * computes it once more: about a fifth of an epoch's time.
 */
#include "cpu/internal.h"

#include <omp.h>
#include <stdlib.h>

/* -- images ------------------------------------------------------------------------ */

/* Image number i of a batch. */
static struct kf_act image(const struct kf_act *a, int i)
{
	struct kf_act one = *a;

	one.n = 1;
	if (one.f)
		one.f += (size_t)i * cpu_act_floats(&one);
	return one;
}

/* -- a thread's places --------------------------------------------------------------- */

/* What the thread has of a plan's output, for one image. */
struct cpu_place {
	float *y, *dy;
	void *marks;
	int i;             /* the image that y and marks are of, */
	unsigned long run; /* in this run */
};

bool cpu_make_places(struct kf_plan *plan, size_t marks)
{
	plan->marks_bytes = marks;
	plan->place = calloc((size_t)omp_get_max_threads(), sizeof *plan->place);
	return plan->place != NULL;
}

void cpu_free_places(struct kf_plan *plan)
{
	for (int i = 0; plan->place && i < omp_get_max_threads(); i++) {
		free(plan->place[i].y);
		free(plan->place[i].dy);
		free(plan->place[i].marks);
	}
	free(plan->place);
	free(plan->marks);
}

/* The memory at *marks for n images, made when it is first needed. */
static void *marks_room(struct kf_backend *b, const struct kf_plan *plan, void **marks,
	int n)
{
	if (!*marks && !(*marks = malloc(plan->marks_bytes * (size_t)n + 1)))
		cpu_fail(b, "out of memory");
	return *marks;
}

static void *marks_of(const struct kf_plan *plan, int i)
{
	return (char *)plan->marks + (size_t)i * plan->marks_bytes;
}

/* An image of a's shape in a thread's memory at *f, made when it is first needed. */
static struct kf_act in_place(struct kf_backend *b, const struct kf_act *a, float **f)
{
	struct kf_act one = *a;

	one.n = 1;
	if (!*f)
		*f = cpu_floats(b, cpu_act_floats(&one));
	one.f = *f;
	return one;
}

/* -- the way there --------------------------------------------------------------------- */

struct kf_act cpu_values(struct kf_backend *b, const struct kf_act *a, int i,
	int thread)
{
	struct kf_plan *plan = a->due.plan;
	struct cpu_place *place;
	struct kf_act x, y;
	void *marks;

	if (!plan || a->stored)
		return image(a, i);
	place = &plan->place[thread];
	y = a->storing ? image(a, i) : in_place(b, a, &place->y);
	if (place->i == i && place->run == cpu(b)->run)
		return y;
	x = cpu_values(b, a->due.x, i, thread);
	marks = plan->keeps_marks ? marks_of(plan, i) :
				    marks_room(b, plan, &place->marks, 1);
	if (marks && x.f && y.f)
		plan->kind->there(b, &a->due, thread, i, &x, &y, marks);
	place->i = i;
	place->run = cpu(b)->run;
	return y;
}

static void begin(struct kf_backend *b, const struct cpu_due *due,
	enum cpu_direction direction)
{
	if (due->plan->kind->begin)
		due->plan->kind->begin(b, due->plan, direction, due->weights);
}

static void begin_values(struct kf_backend *b, const struct kf_act *a)
{
	for (; a->due.plan && !a->stored; a = a->due.x)
		begin(b, &a->due, CPU_FORWARD);
}

bool cpu_slopes(const struct kf_plan *plan, const struct kf_act *x)
{
	return plan->layer->kind == KF_POOL && x->activation == KF_RELU;
}

static bool reads_x(const struct kf_plan *plan)
{
	return plan->layer->kind == KF_CONV || plan->back_reads_x;
}

/* Whether the way back reads the values between two layers. */
static bool read_again(const struct kf_act *a, const struct kf_plan *above)
{
	return reads_x(above) || !(cpu_slopes(above, a) || a->activation == KF_LINEAR);
}

/* What is to be stored of the chain that ends in a. */
static void decide(struct kf_backend *b, struct kf_act *a)
{
	bool keep = a->due.pass.train && !cpu(b)->recompute;
	const struct kf_plan *above = NULL;

	for (; a->due.plan && !a->stored; a = (struct kf_act *)a->due.x) {
		struct kf_plan *plan = a->due.plan;

		a->storing = !above || (keep && read_again(a, above));
		plan->keeps_marks = !above || keep;
		if ((a->storing && !cpu_room(b, a)) ||
			(plan->keeps_marks &&
				!marks_room(b, plan, &plan->marks, plan->n)))
			return;
		above = plan;
	}
}

static void store_values(struct kf_backend *b, struct kf_act *a)
{
	begin_values(b, a);
	decide(b, a);
	if (cpu(b)->failed)
		return;
	cpu(b)->run++;
#pragma omp parallel for schedule(static)
	for (int i = 0; i < a->n; i++)
		cpu_values(b, a, i, omp_get_thread_num());
	for (; a->due.plan && !a->stored; a = (struct kf_act *)a->due.x) {
		a->stored = a->storing;
		a->storing = false;
	}
}

/* -- the way back ---------------------------------------------------------------------- */

const void *cpu_marks(const struct cpu_due *due, int i, int thread)
{
	return due->plan->keeps_marks ? marks_of(due->plan, i) :
					due->plan->place[thread].marks;
}

/*
 * A thread's place for the gradient by x: where x was, if this layer is done with
 * that when it writes and the one below does not need it for its slope.
 */
static float **gradient_place(const struct kf_act *dx, int thread)
{
	const struct kf_act *x = dx->due.x;
	struct cpu_place *place = &x->due.plan->place[thread];

	if (x->stored)
		return &place->y;
	if (dx->due.plan->back_reads_x || !cpu_slope_known(dx, x->activation))
		return &place->dy;
	place->run = 0;
	return &place->y;
}

/* The gradient for an image, after those of all layers above. */
static struct kf_act gradient(struct kf_backend *b, const struct kf_act *a, int i,
	int thread)
{
	const struct cpu_due *due = &a->due;
	struct kf_act dy, dx;

	if (!due->plan)
		return image(a, i);
	dy = gradient(b, due->dy, i, thread);
	dx = in_place(b, a, gradient_place(a, thread));
	if (dy.f && dx.f)
		due->plan->kind->back(b, due, thread, i, &dy, &dx);
	return dx;
}

/* The latest values that a layer's way back reads; NULL: none. */
static const struct kf_act *latest_read(const struct cpu_due *due)
{
	const struct kf_plan *plan = due->plan;

	if (!cpu_slope_known(due->dy, plan->layer->activation) ||
		(plan->marks_bytes > 0 && !plan->keeps_marks))
		return due->y;
	return reads_x(plan) ? due->x : NULL;
}

/* One image of run_back. */
static void image_back(struct kf_backend *b, const struct cpu_due *due,
	const struct kf_act *dx, int i, int thread)
{
	const struct cpu_due *d;
	const struct kf_act *a;
	struct kf_act dy, to;

	/* before any gradient takes the place of values */
	for (d = due; d->plan; d = &d->dy->due)
		if ((a = latest_read(d)))
			cpu_values(b, a, i, thread);
	if (cpu(b)->failed)
		return;
	dy = gradient(b, due->dy, i, thread);
	if (dx)
		to = image(dx, i);
	if (dy.f)
		due->plan->kind->back(b, due, thread, i, &dy, dx ? &to : NULL);
}

/* Goes down to this layer, and stores dx unless it is NULL. */
static void run_back(struct kf_backend *b, const struct cpu_due *due, struct kf_act *dx)
{
	const struct cpu_due *d;
	const struct kf_act *a;

	for (d = due; d->plan; d = &d->dy->due) {
		if ((a = latest_read(d)))
			begin_values(b, a);
		begin(b, d, CPU_BY_WEIGHTS);
		if (d != due || dx)
			begin(b, d, CPU_BY_DATA);
	}
	if (cpu(b)->failed)
		return;
	cpu(b)->run++;
#pragma omp parallel for schedule(static)
	for (int i = 0; i < due->plan->n; i++)
		image_back(b, due, dx, i, omp_get_thread_num());
	for (d = due; d->plan && !cpu(b)->failed; d = &d->dy->due)
		if (d->plan->kind->end)
			d->plan->kind->end(b, d->plan, d->grads);
}

/* -- operations ------------------------------------------------------------------------ */

void cpu_leave_back(struct kf_backend *b, const struct cpu_due *due, struct kf_act *dx)
{
	if (dx && due->x->due.plan)
		dx->due = *due;
	else if (!dx || cpu_room(b, dx))
		run_back(b, due, dx);
}

void cpu_settle(struct kf_backend *b, const struct kf_act *act)
{
	struct kf_act *a = (struct kf_act *)act; /* as in cpu_room */
	struct cpu_due due = a->due;

	if (!due.plan || a->stored || cpu(b)->failed)
		return;
	if (!due.dy) {
		store_values(b, a);
		return;
	}
	a->due.plan = NULL;
	if (cpu_room(b, a))
		run_back(b, &due, a);
}
