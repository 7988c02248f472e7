/*
 * The kernels.  All but the losses are memory-bound: neighbouring threads access
 * neighbouring values, and each value is read and written once.  Sums have a fixed
 * order, so that a run is reproducible bit for bit.
 */
#include "kernels.h"

#include <curand_philox4x32_x.h>

#include "base/rng.h"

#define THREADS 256
#define WARP 32
#define ALL_LANES 0xffffffffu

/* A grid-stride loop over each i below n. */
#define EACH_THREAD(type, i, n) \
	for (type i = blockIdx.x * (type)blockDim.x + threadIdx.x; i < (n); \
		i += gridDim.x * (type)blockDim.x)

static unsigned grid(size_t n)
{
	size_t blocks = (n + THREADS - 1) / THREADS, most = 1 << 16;

	return (unsigned)(blocks < most ? blocks : most);
}

static size_t area(const struct view *v)
{
	return (size_t)v->h * (size_t)v->w;
}

static size_t values(const struct view *v)
{
	return (size_t)v->n * (size_t)v->c * area(v);
}

__global__ static void nothing(void)
{
}

cudaError_t launch_nothing(void)
{
	nothing<<<1, 1>>>();
	return cudaGetLastError();
}

/* -- rows of a batch ------------------------------------------------------------- */

/* The coordinates of a value of a batch. */
struct coords {
	unsigned i, c, pixel;
};

/* From a value's index in (n, c, h, w) order. */
__device__ static struct coords find_coords(const struct view &v, unsigned at)
{
	unsigned area = v.h * v.w, plane = at / area;

	return { plane / v.c, plane % v.c, at % area };
}

/* The offset in v.f of such a value of row i. */
__device__ static size_t offset_of(const struct view &v, size_t i,
	const struct coords &s)
{
	return i * v.row + s.c * v.channel + s.pixel;
}

__device__ static uint32_t row_of(struct rows rows, unsigned i)
{
	return rows.at ? rows.at[i] : rows.first + i;
}

__global__ static void copy_rows(struct view from, struct rows rows, struct view to,
	unsigned n)
{
	EACH_THREAD (unsigned, at, n) {
		struct coords s = find_coords(to, at);

		to.f[offset_of(to, s.i, s)] =
			from.f[offset_of(from, row_of(rows, s.i), s)];
	}
}

cudaError_t launch_copy_rows(struct view from, struct rows rows, struct view to)
{
	size_t n = values(&to);

	copy_rows<<<grid(n), THREADS>>>(from, rows, to, (unsigned)n);
	return cudaGetLastError();
}

__device__ static int clamp(int v, int max)
{
	return v < 0 ? 0 : v > max ? max : v;
}

/* The value of one channel (h, w) at (fx, fy), by bilinear interpolation. */
__device__ static float interpolate(const float *from, int h, int w, float fx, float fy)
{
	float left = floorf(fx), top = floorf(fy), rx = fx - left, ry = fy - top, a, b;
	int x0 = clamp((int)left, w - 1), x1 = clamp((int)left + 1, w - 1);
	int y0 = clamp((int)top, h - 1), y1 = clamp((int)top + 1, h - 1);

	a = from[y0 * w + x0] + rx * (from[y0 * w + x1] - from[y0 * w + x0]);
	b = from[y1 * w + x0] + rx * (from[y1 * w + x1] - from[y1 * w + x0]);
	return a + ry * (b - a);
}

__global__ static void warp_rows(struct view from, struct rows rows,
	const struct kf_warp *warps, struct view to, unsigned n)
{
	EACH_THREAD (unsigned, at, n) {
		struct coords s = find_coords(to, at);
		float x = (float)(s.pixel % to.w), y = (float)(s.pixel / to.w);
		const struct kf_warp *warp = &warps[s.i];
		const float *m = warp->m;
		float v = interpolate(from.f + row_of(rows, s.i) * from.row +
				s.c * from.channel,
			to.h, to.w, m[0] * x + m[1] * y + m[2],
			m[3] * x + m[4] * y + m[5]);

		if (warp->contrast != 1)
			v = fminf(fmaxf((v - 0.5f) * warp->contrast + 0.5f, 0), 1);
		to.f[offset_of(to, s.i, s)] = v;
	}
}

