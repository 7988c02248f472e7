/*
 * Kernels of the CUDA backend, each with a C function that launches it on the
 * default stream and returns the launch's status.  Pointers are to device memory.  No
 * array has more than INT32_MAX values, except data and arenas.
 */
#ifndef KF_KERNELS_H
#define KF_KERNELS_H

#include <cuda_runtime_api.h>

#include "net/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A batch: the value (i, c, y, x) is f[i row + c channel + y w + x], row and channel
 * being strides.  Images of several pixels are stored channel by channel, (c, n, h, w),
 * so that the convolution of a complete batch is one matrix product; all else is
 * (n, c, h, w).
 */
struct view {
	float *f;
	int n, c, h, w;
	size_t row, channel;
};

/* The row numbers of a batch: at, or first, first + 1, ... if that is NULL. */
struct rows {
	const uint32_t *at;
	uint32_t first;
};

/* Columns `first` to first + count - 1 of a convolution's unfolded input, which has one
 * for each of a batch's n oh ow output pixels. */
struct columns {
	int first, count;
};

/* Tells whether the device can run these kernels at all. */
cudaError_t launch_nothing(void);

/* Copies rows of one batch to another, whatever their layouts. */
cudaError_t launch_copy_rows(struct view from, struct rows rows, struct view to);

/* The same, warped by warps (n), one for each row of `to`. */
cudaError_t launch_warp(struct view from, struct rows rows, const struct kf_warp *warps,
	struct view to);

/*
 * y (outer, channels, inner) becomes f(y + bias (channels)), in place.  Backward, dy
 * becomes the gradient with respect to f's input, in place, and db (channels) its sums.
 * sums is scratch for BIAS_SLICES values per channel; inner or outer is 1.
 */
enum { BIAS_SLICES = 64 };
cudaError_t launch_bias(float *y, const float *bias, int outer, int channels, int inner,
	enum kf_activation f);
cudaError_t launch_bias_backward(float *dy, const float *y, float *db, int outer,
	int channels, int inner, enum kf_activation f, double *sums);

/*
 * Stride 1, no padding, k x k: column j of out (c k k, count) has the values of x that
 * output pixel j, in (n, oh, ow) order, depends on.  Backward sums such columns into
 * dx: the first piece that touches an image sets it, later ones add to it.
 */
cudaError_t launch_im2col(struct view x, int k, struct columns j, float *out);
cudaError_t launch_col2im(const float *columns, struct columns j, int k,
	struct view dx);

/* Max pooling of k x k windows with stride k.  Backward sets the windows of dx, and
 * leaves rows and columns that do not fill one as they are. */
cudaError_t launch_pool(struct view x, int k, struct view y);
cudaError_t launch_pool_backward(struct view x, int k, struct view dy, struct view dx);

/* to = scale * from where a value's random number, as in rng.h, is at least limit,
 * else 0. */
cudaError_t launch_drop(struct view from, struct view to, uint64_t seed, uint32_t step,
	uint32_t layer, uint32_t limit, float scale);

/* Losses, as in struct kf_backend_ops: p (n, m) against rows of targets (.., m)
 * or labels (..); dp may be NULL. */
cudaError_t launch_squared_error(const float *p, int n, int m, const float *targets,
	struct rows rows, double present, float *dp, float *loss);
cudaError_t launch_cross_entropy(const float *p, int n, int classes,
	const float *labels, struct rows rows, float *dp, float *loss, float *hits);

/* One step over n weights; a state that the rule does not keep is NULL. */
cudaError_t launch_update(const struct kf_update *u, float *weights, const float *grads,
	float *state1, float *state2, size_t n);

#ifdef __cplusplus
}
#endif

#endif
