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

/* The same from bytes, which stand for v / 255; `from` says where, in place of its f. */
cudaError_t launch_copy_bytes(const uint8_t *bytes, struct view from, struct rows rows,
	struct view to);

/* The same for gradients of the same rows, which are added to `to` if sum is true. */
cudaError_t launch_gradient(struct view from, struct view to, bool sum);

/* The same as launch_copy_rows, warped by warps (n), one for each row of `to`. */
cudaError_t launch_warp(struct view from, struct rows rows, const struct kf_warp *warps,
	struct view to);

cudaError_t launch_warp_bytes(const uint8_t *bytes, struct view from, struct rows rows,
	const struct kf_warp *warps, struct view to);

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

/* A convolution's k x k filters, and the size of its output. */
struct filter {
	int k, stride, pad, oh, ow;
};

/*
 * Column j of out (c k k, count) has the values of x that output pixel j, in (n, oh, ow)
 * order, depends on.  Backward sums such columns into dx: the first piece that touches
 * an image sets it, unless sum is true, and later ones add to it.
 */
cudaError_t launch_im2col(struct view x, struct filter g, struct columns j, float *out);
cudaError_t launch_col2im(const float *columns, struct columns j, struct filter g,
	struct view dx, bool sum);

/* In what follows, backward sets dx, or adds to it if sum is true. */

/* Max pooling of k x k windows with stride k.  Backward leaves rows and columns that do
 * not fill a window as they are. */
cudaError_t launch_pool(struct view x, int k, struct view y);
cudaError_t launch_pool_backward(struct view x, int k, struct view dy, struct view dx,
	bool sum);

/* The same with means in place of maxima; backward sets all of dx. */
cudaError_t launch_avgpool(struct view x, int k, struct view y);
cudaError_t launch_avgpool_backward(struct view dy, int k, struct view dx, bool sum);

/* Each value of x becomes k x k values of y, and the last ones all that are left. */
cudaError_t launch_upscale(struct view x, int k, struct view y);
cudaError_t launch_upscale_backward(struct view dy, int k, struct view dx, bool sum);

/* y = f(x + other), all in the same layout.  dx and d_other may be NULL, or the same;
 * dx comes first. */
cudaError_t launch_add(struct view x, struct view other, struct view y,
	enum kf_activation f);
cudaError_t launch_add_backward(struct view dy, struct view y, enum kf_activation f,
	float *dx, bool sum_dx, float *d_other, bool sum_other);

/*
 * Batch norm.  Moments of each channel of x: the mean, the unbiased variance (0 for a
 * single value), and 1 / sqrt(v + 1e-5), v being the biased variance.  sums is scratch
 * for 2 BIAS_SLICES values per channel.
 */
struct moments {
	float *mean, *variance, *scale; /* (channels) */
};
cudaError_t launch_moments(struct view x, double *sums, struct moments to);
/* The same where ranks share the batch out: each has a part of its images, and the means and
 * mean squares of that, times the part, go to totals (2, channels); of the sums of these over
 * all ranks, with `count` values a channel, are made the moments. */
cudaError_t launch_own_moments(struct view x, double part, double *sums,
	double *totals);
cudaError_t launch_shared_moments(const double *totals, int channels, double count,
	struct moments to);
/* The scale that belongs to a variance that was averaged. */
cudaError_t launch_scale(const float *variance, int channels, float *scale);
/* y = f((x - mean) scale weight + bias), in the same layout */
cudaError_t launch_normalize(struct view x, const float *mean, const float *scale,
	const float *weight, const float *bias, enum kf_activation f, struct view y);
/*
 * Backward for a batch normalized by its own moments, in two steps: dy becomes the
 * gradient with respect to f's input, in place, and weight and bias get theirs, with the
 * moments beside them, and bias's and weight's go to totals (2, channels), too; then dx,
 * by the totals of all ranks, which have `count` values a channel.
 */
struct norm_gradients {
	float *weight, *bias, *mean, *variance; /* (channels) */
};
cudaError_t launch_norm_gradients(struct view x, struct moments m, struct view y,
	struct view dy, enum kf_activation f, double *sums, struct norm_gradients to,
	double *totals);
cudaError_t launch_norm_backward(struct view x, struct moments m, const float *weight,
	const double *totals, double count, struct view dy, struct view dx, bool sum);

/* y (n, 2 c): the expected x and y under the softmax of each map of x, scaled like
 * targets in images of this extent. */
struct extent {
	int h, w;
};
cudaError_t launch_softargmax(struct view x, struct extent image, float *y);
cudaError_t launch_softargmax_backward(struct view x, struct extent image,
	const float *dy, struct view dx, bool sum);

/* What dropout's random numbers, as in rng.h, depend on, besides their index; `first` is that
 * of the first value.  A value is dropped if its number is below limit. */
struct draw {
	uint64_t seed, first;
	uint32_t step, layer, limit;
};

/* to = scale * from, or 0 where a value is dropped; added to what is there if sum is true. */
cudaError_t launch_drop(struct view from, struct view to, struct draw draw, float scale,
	bool sum);

/* Losses, as in struct kf_backend_ops: p (n, m) against rows of targets (.., m)
 * or labels (..); dp may be NULL. */
cudaError_t launch_regression(struct kf_loss kind, const float *p, int n, int m,
	const float *targets, struct rows rows, double present, float *dp, float *loss);
cudaError_t launch_cross_entropy(const float *p, int n, int classes,
	const float *labels, struct rows rows, double present, float *dp, float *loss,
	float *hits);

/* One step over n weights; a state that the rule does not keep is NULL. */
cudaError_t launch_update(const struct kf_update *u, float *weights, const float *grads,
	float *state1, float *state2, size_t n);

/* to (n) += part (from - to) */
cudaError_t launch_average(float *to, const float *from, float part, size_t n);

#ifdef __cplusplus
}
#endif

#endif
