/*
 * Dropout: in training, each value is zeroed with a probability, and the others are
 * scaled to preserve the mean.  The mask has a 16-bit word for each pixel of a block of
 * channels: bit c tells whether channel c is kept.
 */
#include <string.h>

#include "base/rng.h"
#include "cpu/chain.h"
#include "cpu/memory.h"

/*
 * An image as dropout sees it: groups of `channels` interleaved channels, each of
 * `area` values.  A plain image counts as one channel.
 */
struct view {
	size_t groups, channels, area;
	size_t all; /* channels, without the padding of the last block */
};

static struct view view(const struct cpu_layout *l)
{
	size_t area = (size_t)l->h * (size_t)l->w, c = (size_t)l->c;
	size_t block = (size_t)l->block;

	if (block == 1)
		return (struct view){ 1, 1, c * area, 1 };
	return (struct view){ (c + block - 1) / block, block, area, c };
}

static void make(struct kf_backend *b, struct kf_plan *plan)
{
	struct view v = view(&plan->y);

	cpu_chain_make(b, plan, v.groups * v.area * sizeof(uint16_t));
}

CPU_CLONES
static void add_bits(uint16_t *mask, const uint32_t *drawn, size_t n, uint32_t limit,
	int channel)
{
	for (size_t i = 0; i < n; i++)
		mask[i] |= (uint16_t)((drawn[i] >= limit) << channel);
}

/* Draws one channel's bits for n values, whose NCHW indices start at `index`. */
static void draw_channel(uint16_t *mask, size_t n, uint64_t index, uint32_t limit,
	int channel, uint32_t layer, const struct kf_pass *pass)
{
	enum { BLOCKS = 256 };
	uint32_t drawn[4 * BLOCKS];

	for (size_t done = 0, count; done < n; done += count) {
		uint64_t first = index + done;
		size_t skip = first % 4;

		count = n - done < 4 * BLOCKS - skip ? n - done : 4 * BLOCKS - skip;
		kf_philox_blocks(pass->seed, KF_RNG_DROPOUT, layer, pass->step,
			first / 4, (skip + count + 3) / 4, drawn);
		add_bits(mask + done, drawn + skip, count, limit, channel);
	}
}

/* Draws the mask of group g of the image that is number i in the whole batch. */
static void draw_group(const struct kf_plan *plan, const struct view *v, size_t i,
	size_t g, uint16_t *mask, const struct kf_pass *pass)
{
	uint32_t limit = (uint32_t)(plan->layer->drop * 0x1p32);

	memset(mask, 0, v->area * sizeof *mask);
	for (size_t c = g * v->channels; c < v->all && c < (g + 1) * v->channels; c++)
		draw_channel(mask, v->area, (i * v->all + c) * v->area, limit,
			(int)(c % v->channels), (uint32_t)plan->layer->index, pass);
}

/* to = scale * from where the mask keeps a value, else 0, for one group. */
CPU_CLONES
static void apply(float *to, const float *from, const uint16_t *mask, size_t area,
	size_t channels, float scale)
{
	const cpu_masks8 bits = { 1, 2, 4, 8, 16, 32, 64, 128 };

	if (channels == 1) {
		for (size_t p = 0; p < area; p++)
			to[p] = from[p] * (mask[p] ? scale : 0);
		return;
	}
	for (size_t p = 0; p < area; p++)
		for (size_t c = p * channels, word = mask[p]; c < (p + 1) * channels;
			c += 8, word >>= 8) {
			cpu_masks8 kept = (bits & (int32_t)word) != 0;
			cpu_floats8 v = *(const cpu_floats8 *)(from + c) * scale;

			*(cpu_masks8 *)(to + c) = (cpu_masks8)v & kept;
		}
}

static float scale_of(const struct kf_plan *plan)
{
	return (float)(1 / (1 - plan->layer->drop));
}

static void forward(struct kf_backend *b, const struct cpu_deferred *d, int thread,
	int i, float *x, float *y, void *mask)
{
	struct view v = view(&d->plan->y);
	size_t group = v.area * v.channels;

	(void)b, (void)thread;
	for (size_t g = 0; g < v.groups; g++) {
		uint16_t *bits = (uint16_t *)mask + g * v.area;

		draw_group(d->plan, &v, (size_t)(d->pass.share.first + i), g, bits,
			&d->pass);
		apply(y + g * group, x + g * group, bits, v.area, v.channels,
			scale_of(d->plan));
	}
}

static void backward(struct kf_backend *b, const struct cpu_deferred *d, int thread,
	int i, float *dy, float *dx)
{
	const uint16_t *mask = cpu_mask(d, i, thread);
	struct view v = view(&d->plan->y);
	size_t group = v.area * v.channels;

	(void)b;
	for (size_t g = 0; dx && g < v.groups; g++)
		apply(dx + g * group, dy + g * group, mask + g * v.area, v.area,
			v.channels, scale_of(d->plan));
}

const struct cpu_layer cpu_drop = { .make = make,
	.only_in_training = true,
	.image_forward = forward,
	.image_backward = backward };
