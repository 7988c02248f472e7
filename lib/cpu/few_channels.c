/* The gradient at the input of a convolution that sees few channels. */
#include "cpu/few_channels.h"

#include "cpu/channels.h"

bool cpu_few_channels(struct kf_backend *b, const struct kf_plan *plan)
{
	return !cpu(b)->bf16 && plan->x.block == 1 && plan->y.block > 1;
}

size_t cpu_few_channels_floats(const struct kf_plan *plan)
{
	size_t k = (size_t)plan->layer->kernel;

	return (size_t)plan->x.c * k * k * cpu_padded_channels(&plan->y);
}

/* (in, k, k, out) with the padding of y's channels: the products that a pixel is the sum
 * of have their factors one after another in dy as well, block by block. */
void cpu_few_channels_order(const struct kf_plan *plan, const float *weights,
	float *ordered)
{
	size_t field = (size_t)(plan->layer->kernel * plan->layer->kernel);
	size_t in = (size_t)plan->x.c, out = (size_t)plan->y.c;
	size_t padded = cpu_padded_channels(&plan->y);

	for (size_t o = 0; o < out; o++)
		for (size_t i = 0; i < in * field; i++)
			ordered[i * padded + o] = weights[o * in * field + i];
}

/* The outputs' position that tap `tap` of a filter takes to this one of the input, in one
 * direction; -1 where there is none. */
static int output_of(const struct kf_layer *l, int at, int tap, int outputs)
{
	int from = at + l->pad - tap;

	return from >= 0 && from % l->stride == 0 && from / l->stride < outputs ?
		from / l->stride :
		-1;
}

/* One pixel; w has its channel's weights. */
CPU_CLONES
static float pixel(const struct kf_plan *plan, const float *w, const float *dy, int top,
	int left)
{
	const struct cpu_layout *y = &plan->y;
	const int k = plan->layer->kernel, block = y->block;
	const int blocks = (y->c + block - 1) / block;
	cpu_floats8 sum = { 0 };
	float all = 0;

	for (int a = 0; a < k; a++)
		for (int b = 0; b < k; b++, w += blocks * block) {
			int row = output_of(plan->layer, top, a, y->h);
			int column = output_of(plan->layer, left, b, y->w);

			if (row < 0 || column < 0)
				continue;
			for (int i = 0; i < blocks; i++) {
				const float *g =
					dy + ((i * y->h + row) * y->w + column) * block;

				for (int j = 0; j < block; j += 8)
					sum += *(const cpu_floats8 *)(g + j) *
						*(const cpu_floats8 *)(w + i * block +
							j);
			}
		}
	for (int j = 0; j < 8; j++)
		all += sum[j];
	return all;
}

void cpu_few_channels_backward(const struct kf_plan *plan, const float *ordered,
	const float *dy, float *dx)
{
	size_t one = cpu_few_channels_floats(plan) / (size_t)plan->x.c;

	for (int c = 0; c < plan->x.c; c++, ordered += one)
		for (int y = 0; y < plan->x.h; y++)
			for (int x = 0; x < plan->x.w; x++)
				*dx++ = pixel(plan, ordered, dy, y, x);
}
