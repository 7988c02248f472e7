/* The kernels of layers that cuBLAS has no part in. */
#include "device.h"

#include <curand_philox4x32_x.h>

#include "base/rng.h"

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
	struct view dx, bool sum, unsigned n)
{
	EACH_THREAD (unsigned, at, n) {
		struct window p = find_window(&x, k, &dy, at);
		int best = find_largest(x.f + p.x, x.w, k);

		for (int a = 0; a < k; a++)
			for (int b = 0; b < k; b++)
				put(&dx.f[p.x + a * x.w + b],
					a * x.w + b == best ? dy.f[p.y] : 0, sum);
	}
}

cudaError_t launch_pool(struct view x, int k, struct view y)
{
	pool<<<grid(values(&y)), THREADS>>>(x, k, y, (unsigned)values(&y));
	return cudaGetLastError();
}

cudaError_t launch_pool_backward(struct view x, int k, struct view dy, struct view dx,
	bool sum)
{
	pool_backward<<<grid(values(&dy)), THREADS>>>(x, k, dy, dx, sum,
		(unsigned)values(&dy));
	return cudaGetLastError();
}

/* The sum of k x k values; rows have w pixels. */
__device__ static double sum_window(const float *window, int w, int k)
{
	double sum = 0;

	for (int a = 0; a < k; a++)
		for (int b = 0; b < k; b++)
			sum += window[a * w + b];
	return sum;
}

__global__ static void avgpool(struct view x, int k, struct view y, unsigned n)
{
	EACH_THREAD (unsigned, at, n) {
		struct window p = find_window(&x, k, &y, at);

		y.f[p.y] = (float)(sum_window(x.f + p.x, x.w, k) / (k * k));
	}
}

cudaError_t launch_avgpool(struct view x, int k, struct view y)
{
	avgpool<<<grid(values(&y)), THREADS>>>(x, k, y, (unsigned)values(&y));
	return cudaGetLastError();
}

/* A thread does a value of dx, so that those outside the windows are set, too. */
__global__ static void avgpool_backward(struct view dy, int k, struct view dx, bool sum,
	unsigned n)
{
	float share = 1 / ((float)k * k);

	EACH_THREAD (unsigned, at, n) {
		struct coords s = find_coords(dx, at);
		int y = s.pixel / dx.w / k, x = s.pixel % dx.w / k;
		struct coords from = { s.i, s.c, (unsigned)(y * dy.w + x) };

		put(&dx.f[offset_of(dx, s.i, s)],
			y < dy.h && x < dy.w ? share * dy.f[offset_of(dy, s.i, from)] :
					       0,
			sum);
	}
}

cudaError_t launch_avgpool_backward(struct view dy, int k, struct view dx, bool sum)
{
	avgpool_backward<<<grid(values(&dx)), THREADS>>>(dy, k, dx, sum,
		(unsigned)values(&dx));
	return cudaGetLastError();
}

/* -- upscaling --------------------------------------------------------------------- */

/* Where value i of an output's row or column comes from, in n values. */
__device__ static int source(int i, int k, int n)
{
	return i / k < n ? i / k : n - 1;
}

__global__ static void upscale(struct view x, int k, struct view y, unsigned n)
{
	EACH_THREAD (unsigned, at, n) {
		struct coords s = find_coords(y, at), from = s;

		from.pixel = source(s.pixel / y.w, k, x.h) * x.w +
			source(s.pixel % y.w, k, x.w);
		y.f[offset_of(y, s.i, s)] = x.f[offset_of(x, s.i, from)];
	}
}

cudaError_t launch_upscale(struct view x, int k, struct view y)
{
	upscale<<<grid(values(&y)), THREADS>>>(x, k, y, (unsigned)values(&y));
	return cudaGetLastError();
}

/* The end of what value i of n became, in `all` values. */
__device__ static int end_of(int i, int k, int n, int all)
{
	return i == n - 1 ? all : (i + 1) * k;
}

