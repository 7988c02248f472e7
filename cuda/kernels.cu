/*
 * The kernels.  All but the losses are memory-bound: neighbouring threads access
 * neighbouring values, and each value is read and written once.  Sums have a fixed
 * order, so that a run is reproducible bit for bit.
 */
#include "device.h"

__global__ static void nothing(void)
{
}

cudaError_t launch_nothing(void)
{
	nothing<<<1, 1>>>();
	return cudaGetLastError();
}

/* -- rows of a batch ------------------------------------------------------------- */

/* Images are floats or bytes, which stand for v / 255, rounded as on the host. */
__device__ static inline float value_of(float v)
{
	return v;
}

__device__ static inline float value_of(uint8_t v)
{
	return __fdiv_rn(v, 255);
}

/* In place of from.f, the values are at `data`. */
template <typename T>
__global__ static void copy_rows(const T *data, struct view from, struct rows rows,
	struct view to, bool sum, unsigned n)
{
	EACH_THREAD (unsigned, at, n) {
		struct coords s = find_coords(to, at);

		put(&to.f[offset_of(to, s.i, s)],
			value_of(data[offset_of(from, row_of(rows, s.i), s)]), sum);
	}
}

cudaError_t launch_copy_rows(struct view from, struct rows rows, struct view to)
{
	size_t n = values(&to);

	copy_rows<<<grid(n), THREADS>>>(from.f, from, rows, to, false, (unsigned)n);
	return cudaGetLastError();
}

cudaError_t launch_copy_bytes(const uint8_t *bytes, struct view from, struct rows rows,
	struct view to)
{
	size_t n = values(&to);

	copy_rows<<<grid(n), THREADS>>>(bytes, from, rows, to, false, (unsigned)n);
	return cudaGetLastError();
}

cudaError_t launch_gradient(struct view from, struct view to, bool sum)
{
	size_t n = values(&to);

	copy_rows<<<grid(n), THREADS>>>(from.f, from, { NULL, 0 }, to, sum,
		(unsigned)n);
	return cudaGetLastError();
}

__device__ static int clamp(int v, int max)
{
	return v < 0 ? 0 : v > max ? max : v;
}

/* The value of one channel (h, w) at (fx, fy), by bilinear interpolation. */
template <typename T>
__device__ static float interpolate(const T *from, int h, int w, float fx, float fy)
{
	float left = floorf(fx), top = floorf(fy), rx = fx - left, ry = fy - top;
	int x0 = clamp((int)left, w - 1), x1 = clamp((int)left + 1, w - 1);
	int y0 = clamp((int)top, h - 1), y1 = clamp((int)top + 1, h - 1);

	float p = value_of(from[y0 * w + x0]), q = value_of(from[y0 * w + x1]);
	float r = value_of(from[y1 * w + x0]), s = value_of(from[y1 * w + x1]);
	float a = p + rx * (q - p), b = r + rx * (s - r);

	return a + ry * (b - a);
}

__device__ static bool in_hole(const int *hole, int x, int y)
{
	return x >= hole[0] && x < hole[2] && y >= hole[1] && y < hole[3];
}

template <typename T>
__global__ static void warp_rows(const T *data, struct view from, struct rows rows,
	const struct kf_warp *warps, struct view to, unsigned n)
{
	EACH_THREAD (unsigned, at, n) {
		struct coords s = find_coords(to, at);
		int left = s.pixel % to.w, top = s.pixel / to.w;
		float x = (float)left, y = (float)top;
		const struct kf_warp *warp = &warps[s.i];
		const float *m = warp->m;
		float v = interpolate(data + row_of(rows, s.i) * from.row +
				s.c * from.channel,
			to.h, to.w, m[0] * x + m[1] * y + m[2],
			m[3] * x + m[4] * y + m[5]);

		if (warp->contrast != 1 || warp->brightness != 0)
			v = fminf(fmaxf((v - 0.5f) * warp->contrast + 0.5f +
						  warp->brightness,
					  0),
				1);
		to.f[offset_of(to, s.i, s)] = in_hole(warp->hole, left, top) ? 0.5f : v;
	}
}

cudaError_t launch_warp(struct view from, struct rows rows, const struct kf_warp *warps,
	struct view to)
{
	size_t n = values(&to);

	warp_rows<<<grid(n), THREADS>>>(from.f, from, rows, warps, to, (unsigned)n);
	return cudaGetLastError();
}

cudaError_t launch_warp_bytes(const uint8_t *bytes, struct view from, struct rows rows,
	const struct kf_warp *warps, struct view to)
{
	size_t n = values(&to);

	warp_rows<<<grid(n), THREADS>>>(bytes, from, rows, warps, to, (unsigned)n);
	return cudaGetLastError();
}

/* -- bias and activation --------------------------------------------------------- */

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
__global__ static void im2col(struct view x, struct filter g, struct columns j,
	float *out)
{
	unsigned pixels = g.oh * g.ow, c = blockIdx.y;

	EACH_THREAD (unsigned, at, j.count) {
		unsigned i = (j.first + at) / pixels, p = (j.first + at) % pixels;
		int top = p / g.ow * g.stride - g.pad,
		    left = p % g.ow * g.stride - g.pad;
		const float *from = x.f + i * x.row + c * x.channel;
		float *to = out + (size_t)c * g.k * g.k * j.count + at;

		for (int y = top; y < top + g.k; y++)
			for (int ix = left; ix < left + g.k; ix++, to += j.count)
				*to = y >= 0 && y < x.h && ix >= 0 && ix < x.w ?
					from[y * x.w + ix] :
					0;
	}
}

cudaError_t launch_im2col(struct view x, struct filter g, struct columns j, float *out)
{
	im2col<<<dim3(grid((size_t)j.count), x.c), THREADS>>>(x, g, j, out);
	return cudaGetLastError();
}

/* The sum of the columns' values that came from one pixel (x, y) of the padded input. */
__device__ static float sum_columns(const float *columns, struct columns j,
	struct filter g, int i, int y, int x)
{
	float sum = 0;

	for (int a = y % g.stride; a < g.k && a <= y; a += g.stride)
		for (int b = x % g.stride; b < g.k && b <= x; b += g.stride) {
			int oy = (y - a) / g.stride, ox = (x - b) / g.stride;
			int at = (i * g.oh + oy) * g.ow + ox - j.first;

			if (oy < g.oh && ox < g.ow && at >= 0 && at < j.count)
				sum += columns[(size_t)(a * g.k + b) * j.count + at];
		}
	return sum;
}

/* A thread does one pixel of one channel, for `images` from first_image on. */
__global__ static void col2im(const float *columns, struct columns j, struct filter g,
	struct view dx, bool sum, unsigned first_image, unsigned images)
{
	unsigned area = dx.h * dx.w, c = blockIdx.y;

	EACH_THREAD (unsigned, at, images * area) {
		unsigned i = first_image + at / area, p = at % area;
		float v = sum_columns(columns + (size_t)c * g.k * g.k * j.count, j, g,
			i, p / dx.w + g.pad, p % dx.w + g.pad);

		put(dx.f + i * dx.row + c * dx.channel + p, v,
			sum || i * g.oh * g.ow < (unsigned)j.first);
	}
}

cudaError_t launch_col2im(const float *columns, struct columns j, struct filter g,
	struct view dx, bool sum)
{
	int pixels = g.oh * g.ow, first = j.first / pixels;
	int images = (j.first + j.count - 1) / pixels - first + 1;

	col2im<<<dim3(grid((size_t)images * area(&dx)), dx.c), THREADS>>>(columns, j, g,
		dx, sum, first, images);
	return cudaGetLastError();
}
