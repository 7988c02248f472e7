/* The kernels of losses and update rules. */
#include "device.h"

/* -- losses: in one block, as a batch has few outputs ----------------------------- */

/* Half of a loss's derivative, as in net/loss.h. */
__device__ static float half_gradient(const struct kf_loss &loss, float d)
{
	const float a = loss.a, e = loss.e;

	switch (loss.kind) {
#define CASE(NAME, word, form, gradient) \
	case KF_##NAME: return gradient;
		KF_LOSSES(CASE)
#undef CASE
	}
	return d;
}

__global__ static void regression(struct kf_loss kind, const float *p, int n, int m,
	const float *targets, struct rows rows, double present, float *dp, float *loss)
{
	float scale = (float)(2 / present);
	double sum = 0;

	EACH_THREAD (int, at, n * m) {
		float t = targets[(size_t)row_of(rows, at / m) * m + at % m];
		bool missing = isnan(t);
		float d = missing ? 0 : p[at] - t;

		sum += (double)d * d;
		if (dp)
			dp[at] = missing ? 0 : scale * half_gradient(kind, d);
	}
	sum = block_sum(sum);
	if (threadIdx.x == 0)
		*loss = (float)(sum / present);
}

cudaError_t launch_regression(struct kf_loss kind, const float *p, int n, int m,
	const float *targets, struct rows rows, double present, float *dp, float *loss)
{
	regression<<<1, THREADS>>>(kind, p, n, m, targets, rows, present, dp, loss);
	return cudaGetLastError();
}

/* The largest value of a row, found by all lanes of a warp, and the first index
 * where it is. */
__device__ static int warp_largest(const float *p, int classes, int lane,
	float *largest)
{
	int best = lane < classes ? lane : classes - 1;

	for (int j = lane; j < classes; j += WARP)
		if (p[j] > p[best])
			best = j;
	*largest = p[best];
	for (int d = WARP / 2; d; d /= 2) {
		float other = __shfl_xor_sync(ALL_LANES, *largest, d);
		int at = __shfl_xor_sync(ALL_LANES, best, d);

		if (other > *largest || (other == *largest && at < best)) {
			*largest = other;
			best = at;
		}
	}
	return best;
}

/* A warp does a row at a time. */
__global__ static void cross_entropy(const float *p, int n, int classes,
	const float *labels, struct rows rows, double present, float *dp, float *loss,
	float *hits)
{
	int lane = threadIdx.x % WARP;
	double loss_sum = 0, hit_sum = 0;

	for (int i = threadIdx.x / WARP; i < n; i += THREADS / WARP) {
		const float *out = p + (size_t)i * classes;
		int label = (int)labels[row_of(rows, i)];
		float largest;
		int best = warp_largest(out, classes, lane, &largest);
		double sum = 0;

		for (int j = lane; j < classes; j += WARP)
			sum += exp((double)out[j] - largest);
		for (int d = WARP / 2; d; d /= 2)
			sum += __shfl_xor_sync(ALL_LANES, sum, d);
		for (int j = lane; dp && j < classes; j += WARP)
			dp[(size_t)i * classes + j] = (1 / (float)present) *
				(float)(exp((double)out[j] - largest) / sum -
					(j == label));
		if (lane == 0) {
			loss_sum += log(sum) + largest - out[label];
			hit_sum += best == label;
		}
	}
	loss_sum = block_sum(loss_sum);
	hit_sum = block_sum(hit_sum);
	if (threadIdx.x == 0) {
		*loss = (float)(loss_sum / present);
		*hits = (float)hit_sum;
	}
}

cudaError_t launch_cross_entropy(const float *p, int n, int classes,
	const float *labels, struct rows rows, double present, float *dp, float *loss,
	float *hits)
{
	cross_entropy<<<1, THREADS>>>(p, n, classes, labels, rows, present, dp, loss,
		hits);
	return cudaGetLastError();
}

/* -- update rules ---------------------------------------------------------------- */

/* One step for a weight w with gradient g. */
__device__ static void update_one(const struct kf_update &u, float g, float &w,
	float &s, float &s2)
{
	const float rate = u.rate, epsilon = u.epsilon, decay = u.decay,
		    fresh = u.fresh;
	const float decay2 = u.decay2, fresh2 = u.fresh2;

	switch (u.rule) {
#define CASE(NAME, word, states, momentum, r, d, d2, e, factor, update) \
	case KF_##NAME: { \
		update break; \
	}
		KF_RULES(CASE)
#undef CASE
	}
}

__global__ static void update(struct kf_update u, float *weights, const float *grads,
	float *state1, float *state2, size_t n)
{
	EACH_THREAD (size_t, i, n) {
		float w = weights[i], s = state1 ? state1[i] : 0,
		      s2 = state2 ? state2[i] : 0;

		update_one(u, grads[i] + u.weight_decay * w, w, s, s2);
		weights[i] = w;
		if (state1)
			state1[i] = s;
		if (state2)
			state2[i] = s2;
	}
}

cudaError_t launch_update(const struct kf_update *u, float *weights, const float *grads,
	float *state1, float *state2, size_t n)
{
	update<<<grid(n), THREADS>>>(*u, weights, grads, state1, state2, n);
	return cudaGetLastError();
}

__global__ static void average(float *to, const float *from, float part, size_t n)
{
	EACH_THREAD (size_t, i, n)
		to[i] += part * (from[i] - to[i]);
}

cudaError_t launch_average(float *to, const float *from, float part, size_t n)
{
	average<<<grid(n), THREADS>>>(to, from, part, n);
	return cudaGetLastError();
}