__global__ static void upscale_backward(struct view dy, int k, struct view dx, bool sum,
	unsigned n)
{
	EACH_THREAD (unsigned, at, n) {
		struct coords s = find_coords(dx, at), from = s;
		int y = s.pixel / dx.w, x = s.pixel % dx.w;
		double total = 0;

		for (int h = y * k; h < end_of(y, k, dx.h, dy.h); h++)
			for (int w = x * k; w < end_of(x, k, dx.w, dy.w); w++) {
				from.pixel = (unsigned)(h * dy.w + w);
				total += dy.f[offset_of(dy, s.i, from)];
			}
		put(&dx.f[offset_of(dx, s.i, s)], (float)total, sum);
	}
}

cudaError_t launch_upscale_backward(struct view dy, int k, struct view dx, bool sum)
{
	upscale_backward<<<grid(values(&dx)), THREADS>>>(dy, k, dx, sum,
		(unsigned)values(&dx));
	return cudaGetLastError();
}

/* -- sums of layers ---------------------------------------------------------------- */

__global__ static void add(const float *x, const float *other, float *y,
	enum kf_activation f, unsigned n)
{
	EACH_THREAD (unsigned, i, n)
		y[i] = activate(x[i] + other[i], f);
}

cudaError_t launch_add(struct view x, struct view other, struct view y,
	enum kf_activation f)
{
	add<<<grid(values(&y)), THREADS>>>(x.f, other.f, y.f, f, (unsigned)values(&y));
	return cudaGetLastError();
}

/* dx and d_other may be the same. */
__global__ static void add_backward(const float *dy, const float *y,
	enum kf_activation f, float *dx, bool sum_dx, float *d_other, bool sum_other,
	unsigned n)
{
	EACH_THREAD (unsigned, i, n) {
		float d = activation_backward(dy[i], y[i], f);

		if (dx)
			put(&dx[i], d, sum_dx);
		if (d_other)
			put(&d_other[i], d, sum_other);
	}
}

cudaError_t launch_add_backward(struct view dy, struct view y, enum kf_activation f,
	float *dx, bool sum_dx, float *d_other, bool sum_other)
{
	add_backward<<<grid(values(&y)), THREADS>>>(dy.f, y.f, f, dx, sum_dx, d_other,
		sum_other, (unsigned)values(&y));
	return cudaGetLastError();
}

/* -- batch norm -------------------------------------------------------------------- */

/* A batch as (outer, c, inner): one of outer and inner is 1. */
struct channels {
	unsigned outer, c, inner;
};

static struct channels find_channels(const struct view *v)
{
	unsigned pixels = (unsigned)area(v), n = (unsigned)v->n;

	return pixels > 1 ? channels{ 1, (unsigned)v->c, n * pixels } :
			    channels{ n, (unsigned)v->c, 1 };
}

/* How many blocks share the sums of a channel. */
static unsigned find_slices(const struct channels &s)
{
	unsigned pieces = (s.outer * s.inner + THREADS - 1) / THREADS;
	unsigned most = BIAS_SLICES;

	return pieces < most ? pieces : most;
}

/* The offset of a channel's i-th value. */
__device__ static size_t value_of(const struct channels &s, unsigned c, unsigned i)
{
	return s.outer == 1 ? (size_t)c * s.inner + i : (size_t)i * s.c + c;
}

/* Block (c, slice) does every gridDim.y-th piece of channel c. */
#define EACH_OF_SLICE(i, n) \
	for (unsigned i = blockIdx.y * THREADS + threadIdx.x; i < (n); \
		i += gridDim.y * THREADS)

/* Keeps a slice's two sums. */
__device__ static void put_slice(double a, double b, double2 *sums)
{
	a = block_sum(a);
	b = block_sum(b);
	if (threadIdx.x == 0)
		sums[blockIdx.x * gridDim.y + blockIdx.y] = make_double2(a, b);
}

__device__ static double2 sum_slices(const double2 *sums, unsigned c, unsigned slices)
{
	double2 sum = { 0, 0 };

	for (unsigned i = 0; i < slices; i++) {
		sum.x += sums[c * slices + i].x;
		sum.y += sums[c * slices + i].y;
	}
	return sum;
}

/* Sums of the differences from a channel's first value and of their squares: these
 * lose no digits where the mean is much larger than the deviation. */
