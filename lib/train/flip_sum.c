/* Finding what x of a point and of its mirror image add up to. */
#include "train/flip_sum.h"

#include <math.h>

#define LEAST 4 /* the least move is so small a part */

/* Epochs before the first that looks for the sum. */
static int before(int epochs)
{
	return epochs / 8;
}

bool kf_flip_looks(const struct kf_augment *a, int epoch, int epochs)
{
	int last = before(epochs) + (epochs + 3) / 4;

	return a->flip && a->find_sum && epoch > before(epochs) && epoch <= last;
}

/* An image is mirrored if the warp turns its plane over. */
static bool mirrored(const struct kf_warp *w)
{
	return w->m[0] * w->m[4] - w->m[1] * w->m[3] < 0;
}

void kf_flip_add(struct kf_flip_errors *e, const struct kf_augmenter *g, const float *p,
	const float *targets, const struct kf_warp *warps, int n)
{
	for (int i = 0; i < n; i++) {
		int side = mirrored(&warps[i]);

		for (int j = 0; j < g->m; j++) {
			float t = targets[i * g->m + j];

			if (g->axis[j] != 0 || isnan(t))
				continue;
			e->sum[side] += (p[i * g->m + j] - t) * g->scale[0].factor;
			e->count[side]++;
		}
	}
}

void kf_flip_update(struct kf_flip_errors *e, struct kf_augmenter *g, int epoch,
	int epochs)
{
	int i = epoch - before(epochs); /* 1, 2, ... */
	double off = e->sum[1] / e->count[1] - e->sum[0] / e->count[0];

	if (isfinite(off))
		g->flip_sum += off / (i < LEAST ? i : LEAST);
	*e = (struct kf_flip_errors){ 0 };
}