cudaError_t launch_warp(struct view from, struct rows rows, const struct kf_warp *warps,
	struct view to)
{
	size_t n = values(&to);

	warp_rows<<<grid(n), THREADS>>>(from, rows, warps, to, (unsigned)n);
	return cudaGetLastError();
}

/* -- sums in a block ------------------------------------------------------------- */

/* The sum of v over the threads of a block, in thread 0. */
__device__ static double block_sum(double v)
{
	__shared__ double by_warp[THREADS / WARP];
	double sum = 0;

	for (int d = WARP / 2; d; d /= 2)
		v += __shfl_down_sync(ALL_LANES, v, d);
	__syncthreads(); /* by_warp of an earlier call has been read */
	if (threadIdx.x % WARP == 0)
		by_warp[threadIdx.x / WARP] = v;
	__syncthreads();
	for (int i = 0; threadIdx.x == 0 && i < THREADS / WARP; i++)
		sum += by_warp[i];
	return sum;
}

/* -- bias and activation --------------------------------------------------------- */

/* f(x) */
__device__ static float activate(float x, enum kf_activation activation)
{
	switch (activation) {
	case KF_LINEAR: break;
#define CASE(NAME, word, f, backward) \
	case KF_##NAME: return f;
		KF_ACTIVATIONS(CASE)
#undef CASE
	}
	return x;
}

/* dx from y = f(x) and dy. */
__device__ static float activation_backward(float dy, float y,
	enum kf_activation activation)
{
	switch (activation) {
	case KF_LINEAR: break;
#define CASE(NAME, word, f, backward) \
	case KF_##NAME: return backward;
		KF_ACTIVATIONS(CASE)
#undef CASE
	}
	return dy;
}

__global__ static void add_bias(float *y, const float *bias, unsigned channels,
	unsigned inner, enum kf_activation f, unsigned n)
{
	EACH_THREAD (unsigned, i, n)
		y[i] = activate(y[i] + bias[i / inner % channels], f);
}

cudaError_t launch_bias(float *y, const float *bias, int outer, int channels, int inner,
	enum kf_activation f)
{
	size_t n = (size_t)outer * (size_t)channels * (size_t)inner;

	add_bias<<<grid(n), THREADS>>>(y, bias, (unsigned)channels, (unsigned)inner, f,
		(unsigned)n);
	return cudaGetLastError();
}

/* dy (rows, channels): a block does WARP channels, THREADS / WARP rows at a time. */
__global__ static void bias_backward_rows(float *dy, const float *y, float *db,
	int rows, int channels, enum kf_activation f)
{
	__shared__ double sums[THREADS / WARP][WARP];
	int c = blockIdx.x * WARP + threadIdx.x;
	double sum = 0;

	for (int i = threadIdx.y; c < channels && i < rows; i += THREADS / WARP) {
		size_t at = (size_t)i * channels + c;
		float d = dy[at];

		if (f != KF_LINEAR)
			dy[at] = d = activation_backward(d, y[at], f);
		sum += d;
	}
	sums[threadIdx.y][threadIdx.x] = sum;
	__syncthreads();
	if (threadIdx.y || c >= channels)
		return;
	for (int i = 1; i < THREADS / WARP; i++)
		sum += sums[i][threadIdx.x];
	db[c] = (float)sum;
}

/* dy (channels, inner): block (s, c) does every BIAS_SLICES-th piece of channel c. */
__global__ static void bias_backward_channels(float *dy, const float *y, double *sums,
	unsigned inner, enum kf_activation f)
{
	size_t start = (size_t)blockIdx.y * inner;
	double sum = 0;

	EACH_THREAD (unsigned, i, inner) {
		float d = dy[start + i];

		if (f != KF_LINEAR)
			dy[start + i] = d = activation_backward(d, y[start + i], f);
		sum += d;
	}
	sum = block_sum(sum);
	if (threadIdx.x == 0)
		sums[blockIdx.y * gridDim.x + blockIdx.x] = sum;
}

__global__ static void add_slices(const double *sums, float *db, int channels)
{
	EACH_THREAD (int, c, channels) {
		double sum = 0;

		for (int i = 0; i < BIAS_SLICES; i++)
			sum += sums[c * BIAS_SLICES + i];
		db[c] = (float)sum;
	}
}