__global__ static void sum_moments(const float *x, struct channels s, double2 *sums)
{
	unsigned c = blockIdx.x;
	double first = x[value_of(s, c, 0)], sum = 0, squares = 0;

	EACH_OF_SLICE (i, s.outer * s.inner) {
		double d = x[value_of(s, c, i)] - first;

		sum += d;
		squares += d * d;
	}
	put_slice(sum, squares, sums);
}

__global__ static void find_moments(const float *x, struct channels s,
	const double2 *sums, unsigned slices, struct moments to)
{
	double n = (double)s.outer * s.inner;

	EACH_THREAD (unsigned, c, s.c) {
		double2 sum = sum_slices(sums, c, slices);
		double squares = fmax(sum.y - sum.x * sum.x / n, 0.);

		to.mean[c] = (float)(x[value_of(s, c, 0)] + sum.x / n);
		to.variance[c] = (float)(squares / (n > 1 ? n - 1 : 1));
		to.scale[c] = (float)(1 / sqrt(squares / n + KF_BATCHNORM_EPSILON));
	}
}

cudaError_t launch_moments(struct view x, double *sums, struct moments to)
{
	struct channels s = find_channels(&x);
	unsigned slices = find_slices(s);

	sum_moments<<<dim3(s.c, slices), THREADS>>>(x.f, s, (double2 *)sums);
	find_moments<<<grid(s.c), THREADS>>>(x.f, s, (double2 *)sums, slices, to);
	return cudaGetLastError();
}

/* As means and mean squares, which can be summed over the ranks. */
__global__ static void own_moments(const float *x, struct channels s,
	const double2 *sums, unsigned slices, double part, double *totals)
{
	double n = (double)s.outer * s.inner;

	EACH_THREAD (unsigned, c, s.c) {
		double2 sum = sum_slices(sums, c, slices);
		double squares = fmax(sum.y - sum.x * sum.x / n, 0.);
		double mean = x[value_of(s, c, 0)] + sum.x / n;

		totals[c] = part * mean;
		totals[s.c + c] = part * (squares / n + mean * mean);
	}
}

cudaError_t launch_own_moments(struct view x, double part, double *sums, double *totals)
{
	struct channels s = find_channels(&x);
	unsigned slices = find_slices(s);

	sum_moments<<<dim3(s.c, slices), THREADS>>>(x.f, s, (double2 *)sums);
	own_moments<<<grid(s.c), THREADS>>>(x.f, s, (double2 *)sums, slices, part,
		totals);
	return cudaGetLastError();
}

__global__ static void shared_moments(const double *totals, int channels, double count,
	struct moments to)
{
	EACH_THREAD (int, c, channels) {
		double mean = totals[c];
		double variance = fmax(totals[channels + c] - mean * mean, 0.);

		to.mean[c] = (float)mean;
		to.variance[c] =
			(float)(variance * (count > 1 ? count / (count - 1) : 1));
		to.scale[c] = (float)(1 / sqrt(variance + KF_BATCHNORM_EPSILON));
	}
}

cudaError_t launch_shared_moments(const double *totals, int channels, double count,
	struct moments to)
{
	shared_moments<<<grid((size_t)channels), THREADS>>>(totals, channels, count,
		to);
	return cudaGetLastError();
}

__global__ static void find_scale(const float *variance, int channels, float *scale)
{
	EACH_THREAD (int, c, channels)
		scale[c] = (float)(1 / sqrt(variance[c] + KF_BATCHNORM_EPSILON));
}

cudaError_t launch_scale(const float *variance, int channels, float *scale)
{
	find_scale<<<grid((size_t)channels), THREADS>>>(variance, channels, scale);
	return cudaGetLastError();
}

__global__ static void normalize(const float *x, struct channels s, const float *mean,
	const float *scale, const float *weight, const float *bias,
	enum kf_activation f, float *y, unsigned n)
{
	EACH_THREAD (unsigned, i, n) {
		unsigned c = i / s.inner % s.c;

		y[i] = activate((x[i] - mean[c]) * scale[c] * weight[c] + bias[c], f);
	}
}

cudaError_t launch_normalize(struct view x, const float *mean, const float *scale,
	const float *weight, const float *bias, enum kf_activation f, struct view y)
{
	normalize<<<grid(values(&x)), THREADS>>>(x.f, find_channels(&x), mean, scale,
		weight, bias, f, y.f, (unsigned)values(&x));
	return cudaGetLastError();
}

