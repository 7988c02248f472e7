/* Losses and update rules on the CPU. */
#define _GNU_SOURCE
#include "cpu/internal.h"

#include <math.h>

void cpu_squared_error(struct kf_backend *b, const struct kf_act *p,
	const struct kf_mem *targets, const uint32_t *rows, double present,
	struct kf_act *dp, struct kf_mem *losses, size_t slot)
{
	size_t m = (size_t)p->c; /* a row of the last dense layer */
	float scale = (float)(2 / present);
	double sum = 0;

	cpu_settle(b, p);
	if (cpu(b)->failed || (dp && !cpu_room(b, dp)))
		return;
	for (int i = 0; i < p->n; i++) {
		const float *out = p->f + (size_t)i * m;
		const float *target = targets->f + rows[i] * m;

		for (size_t j = 0; j < m; j++) {
			float d = isnan(target[j]) ? 0 : out[j] - target[j];

			sum += (double)d * d;
			if (dp)
				dp->f[(size_t)i * m + j] = scale * d;
		}
	}
	losses->f[slot] = (float)(sum / present);
}

/* One row: dp becomes softmax(p), less 1 at the label, times scale. */
static double row_entropy(const float *p, size_t classes, size_t label, float scale,
	float *dp)
{
	double largest = p[0], sum = 0;

	for (size_t j = 1; j < classes; j++)
		largest = p[j] > largest ? p[j] : largest;
	for (size_t j = 0; j < classes; j++)
		sum += exp(p[j] - largest);
	for (size_t j = 0; dp && j < classes; j++)
		dp[j] = scale * (float)(exp(p[j] - largest) / sum - (j == label));
	return log(sum) + largest - p[label];
}

void cpu_cross_entropy(struct kf_backend *b, const struct kf_act *p,
	const struct kf_mem *labels, const uint32_t *rows, struct kf_act *dp,
	struct kf_mem *losses, struct kf_mem *hits, size_t slot)
{
	size_t classes = (size_t)p->c;
	double sum = 0;
	int hit = 0;

	cpu_settle(b, p);
	if (cpu(b)->failed || (dp && !cpu_room(b, dp)))
		return;
	for (int i = 0; i < p->n; i++) {
		const float *out = p->f + (size_t)i * classes;
		size_t label = (size_t)labels->f[rows[i]], best = 0;

		for (size_t j = 1; j < classes; j++)
			if (out[j] > out[best])
				best = j;
		hit += best == label;
		sum += row_entropy(out, classes, label, 1 / (float)p->n,
			dp ? dp->f + (size_t)i * classes : NULL);
	}
	losses->f[slot] = (float)(sum / p->n);
	hits->f[slot] = (float)hit;
}

/* One step over n values, in one thread. */
CPU_CLONES
static void update(const struct kf_update *u, float *restrict w,
	const float *restrict g, float *restrict s, float *restrict s2, size_t n)
{
	const float rate = u->rate, eps = u->epsilon;
	const float decay = u->decay, fresh = u->fresh;
	const float decay2 = u->decay2, fresh2 = u->fresh2;
	const float weight_decay = u->weight_decay;

/* The body runs for each i, with the gradient in d. */
#define EACH(body) \
	for (size_t i = 0; i < n; i++) { \
		float d = g[i] + weight_decay * w[i]; \
		body \
	} \
	break

	switch (u->rule) {
	case KF_SGD: EACH(w[i] -= rate * d;);
	case KF_MOMENTUM: EACH(s[i] = decay * s[i] - rate * d; w[i] += s[i];);
	case KF_NESTEROV:
		EACH(float step = rate * d; s[i] = decay * s[i] - step;
			w[i] += decay * s[i] - step;);
	case KF_ADAGRAD: EACH(s[i] += d * d; w[i] -= rate * d / sqrtf(s[i] + eps););
	case KF_RMSPROP:
		EACH(s[i] = decay * s[i] + fresh * d * d;
			w[i] -= rate * d / sqrtf(s[i] + eps););
	case KF_ADADELTA:
		EACH(s[i] = decay * s[i] + fresh * d * d;
			float step = d * sqrtf(s2[i] + eps) / sqrtf(s[i] + eps);
			w[i] -= rate * step;
			s2[i] = decay * s2[i] + fresh * step * step;);
	case KF_ADAM:
		EACH(s[i] = decay * s[i] + fresh * d;
			s2[i] = decay2 * s2[i] + fresh2 * d * d;
			w[i] -= rate * s[i] / (sqrtf(s2[i]) + eps););
	case KF_RULES: break;
	}
#undef EACH
}

void cpu_update(struct kf_backend *b, const struct kf_update *u, struct kf_mem *weights,
	const struct kf_mem *grads, struct kf_mem *state1, struct kf_mem *state2,
	size_t n)
{
	const size_t piece = CPU_PARALLEL_MIN;

	if (cpu(b)->failed)
		return;
#pragma omp parallel for schedule(static) if (n > piece)
	for (size_t at = 0; at < n; at += piece)
		update(u, weights->f + at, grads->f + at,
			state1 ? state1->f + at : NULL, state2 ? state2->f + at : NULL,
			n - at < piece ? n - at : piece);
}
