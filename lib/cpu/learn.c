/* Losses and update rules on the CPU. */
#define _GNU_SOURCE
#include "cpu/learn.h"

#include <math.h>

#include "cpu/batch.h"
#include "cpu/chain.h"
#include "cpu/memory.h"
#include "cpu/team.h"

/* Prepares to write a loss's gradient, unless dp is NULL: layers changed it in the last
 * pass. */
static bool set_gradient(struct kf_backend *b, struct kf_act *dp)
{
	if (!dp)
		return true;
	dp->state = CPU_READY;
	dp->wrt_preactivation = false;
	return cpu_batch_memory(b, dp);
}

/* Half the loss's derivative at each of n differences, in place. */
static void differentiate(const struct kf_loss *loss, float *ds, size_t n)
{
	const float a = loss->a, e = loss->e;

	(void)a, (void)e;
	switch (loss->kind) {
#define CASE(NAME, word, form, gradient) \
	case KF_##NAME: \
		for (size_t i = 0; i < n; i++) { \
			float d = ds[i]; \
\
			ds[i] = gradient; \
		} \
		return;
		KF_LOSSES(CASE)
#undef CASE
	}
}

void cpu_regression(struct kf_backend *b, const struct kf_loss *loss, struct kf_act *p,
	const struct kf_mem *targets, const uint32_t *rows, double present,
	struct kf_act *dp, struct kf_mem *losses, size_t slot)
{
	size_t m = (size_t)p->layout.c; /* outputs */
	float scale = (float)(2 / present);
	double sum = 0;

	cpu_team_judge(b);
	cpu_materialize(b, p);
	if (cpu(b)->failed || !set_gradient(b, dp))
		return;
	for (int i = 0; i < p->n; i++) {
		const float *out = p->f + (size_t)i * m;
		const float *target = targets->f + rows[i] * m;
		float *row = dp ? dp->f + (size_t)i * m : NULL;

		for (size_t j = 0; j < m; j++) {
			float d = isnan(target[j]) ? 0 : out[j] - target[j];

			sum += (double)d * d;
			if (row)
				row[j] = d;
		}
		if (row)
			differentiate(loss, row, m);
		for (size_t j = 0; row && j < m; j++)
			row[j] = isnan(target[j]) ? 0 : scale * row[j];
	}
	losses->f[slot] = (float)(sum / present);
}

/* One row's cross-entropy; dp, unless NULL, = scale * (softmax(p) - onehot(label)). */
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

void cpu_cross_entropy(struct kf_backend *b, struct kf_act *p,
	const struct kf_mem *labels, const uint32_t *rows, double present,
	struct kf_act *dp, struct kf_mem *losses, struct kf_mem *hits, size_t slot)
{
	size_t classes = (size_t)p->layout.c;
	double sum = 0;
	int hit = 0;

	cpu_team_judge(b);
	cpu_materialize(b, p);
	if (cpu(b)->failed || !set_gradient(b, dp))
		return;
	for (int i = 0; i < p->n; i++) {
		const float *out = p->f + (size_t)i * classes;
		size_t label = (size_t)labels->f[rows[i]], best = 0;

		for (size_t j = 1; j < classes; j++)
			if (out[j] > out[best])
				best = j;
		hit += best == label;
		sum += row_entropy(out, classes, label, 1 / (float)present,
			dp ? dp->f + (size_t)i * classes : NULL);
	}
	losses->f[slot] = (float)(sum / present);
	hits->f[slot] = (float)hit;
}

void cpu_sum(struct kf_backend *b, struct kf_comm *comm, struct kf_mem *grads,
	size_t offset, size_t n)
{
	struct kf_err err;

	if (!cpu(b)->failed &&
		comm->op->begin_sum(comm, grads->f + offset, n, &err) < 0)
		cpu_fail(b, "%s", err.msg);
}

void cpu_finish_sums(struct kf_backend *b, struct kf_comm *comm)
{
	struct kf_err err;

	if (!cpu(b)->failed && comm->op->finish(comm, &err) < 0)
		cpu_fail(b, "%s", err.msg);
}

/* One step over n weights, in one thread. */
CPU_CLONES
static void update(const struct kf_update *u, float *restrict ws,
	const float *restrict gs, float *restrict ss, float *restrict s2s, size_t n)
{
	const float rate = u->rate, epsilon = u->epsilon;
	const float decay = u->decay, fresh = u->fresh;
	const float decay2 = u->decay2, fresh2 = u->fresh2;
	const float weight_decay = u->weight_decay;

	/* one loop for each rule, so that it is vectorized */
	switch (u->rule) {
#define CASE(NAME, word, states, momentum, r, d, d2, e, factor, update) \
	case KF_##NAME: \
		for (size_t i = 0; i < n; i++) { \
			float w = ws[i], g = gs[i] + weight_decay * w; \
			float s = states > 0 ? ss[i] : 0, \
			      s2 = states > 1 ? s2s[i] : 0; \
\
			update ws[i] = w; \
			if (states > 0) \
				ss[i] = s; \
			if (states > 1) \
				s2s[i] = s2; \
		} \
		return;
		KF_RULES(CASE)
#undef CASE
	}
}

void cpu_update_floats(const struct kf_update *u, float *w, const float *g,
	float *state1, float *state2, size_t n)
{
	update(u, w, g, state1, state2, n);
}

void cpu_update(struct kf_backend *b, const struct kf_update *u, struct kf_mem *weights,
	const struct kf_mem *grads, struct kf_mem *state1, struct kf_mem *state2,
	size_t offset, size_t n)
{
	const size_t piece = CPU_PARALLEL_MIN, end = offset + n;

	if (cpu(b)->failed)
		return;
#pragma omp parallel for schedule(dynamic) if (n > piece)
	for (size_t at = offset; at < end; at += piece)
		update(u, weights->f + at, grads->f + at,
			state1 ? state1->f + at : NULL, state2 ? state2->f + at : NULL,
			end - at < piece ? end - at : piece);
}

void cpu_average(struct kf_backend *b, struct kf_mem *to, const struct kf_mem *from,
	float part, size_t offset, size_t n)
{
	for (size_t i = offset; i < offset + n && !cpu(b)->failed; i++)
		to->f[i] += part * (from->f[i] - to->f[i]);
}