/* Turns dy into the gradient with respect to f's input, and sums it, and its products
 * with the normalized x. */
__global__ static void sum_norm_gradients(const float *x, struct channels s,
	struct moments m, const float *y, float *dy, enum kf_activation f,
	double2 *sums)
{
	unsigned c = blockIdx.x;
	float mean = m.mean[c], scale = m.scale[c];
	double sum = 0, products = 0;

	EACH_OF_SLICE (i, s.outer * s.inner) {
		size_t at = value_of(s, c, i);
		float d = dy[at];

		if (f != KF_LINEAR)
			dy[at] = d = activation_backward(d, y[at], f);
		sum += d;
		products += (double)d * ((x[at] - mean) * scale);
	}
	put_slice(sum, products, sums);
}

__global__ static void find_norm_gradients(const double2 *sums, unsigned slices,
	unsigned channels, struct moments m, struct norm_gradients to, double *totals)
{
	EACH_THREAD (unsigned, c, channels) {
		double2 sum = sum_slices(sums, c, slices);

		to.bias[c] = (float)sum.x;
		to.weight[c] = (float)sum.y;
		totals[c] = sum.x;
		totals[channels + c] = sum.y;
		to.mean[c] = m.mean[c];
		to.variance[c] = m.variance[c];
	}
}

cudaError_t launch_norm_gradients(struct view x, struct moments m, struct view y,
	struct view dy, enum kf_activation f, double *sums, struct norm_gradients to,
	double *totals)
{
	struct channels s = find_channels(&x);
	unsigned slices = find_slices(s);

	sum_norm_gradients<<<dim3(s.c, slices), THREADS>>>(x.f, s, m, y.f, dy.f, f,
		(double2 *)sums);
	find_norm_gradients<<<grid(s.c), THREADS>>>((double2 *)sums, slices, s.c, m, to,
		totals);
	return cudaGetLastError();
}

__global__ static void norm_backward(const float *x, struct channels s,
	struct moments m, const float *weight, const double *totals, float share,
	const float *dy, float *dx, bool sum, unsigned n)
{
	EACH_THREAD (unsigned, i, n) {
		unsigned c = i / s.inner % s.c;
		float normal = (x[i] - m.mean[c]) * m.scale[c];
		float d = dy[i] -
			share * ((float)totals[c] + normal * (float)totals[s.c + c]);

		put(&dx[i], m.scale[c] * weight[c] * d, sum);
	}
}

cudaError_t launch_norm_backward(struct view x, struct moments m, const float *weight,
	const double *totals, double count, struct view dy, struct view dx, bool sum)
{
	norm_backward<<<grid(values(&x)), THREADS>>>(x.f, find_channels(&x), m, weight,
		totals, 1 / (float)count, dy.f, dx.f, sum, (unsigned)values(&x));
	return cudaGetLastError();
}

/* -- softargmax: a warp does a map at a time ---------------------------------------- */

__device__ static double warp_sum(double v)
{
	for (int d = WARP / 2; d; d /= 2)
		v += __shfl_xor_sync(ALL_LANES, v, d);
	return v;
}

__device__ static float warp_max(float v)
{
	for (int d = WARP / 2; d; d /= 2)
		v = fmaxf(v, __shfl_xor_sync(ALL_LANES, v, d));
	return v;
}

/* Where cell i of n is in an image of this size, whose pixels go from -1 to almost 1. */
__device__ static double place(int i, int n, int size)
{
	return (2 * i + 1) / (double)n - 1. / size - 1;
}

/* The softmax of a map: cell i has the share exp(map[i] - largest) / sum. */
struct softmax {
	float largest;
	double sum, x, y; /* and the expected place */
};

/* The map, of h x w cells, as all lanes of a warp find it. */
__device__ static struct softmax find_softmax(const float *map, int h, int w,
	struct extent image)
{
	int lane = threadIdx.x % WARP;
	struct softmax s = { map[0], 0, 0, 0 };

