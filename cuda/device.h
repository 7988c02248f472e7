/* What the files of kernels share: for nvcc alone. */
#ifndef KF_CUDA_DEVICE_H
#define KF_CUDA_DEVICE_H

#include "kernels.h"

#define THREADS 256
#define WARP 32
#define ALL_LANES 0xffffffffu

/* A grid-stride loop over each i below n. */
#define EACH_THREAD(type, i, n) \
	for (type i = blockIdx.x * (type)blockDim.x + threadIdx.x; i < (n); \
		i += gridDim.x * (type)blockDim.x)

static inline unsigned grid(size_t n)
{
	size_t blocks = (n + THREADS - 1) / THREADS, most = 1 << 16;

	return (unsigned)(blocks < most ? blocks : most);
}

static inline size_t area(const struct view *v)
{
	return (size_t)v->h * (size_t)v->w;
}

static inline size_t values(const struct view *v)
{
	return (size_t)v->n * (size_t)v->c * area(v);
}

/* -- values of a batch ------------------------------------------------------------ */

/* The coordinates of a value of a batch. */
struct coords {
	unsigned i, c, pixel;
};

/* From a value's index in (n, c, h, w) order. */
__device__ static inline struct coords find_coords(const struct view &v, unsigned at)
{
	unsigned area = v.h * v.w, plane = at / area;

	return { plane / v.c, plane % v.c, at % area };
}

/* The offset in v.f of such a value of row i. */
__device__ static inline size_t offset_of(const struct view &v, size_t i,
	const struct coords &s)
{
	return i * v.row + s.c * v.channel + s.pixel;
}

__device__ static inline uint32_t row_of(struct rows rows, unsigned i)
{
	return rows.at ? rows.at[i] : rows.first + i;
}

/* Sets a gradient, or adds to it. */
__device__ static inline void put(float *to, float v, bool sum)
{
	*to = sum ? *to + v : v;
}

/* -- sums in a block ------------------------------------------------------------- */

/* The sum of v over the threads of a block, in thread 0. */
__device__ static inline double block_sum(double v)
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

/* -- activations ------------------------------------------------------------------ */

/* f(x) */
__device__ static inline float activate(float x, enum kf_activation activation)
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
__device__ static inline float activation_backward(float dy, float y,
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

#endif
