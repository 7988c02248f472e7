/* Convolution by oneDNN, of one image in each thread. */
#include <stdlib.h>

#include "cpu/activation.h"
#include "cpu/batch.h"
#include "cpu/chain.h"
#include "cpu/few_channels.h"
#include "cpu/memory.h"
#include "cpu/onednn_conv.h"

struct conv {
	struct cpu_conv_shape shape;
	/* Created on first use. */
	struct cpu_convolution *direction[CPU_DIRECTIONS];
	float *ordered; /* the weights for cpu_few_channels_backward */
};

static void make(struct kf_backend *b, struct kf_plan *plan)
{
	struct conv *v = plan->state = calloc(1, sizeof *v);

	cpu_chain_make_plain(b, plan);
	if (!v) {
		cpu_fail(b, "out of memory");
		return;
	}
	plan->reads_x = CPU_BEFORE_DX;
	v->shape = (struct cpu_conv_shape){ .x = plan->x,
		.y = plan->y,
		.kernel = plan->layer->kernel,
		.pad = plan->layer->pad,
		.stride = plan->layer->stride,
		.bias = plan->bias != NULL,
		.relu = plan->layer->activation == KF_RELU };
}

static void free_state(struct kf_plan *plan)
{
	struct conv *v = plan->state;

	for (int i = 0; v && i < CPU_DIRECTIONS; i++)
		cpu_convolution_free(v->direction[i]);
	if (v)
		free(v->ordered);
	free(v);
}

static void begin_few(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_mem *weights)
{
	struct conv *v = plan->state;

	if (cpu_floats_once(b, &v->ordered, cpu_few_channels_floats(plan)))
		cpu_few_channels_order(plan, weights->f + plan->weight->offset,
			v->ordered);
}

static void begin(struct kf_backend *b, struct kf_plan *plan,
	enum cpu_direction direction, const struct kf_mem *weights)
{
	struct conv *v = plan->state;

	if (direction == CPU_BACKWARD_DATA && cpu_few_channels(b, plan)) {
		begin_few(b, plan, weights);
		return;
	}
	if (!v->direction[direction])
		v->direction[direction] = cpu_convolution_new(b, direction, &v->shape,
			v->direction[CPU_FORWARD]);
	if (!cpu(b)->failed)
		cpu_convolution_begin(b, v->direction[direction],
			weights->f + plan->weight->offset,
			plan->bias ? weights->f + plan->bias->offset : NULL);
}

static void forward(struct kf_backend *b, const struct cpu_deferred *d, int thread,
	int i, float *x, float *y, void *mask)
{
	const struct kf_plan *plan = d->plan;
	const struct conv *v = plan->state;

	(void)i, (void)mask;
	cpu_convolve(b, v->direction[CPU_FORWARD], thread, 0, x, y);
	if (!v->shape.relu)
		cpu_activate(y, cpu_image_floats(&plan->y), plan->layer->activation);
}

static void backward(struct kf_backend *b, const struct cpu_deferred *d, int thread,
	int i, float *dy, float *dx)
{
	const struct kf_plan *plan = d->plan;
	const struct conv *v = plan->state;
	enum kf_activation activation = plan->layer->activation;
	float *x = cpu_values(b, d->x, i, thread);

	if (!cpu_is_preactivation(d->dy, activation))
		cpu_activation_backward(dy, cpu_values(b, d->y, i, thread),
			cpu_image_floats(&plan->y), activation);
	cpu_convolve(b, v->direction[CPU_BACKWARD_WEIGHTS], thread,
		i / cpu_group_size(b, plan->n), x, dy);
	if (dx && cpu_few_channels(b, plan))
		cpu_few_channels_backward(plan, v->ordered, dy, dx);
	else if (dx)
		cpu_convolve(b, v->direction[CPU_BACKWARD_DATA], thread, 0, dx, dy);
}

static void end(struct kf_backend *b, struct kf_plan *plan, struct kf_mem *grads)
{
	struct conv *v = plan->state;

	cpu_convolution_end(b, v->direction[CPU_BACKWARD_WEIGHTS],
		grads->f + plan->weight->offset,
		plan->bias ? grads->f + plan->bias->offset : NULL);
}

const struct cpu_layer cpu_conv = { .make = make,
	.free = free_state,
	.image_forward = forward,
	.image_backward = backward,
	.begin = begin,
	.end = end };