cudaError_t launch_bias_backward(float *dy, const float *y, float *db, int outer,
	int channels, int inner, enum kf_activation f, double *sums)
{
	if (inner == 1) {
		bias_backward_rows<<<(channels + WARP - 1) / WARP,
			dim3(WARP, THREADS / WARP)>>>(dy, y, db, outer, channels, f);
		return cudaGetLastError();
	}
	bias_backward_channels<<<dim3(BIAS_SLICES, channels), THREADS>>>(dy, y, sums,
		(unsigned)inner, f);
	add_slices<<<grid((size_t)channels), THREADS>>>(sums, db, channels);
	return cudaGetLastError();
}

/* -- convolution ----------------------------------------------------------------- */

/* A thread does one channel's k k values of one column. */
__global__ static void im2col(struct view x, int k, struct columns j, float *out)
{
	unsigned ow = x.w - k + 1, pixels = ow * (x.h - k + 1), c = blockIdx.y;

	EACH_THREAD (unsigned, at, j.count) {
		unsigned i = (j.first + at) / pixels, p = (j.first + at) % pixels;
		const float *from =
			x.f + i * x.row + c * x.channel + p / ow * x.w + p % ow;
		float *to = out + (size_t)c * k * k * j.count + at;

		for (int a = 0; a < k; a++)
			for (int b = 0; b < k; b++, to += j.count)
				*to = from[a * x.w + b];
	}
}

cudaError_t launch_im2col(struct view x, int k, struct columns j, float *out)
{
	im2col<<<dim3(grid((size_t)j.count), x.c), THREADS>>>(x, k, j, out);
	return cudaGetLastError();
}

/* The sum of the columns' values that came from one input pixel. */
__device__ static float sum_columns(const float *columns, struct columns j, int k,
	int oh, int ow, int i, int y, int x)
{
	float sum = 0;

	for (int a = 0; a < k; a++)
		for (int b = 0; b < k; b++) {
			int oy = y - a, ox = x - b,
			    at = (i * oh + oy) * ow + ox - j.first;

			if (oy >= 0 && oy < oh && ox >= 0 && ox < ow && at >= 0 &&
				at < j.count)
				sum += columns[(size_t)(a * k + b) * j.count + at];
		}
	return sum;
}

/* A thread does one pixel of one channel, for `images` from first_image on. */
__global__ static void col2im(const float *columns, struct columns j, int k,
	struct view dx, unsigned first_image, unsigned images)
{
	unsigned oh = dx.h - k + 1, ow = dx.w - k + 1, area = dx.h * dx.w,
		 c = blockIdx.y;

	EACH_THREAD (unsigned, at, images * area) {
		unsigned i = first_image + at / area, p = at % area;
		float *to = dx.f + i * dx.row + c * dx.channel + p;
		float sum = sum_columns(columns + (size_t)c * k * k * j.count, j, k, oh,
			ow, i, p / dx.w, p % dx.w);

		*to = i * oh * ow < (unsigned)j.first ? *to + sum : sum;
	}
}

cudaError_t launch_col2im(const float *columns, struct columns j, int k, struct view dx)
{
	int pixels = (dx.h - k + 1) * (dx.w - k + 1), first = j.first / pixels;
	int images = (j.first + j.count - 1) / pixels - first + 1;

	col2im<<<dim3(grid((size_t)images * area(&dx)), dx.c), THREADS>>>(columns, j, k,
		dx, first, images);
	return cudaGetLastError();
}

/* -- pooling --------------------------------------------------------------------- */

/* The offset of a window's maximum, the first of equal ones; rows have w pixels. */
__device__ static int find_largest(const float *window, int w, int k)
{
	int best = 0;

	for (int a = 0; a < k; a++)
		for (int b = 0; b < k; b++)
			if (window[a * w + b] > window[best])
				best = a * w + b;
	return best;
}

/* The offsets of a pool's output and of its window's first value. */
struct window {
	size_t y, x;
};

__device__ static struct window find_window(const struct view *x, int k,
	const struct view *y, unsigned at)
{
	unsigned area = y->h * y->w, plane = at / area, p = at % area;
	unsigned c = plane / y->n, i = plane % y->n;

	return { i * y->row + c * y->channel + p,
		i * x->row + c * x->channel + p / y->w * k * x->w + p % y->w * k };
}

