/* Finding what x of a point and of its mirror image add up to. */
#include "train/flip_sum.h"

#include <math.h>

#define PART 4 /* of the epochs look for it; and the least move is this part */

bool kf_flip_looks(const struct kf_augment *a, int epoch, int epochs)
{
	return a->flip && a->find_sum && epoch <= (epochs + PART - 1) / PART;
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

void kf_flip_update(struct kf_flip_errors *e, struct kf_augmenter *g, int epoch)
{
	double off = e->sum[1] / e->count[1] - e->sum[0] / e->count[0];

	if (isfinite(off))
		g->flip_sum += off / (epoch < PART ? epoch : PART);
	*e = (struct kf_flip_errors){ 0 };
}