	for (int i = lane; i < h * w; i += WARP)
		s.largest = fmaxf(s.largest, map[i]);
	s.largest = warp_max(s.largest);
	for (int i = lane; i < h * w; i += WARP) {
		double share = expf(map[i] - s.largest);

		s.sum += share;
		s.x += share * place(i % w, w, image.w);
		s.y += share * place(i / w, h, image.h);
	}
	s.sum = warp_sum(s.sum);
	s.x = warp_sum(s.x) / s.sum;
	s.y = warp_sum(s.y) / s.sum;
	return s;
}

/* Loops over the maps below n, a warp at each. */
#define EACH_WARP(map, n) \
	for (unsigned map = (blockIdx.x * THREADS + threadIdx.x) / WARP; map < (n); \
		map += gridDim.x * (THREADS / WARP))

__global__ static void softargmax(struct view x, struct extent image, float *y,
	unsigned maps)
{
	EACH_WARP (m, maps) {
		const float *map = x.f + m / x.c * x.row + m % x.c * x.channel;
		struct softmax s = find_softmax(map, x.h, x.w, image);

		if (threadIdx.x % WARP == 0) {
			y[2 * m] = (float)s.x;
			y[2 * m + 1] = (float)s.y;
		}
	}
}

cudaError_t launch_softargmax(struct view x, struct extent image, float *y)
{
	size_t maps = (size_t)x.n * (size_t)x.c;

	softargmax<<<grid(maps * WARP), THREADS>>>(x, image, y, (unsigned)maps);
	return cudaGetLastError();
}

__global__ static void softargmax_backward(struct view x, struct extent image,
	const float *dy, struct view dx, bool sum, unsigned maps)
{
	EACH_WARP (m, maps) {
		size_t at = m / x.c * x.row + m % x.c * x.channel;
		struct softmax s = find_softmax(x.f + at, x.h, x.w, image);

		for (int i = threadIdx.x % WARP; i < x.h * x.w; i += WARP) {
			double share = expf(x.f[at + i] - s.largest) / s.sum;
			double d = dy[2 * m] * (place(i % x.w, x.w, image.w) - s.x) +
				dy[2 * m + 1] * (place(i / x.w, x.h, image.h) - s.y);

			put(&dx.f[at + i], (float)(share * d), sum);
		}
	}
}

cudaError_t launch_softargmax_backward(struct view x, struct extent image,
	const float *dy, struct view dx, bool sum)
{
	size_t maps = (size_t)x.n * (size_t)x.c;

	softargmax_backward<<<grid(maps * WARP), THREADS>>>(x, image, dy, dx, sum,
		(unsigned)maps);
	return cudaGetLastError();
}

/* -- dropout --------------------------------------------------------------------- */

/* A thread does a block of random numbers: four values, consecutive in the NCHW order of the
 * whole batch, of which the first and last ones may be another rank's. */
__global__ static void drop(struct view from, struct view to, struct draw d,
	float scale, bool sum, unsigned n, unsigned blocks)
{
	uint2 key = make_uint2((uint32_t)d.seed, (uint32_t)(d.seed >> 32));

	EACH_THREAD (unsigned, i, blocks) {
		uint64_t block = d.first / 4 + i;
		uint4 bits =
			curand_Philox4x32_10(make_uint4((uint32_t)block,
						     (uint32_t)(block >> 32), d.step,
						     (uint32_t)KF_RNG_DROPOUT << 24 |
							     (d.layer & 0xffffff)),
				key);
		uint32_t lane[4] = { bits.x, bits.y, bits.z, bits.w };

		for (unsigned l = 0; l < 4; l++) {
			uint64_t at = 4 * block + l - d.first; /* huge before it */
			struct coords s = find_coords(to, (unsigned)at);

			if (at < n)
				put(&to.f[offset_of(to, s.i, s)],
					lane[l] < d.limit ?
						0 :
						scale * from.f[offset_of(from, s.i, s)],
					sum);
		}
	}
}

cudaError_t launch_drop(struct view from, struct view to, struct draw draw, float scale,
	bool sum)
{
	size_t n = values(&to), blocks = (draw.first % 4 + n + 3) / 4;

	drop<<<grid(blocks), THREADS>>>(from, to, draw, scale, sum, (unsigned)n,
		(unsigned)blocks);
	return cudaGetLastError();
}