__global__ static void pool(struct view x, int k, struct view y, unsigned n)
{
	EACH_THREAD (unsigned, at, n) {
		struct window p = find_window(&x, k, &y, at);

		y.f[p.y] = x.f[p.x + find_largest(x.f + p.x, x.w, k)];
	}
}

__global__ static void pool_backward(struct view x, int k, struct view dy,
	struct view dx, unsigned n)
{
	EACH_THREAD (unsigned, at, n) {
		struct window p = find_window(&x, k, &dy, at);
		int best = find_largest(x.f + p.x, x.w, k);

		for (int a = 0; a < k; a++)
			for (int b = 0; b < k; b++)
				dx.f[p.x + a * x.w + b] =
					a * x.w + b == best ? dy.f[p.y] : 0;
	}
}

cudaError_t launch_pool(struct view x, int k, struct view y)
{
	pool<<<grid(values(&y)), THREADS>>>(x, k, y, (unsigned)values(&y));
	return cudaGetLastError();
}

cudaError_t launch_pool_backward(struct view x, int k, struct view dy, struct view dx)
{
	pool_backward<<<grid(values(&dy)), THREADS>>>(x, k, dy, dx,
		(unsigned)values(&dy));
	return cudaGetLastError();
}

/* -- dropout --------------------------------------------------------------------- */

/* What random numbers depend on besides their index. */
struct draw {
	uint64_t seed;
	uint32_t step, layer, limit;
};

/* A thread does four values, consecutive in NCHW order: a block of random numbers. */
__global__ static void drop(struct view from, struct view to, struct draw d,
	float scale, unsigned n)
{
	uint2 key = make_uint2((uint32_t)d.seed, (uint32_t)(d.seed >> 32));

	EACH_THREAD (unsigned, block, (n + 3) / 4) {
		uint4 bits =
			curand_Philox4x32_10(make_uint4(block, 0, d.step,
						     (uint32_t)KF_RNG_DROPOUT << 24 |
							     (d.layer & 0xffffff)),
				key);
		uint32_t lane[4] = { bits.x, bits.y, bits.z, bits.w };

		for (unsigned l = 0; l < 4 && 4 * block + l < n; l++) {
			struct coords s = find_coords(to, 4 * block + l);

			to.f[offset_of(to, s.i, s)] = lane[l] < d.limit ?
				0 :
				scale * from.f[offset_of(from, s.i, s)];
		}
	}
}

cudaError_t launch_drop(struct view from, struct view to, uint64_t seed, uint32_t step,
	uint32_t layer, uint32_t limit, float scale)
{
	struct draw d = { seed, step, layer, limit };
	size_t n = values(&to);

	drop<<<grid((n + 3) / 4), THREADS>>>(from, to, d, scale, (unsigned)n);
	return cudaGetLastError();
}

/* -- losses: in one block, as a batch has few outputs ----------------------------- */

__global__ static void squared_error(const float *p, int n, int m, const float *targets,
	struct rows rows, double present, float *dp, float *loss)
{
	float scale = (float)(2 / present);
	double sum = 0;

	EACH_THREAD (int, at, n * m) {
		float t = targets[(size_t)row_of(rows, at / m) * m + at % m];
		float d = isnan(t) ? 0 : p[at] - t;

		sum += (double)d * d;
		if (dp)
			dp[at] = scale * d;
	}
	sum = block_sum(sum);
	if (threadIdx.x == 0)
		*loss = (float)(sum / present);
}

cudaError_t launch_squared_error(const float *p, int n, int m, const float *targets,
	struct rows rows, double present, float *dp, float *loss)
{
	squared_error<<<1, THREADS>>>(p, n, m, targets, rows, present, dp, loss);
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
	const float *labels, struct rows rows, float *dp, float *loss, float *hits)
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
			dp[(size_t)i * classes + j] = (1 / (float)n) *
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
		*loss = (float)(loss_sum / n);
		*hits = (float)hit_sum;
	}
}

cudaError_t launch_cross_entropy(const float *p, int n, int classes,
	const float *labels, struct rows rows, float *dp, float *loss, float *hits)
{
	cross_entropy<<<1, THREADS>>>(p, n, classes, labels, rows, dp, loss, hits);
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
