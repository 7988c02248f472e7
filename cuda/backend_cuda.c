/*
 * The CUDA backend: the handle, memory, batches, losses, and the table of
 * operations.  Layers are in backend_cuda_layers.c, kernels in kernels.cu.
 *
 * All work goes to the default stream, one piece after another, and the host
 * runs ahead of it until it reads something back.
 */
#define _GNU_SOURCE
#include "backend_cuda.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAGING_BYTES ((size_t)1 << 20)
#define STAGING_STEP ((size_t)64)
#define VALUES_MAX ((size_t)INT_MAX) /* in a batch: kernels count in 32 bits */

/* -- failures -------------------------------------------------------------------- */

void cuda_fail(struct kf_backend *b, const char *fmt, ...)
{
	va_list ap;

	if (cuda(b)->failed)
		return;
	cuda(b)->failed = true;
	va_start(ap, fmt);
	vsnprintf(cuda(b)->first.msg, sizeof cuda(b)->first.msg, fmt, ap);
	va_end(ap);
}

void cuda_check(struct kf_backend *b, cudaError_t status, const char *what)
{
	if (status != cudaSuccess)
		cuda_fail(b, "CUDA: %s failed: %s", what, cudaGetErrorString(status));
}

static int cuda_sync(struct kf_backend *b, struct kf_err *err)
{
	cuda_check(b, cudaStreamSynchronize(0), "work on the device");
	if (!cuda(b)->failed)
		return 0;
	*err = cuda(b)->first;
	return -1;
}

/* -- memory ---------------------------------------------------------------------- */

void *cuda_bytes(struct kf_backend *b, size_t n)
{
	size_t vacant = 0, total = 0;
	void *p = NULL;
	cudaError_t status;

	if (cuda(b)->failed)
		return NULL;
	status = cudaMalloc(&p, n ? n : 1);
	if (status == cudaSuccess)
		return p;
	cudaGetLastError(); /* it is reported here */
	cudaMemGetInfo(&vacant, &total);
	if (status == cudaErrorMemoryAllocation)
		cuda_fail(b, "out of device memory: %.1f MiB asked for, %.1f of %.1f MiB "
			"free; a smaller batch, fewer rows or a smaller net need less",
			(double)n / 0x1p20, (double)vacant / 0x1p20,
			(double)total / 0x1p20);
	else
		cuda_check(b, status, "getting memory");
	return NULL;
}

void cuda_grow(struct kf_backend *b, void **buffer, size_t *have, size_t n,
	size_t size)
{
	if (n <= *have || cuda(b)->failed)
		return;
	cuda_check(b, cudaFree(*buffer), "freeing memory");
	*buffer = cuda_bytes(b, n * size);
	*have = *buffer ? n : 0;
}

static struct kf_mem *new_mem(struct kf_backend *b, size_t n)
{
	struct kf_mem *m = malloc(sizeof *m);

	if (!m) {
		cuda_fail(b, "out of memory");
		return NULL;
	}
	*m = (struct kf_mem){ cuda_bytes(b, n * sizeof(float)), n };
	if (m->f)
		return m;
	free(m);
	return NULL;
}

static struct kf_mem *cuda_alloc(struct kf_backend *b, size_t n)
{
	struct kf_mem *m = new_mem(b, n);

	if (m)
		cuda_check(b, cudaMemsetAsync(m->f, 0, n * sizeof *m->f, 0),
			"clearing memory");
	return m;
}

static void cuda_free(struct kf_backend *b, struct kf_mem *m)
{
	if (m)
		cuda_check(b, cudaFree(m->f), "freeing memory");
	free(m);
}

/* Starts the staging buffer anew, with room for at least so many bytes. */
static void restart_staging(struct kf_backend *b, size_t bytes)
{
	struct staging *s = &cuda(b)->staging;

	cuda_check(b, cudaStreamSynchronize(0), "work on the device");
	s->used = 0;
	if (bytes <= s->size || cuda(b)->failed)
		return;
	cudaFreeHost(s->host);
	cudaFree(s->device);
	s->size = 0;
	s->host = NULL;
	if (bytes < STAGING_BYTES)
		bytes = STAGING_BYTES;
	s->device = cuda_bytes(b, bytes);
	cuda_check(b, cudaMallocHost((void **)&s->host, bytes), "getting pinned memory");
	if (!cuda(b)->failed)
		s->size = bytes;
}

/* A host array on the device, until the buffer starts anew: that is not before
 * what is asked for next is done.  NULL after a failure. */
static const void *stage(struct kf_backend *b, const void *src, size_t bytes)
{
	struct staging *s = &cuda(b)->staging;
	size_t at;

	if (s->used + bytes > s->size)
		restart_staging(b, bytes);
	if (cuda(b)->failed)
		return NULL;
	at = s->used;
	s->used += (bytes + STAGING_STEP - 1) / STAGING_STEP * STAGING_STEP;
	memcpy(s->host + at, src, bytes);
	cuda_check(b, cudaMemcpyAsync(s->device + at, s->host + at, bytes,
		cudaMemcpyHostToDevice, 0), "copying to the device");
	return s->device + at;
}

/* What is written often, as a batch's targets, is short: it need not wait. */
static void cuda_write(struct kf_backend *b, struct kf_mem *m, size_t offset,
	const float *src, size_t n)
{
	size_t bytes = n * sizeof *src;
	const void *staged;

	if (cuda(b)->failed)
		return;
	if (bytes > STAGING_BYTES / 2) {
		cuda_check(b, cudaMemcpy(m->f + offset, src, bytes,
			cudaMemcpyHostToDevice), "copying to the device");
		return;
	}
	staged = stage(b, src, bytes);
	if (staged)
		cuda_check(b, cudaMemcpyAsync(m->f + offset, staged, bytes,
			cudaMemcpyDeviceToDevice, 0), "copying on the device");
}

static struct kf_mem *cuda_adopt(struct kf_backend *b, float *host, size_t n)
{
	struct kf_mem *m = host ? new_mem(b, n) : NULL;

	if (!host)
		cuda_fail(b, "out of memory");
	if (m)
		cuda_check(b, cudaMemcpy(m->f, host, n * sizeof *host,
			cudaMemcpyHostToDevice), "copying to the device");
	free(host);
	return m;
}

static void cuda_read(struct kf_backend *b, const struct kf_mem *m, size_t offset,
	float *dst, size_t n)
{
	if (!cuda(b)->failed)
		cuda_check(b, cudaMemcpy(dst, m->f + offset, n * sizeof *dst,
			cudaMemcpyDeviceToHost), "copying from the device");
}

static void cuda_copy(struct kf_backend *b, struct kf_mem *dst,
	const struct kf_mem *src, size_t n)
{
	if (!cuda(b)->failed)
		cuda_check(b, cudaMemcpyAsync(dst->f, src->f, n * sizeof *dst->f,
			cudaMemcpyDeviceToDevice, 0), "copying on the device");
}

/* Arenas are as PyTorch has them. */
static void cuda_write_param(struct kf_backend *b, struct kf_mem *arena,
	const struct kf_param *p, const float *src)
{
	cuda_write(b, arena, p->offset, src, p->count);
}

static void cuda_read_param(struct kf_backend *b, const struct kf_mem *arena,
	const struct kf_param *p, float *dst)
{
	cuda_read(b, arena, p->offset, dst, p->count);
}

/* -- batches --------------------------------------------------------------------- */

struct view cuda_plain(float *f, int n, const int shape[3])
{
	size_t area = (size_t)shape[1] * (size_t)shape[2];

	return (struct view){ f, n, shape[0], shape[1], shape[2],
		(size_t)shape[0] * area, area };
}

struct view cuda_batch(float *f, int n, const int shape[3])
{
	struct view v = cuda_plain(f, n, shape);

	if (v.channel > 1) {
		v.row = v.channel;
		v.channel *= (size_t)n;
	}
	return v;
}

bool cuda_is_plain(const struct view *v)
{
	return v->n == 1 || v->c == 1 || v->h * v->w == 1;
}

static size_t view_values(const struct view *v)
{
	return (size_t)v->n * (size_t)v->c * (size_t)v->h * (size_t)v->w;
}

static struct kf_act *new_act(struct kf_backend *b, int n, const int shape[3])
{
	struct kf_act *a = calloc(1, sizeof *a);

	if (!a) {
		cuda_fail(b, "out of memory");
		return NULL;
	}
	a->v = cuda_batch(NULL, n, shape);
	if (view_values(&a->v) > VALUES_MAX)
		cuda_fail(b, "a batch of %d x %d x %d x %d is too large for this "
			"backend; lower --batch", n, shape[0], shape[1], shape[2]);
	return a;
}

/* Points the batch at memory of its own. */
static bool own(struct kf_backend *b, struct kf_act *a)
{
	if (!a->own)
		a->own = cuda_bytes(b, view_values(&a->v) * sizeof(float));
	a->v.f = a->own;
	return a->own != NULL;
}

static struct kf_act *cuda_act(struct kf_backend *b, const struct kf_plan *plan,
	const struct kf_act *lender)
{
	struct kf_act *a;

	if (cuda(b)->failed)
		return NULL;
	a = new_act(b, plan->n, plan->layer->out);
	if (a && lender && lender->v.n >= a->v.n)
		a->v.f = lender->own;
	else if (a)
		own(b, a);
	return a;
}

static struct kf_act *cuda_input(struct kf_backend *b, int n, const int shape[3])
{
	return new_act(b, n, shape);
}

static void cuda_free_act(struct kf_backend *b, struct kf_act *a)
{
	if (a)
		cuda_check(b, cudaFree(a->own), "freeing memory");
	free(a);
}

/* Rows like the batch's, in (n, c, h, w) order. */
static struct view plain(const struct kf_act *a, float *f)
{
	return cuda_plain(f, a->v.n, (const int[]){ a->v.c, a->v.h, a->v.w });
}

/* n row numbers: on the device only where they do not follow one another. */
static struct rows stage_rows(struct kf_backend *b, const uint32_t *rows, int n)
{
	for (int i = 1; i < n; i++)
		if (rows[i] != rows[0] + (uint32_t)i)
			return (struct rows){ stage(b, rows, (size_t)n * sizeof *rows), 0 };
	return (struct rows){ NULL, rows[0] };
}

/* Two arrays for one launch: both must find room before the first is staged. */
static void reserve_staging(struct kf_backend *b, size_t bytes)
{
	if (cuda(b)->staging.used + bytes > cuda(b)->staging.size)
		restart_staging(b, bytes);
}

/* Plain rows that follow one another are used where they are. */
static void cuda_take(struct kf_backend *b, struct kf_act *a, const struct kf_mem *m,
	const uint32_t *rows, const struct kf_warp *warps)
{
	const struct kf_warp *staged;
	struct view data;
	struct rows from;
	size_t n;

	if (cuda(b)->failed)
		return;
	data = plain(a, m->f);
	n = (size_t)a->v.n;
	reserve_staging(b, n * (sizeof *rows + sizeof *warps) + 2 * STAGING_STEP);
	from = stage_rows(b, rows, a->v.n);
	if (!cuda(b)->failed && !from.at && !warps && cuda_is_plain(&a->v)) {
		a->v.f = data.f + from.first * data.row;
		return;
	}
	staged = warps ? stage(b, warps, n * sizeof *warps) : NULL;
	if (cuda(b)->failed || !own(b, a))
		return;
	cuda_check(b, warps ? launch_warp(data, from, staged, a->v) :
		launch_copy_rows(data, from, a->v), "taking rows");
}

/* Both ways by way of plain memory on the device. */
static void cuda_write_act(struct kf_backend *b, struct kf_act *a, const float *src)
{
	struct kf_mem *m;

	if (cuda(b)->failed)
		return;
	m = new_mem(b, view_values(&a->v));
	if (m && own(b, a)) {
		cuda_write(b, m, 0, src, m->n);
		cuda_check(b, launch_copy_rows(plain(a, m->f),
			(struct rows){ NULL, 0 }, a->v), "writing a batch");
	}
	cuda_free(b, m);
}

static void cuda_read_act(struct kf_backend *b, const struct kf_act *a, float *dst)
{
	struct kf_mem whole, *m;

	if (cuda(b)->failed)
		return;
	whole = (struct kf_mem){ a->v.f, view_values(&a->v) };
	if (cuda_is_plain(&a->v)) {
		cuda_read(b, &whole, 0, dst, whole.n);
		return;
	}
	m = new_mem(b, whole.n);
	if (m) {
		cuda_check(b, launch_copy_rows(a->v, (struct rows){ NULL, 0 },
			plain(a, m->f)), "reading a batch");
		cuda_read(b, m, 0, dst, whole.n);
	}
	cuda_free(b, m);
}

/* -- layers ---------------------------------------------------------------------- */

static struct kf_plan *cuda_plan(struct kf_backend *b, const struct kf_layer *layer,
	const struct kf_param *params, int n)
{
	struct kf_plan *plan = calloc(1, sizeof *plan);

	if (!plan) {
		cuda_fail(b, "out of memory");
		return NULL;
	}
	plan->layer = layer;
	plan->weight = layer->weight < 0 ? NULL : &params[layer->weight];
	plan->bias = layer->bias < 0 ? NULL : &params[layer->bias];
	plan->n = n;
	plan->kind = cuda_find_kind(layer);
	plan->kind->make(b, plan);
	return plan;
}

static void cuda_free_plan(struct kf_backend *b, struct kf_plan *plan)
{
	cuda_check(b, cudaFree(plan->flat), "freeing memory");
	free(plan);
}

static void cuda_forward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	const struct kf_act *x, struct kf_act *y)
{
	if (!cuda(b)->failed)
		plan->kind->forward(b, plan, pass, weights, x, y);
}

static void cuda_backward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	struct kf_mem *grads, const struct kf_act *x, const struct kf_act *y,
	struct kf_act *dy, struct kf_act *dx)
{
	if (!cuda(b)->failed)
		plan->kind->backward(b, plan, pass, weights, grads, x, y, dy, dx);
}

/* -- learning -------------------------------------------------------------------- */

static void cuda_squared_error(struct kf_backend *b, const struct kf_act *p,
	const struct kf_mem *targets, const uint32_t *rows, double present,
	struct kf_act *dp, struct kf_mem *losses, size_t slot)
{
	struct rows at;

	if (cuda(b)->failed)
		return;
	at = stage_rows(b, rows, p->v.n);
	if (!cuda(b)->failed)
		cuda_check(b, launch_squared_error(p->v.f, p->v.n, p->v.c, targets->f, at,
			present, dp ? dp->v.f : NULL, losses->f + slot), "the loss");
}

static void cuda_cross_entropy(struct kf_backend *b, const struct kf_act *p,
	const struct kf_mem *labels, const uint32_t *rows, struct kf_act *dp,
	struct kf_mem *losses, struct kf_mem *hits, size_t slot)
{
	struct rows at;

	if (cuda(b)->failed)
		return;
	at = stage_rows(b, rows, p->v.n);
	if (!cuda(b)->failed)
		cuda_check(b, launch_cross_entropy(p->v.f, p->v.n, p->v.c, labels->f, at,
			dp ? dp->v.f : NULL, losses->f + slot, hits->f + slot),
			"the loss");
}

static void cuda_update(struct kf_backend *b, const struct kf_update *u,
	struct kf_mem *weights, const struct kf_mem *grads, struct kf_mem *state1,
	struct kf_mem *state2, size_t n)
{
	if (!cuda(b)->failed)
		cuda_check(b, launch_update(u, weights->f, grads->f,
			state1 ? state1->f : NULL, state2 ? state2->f : NULL, n),
			"the update");
}

/* -- opening and closing ----------------------------------------------------------- */

static void cuda_close(struct kf_backend *b)
{
	struct cuda *c = cuda(b);

	if (c->blas)
		cublasDestroy(c->blas);
	cudaFreeHost(c->staging.host);
	cudaFree(c->staging.device);
	cudaFree(c->workspace);
	cudaFree(c->sums);
	free(b);
}

static const struct kf_backend_ops operations = {
	.close = cuda_close,
	.sync = cuda_sync,
	.alloc = cuda_alloc,
	.adopt = cuda_adopt,
	.free = cuda_free,
	.write = cuda_write,
	.read = cuda_read,
	.copy = cuda_copy,
	.write_param = cuda_write_param,
	.read_param = cuda_read_param,
	.plan = cuda_plan,
	.free_plan = cuda_free_plan,
	.act = cuda_act,
	.free_act = cuda_free_act,
	.input = cuda_input,
	.take = cuda_take,
	.write_act = cuda_write_act,
	.read_act = cuda_read_act,
	.forward = cuda_forward,
	.backward = cuda_backward,
	.squared_error = cuda_squared_error,
	.cross_entropy = cuda_cross_entropy,
	.update = cuda_update,
};

/* Floats of columns that a convolution may make at a time. */
static size_t find_columns_max(void)
{
	const char *mib = getenv("KFKD_CUDA_WORKSPACE");
	double want = mib ? strtod(mib, NULL) : 0;
	double floats = (want > 0 ? want : 64) * 0x1p20 / sizeof(float);

	return floats < VALUES_MAX ? (size_t)floats : VALUES_MAX;
}

/* Is there a driver that will do, and a device? */
static int find_device(struct kf_err *err)
{
	int driver = 0, devices = 0;
	cudaError_t status = cudaDriverGetVersion(&driver);

	if (status == cudaSuccess && driver == 0)
		return kf_fail(err, "there is no NVIDIA driver");
	if (status == cudaSuccess)
		status = cudaGetDeviceCount(&devices);
	if (status == cudaErrorInsufficientDriver)
		return kf_fail(err, "the NVIDIA driver is made for CUDA %d.%d, this "
			"backend for %d.%d: update the driver", driver / 1000,
			driver % 1000 / 10, CUDART_VERSION / 1000,
			CUDART_VERSION % 1000 / 10);
	if (status == cudaErrorNoDevice || (status == cudaSuccess && devices == 0))
		return kf_fail(err, "there is no device%s", getenv("CUDA_VISIBLE_DEVICES") ?
			" among those of CUDA_VISIBLE_DEVICES" : "");
	if (status != cudaSuccess)
		return kf_fail(err, "no device can be used: %s", cudaGetErrorString(status));
	return 0;
}

/* Does it run our kernels, which are built for some GPUs only? */
static int start_device(struct cudaDeviceProp *device, struct kf_err *err)
{
	int number = 0;
	cudaError_t status = cudaGetDevice(&number);

	if (status == cudaSuccess)
		status = cudaGetDeviceProperties(device, number);
	if (status != cudaSuccess)
		return kf_fail(err, "the device does not start: %s",
			cudaGetErrorString(status));
	status = launch_nothing();
	if (status != cudaSuccess)
		return kf_fail(err, "%.64s, of compute capability %d.%d, does not start: %s",
			device->name, device->major, device->minor,
			cudaGetErrorString(status));
	return 0;
}

static int start_blas(struct cuda *c, bool tf32, struct kf_err *err)
{
	cublasStatus_t status = cublasCreate(&c->blas);

	if (status == CUBLAS_STATUS_SUCCESS)
		status = cublasSetMathMode(c->blas, tf32 ? CUBLAS_TF32_TENSOR_OP_MATH :
			CUBLAS_DEFAULT_MATH);
	if (status != CUBLAS_STATUS_SUCCESS)
		return kf_fail(err, "cuBLAS does not start: %s",
			cublasGetStatusString(status));
	return 0;
}

static struct kf_backend *cuda_open(const struct kf_backend_options *options,
	struct kf_err *err)
{
	struct cudaDeviceProp device;
	struct cuda *c;

	if (find_device(err) < 0 || start_device(&device, err) < 0)
		return NULL;
	c = calloc(1, sizeof *c);
	if (!c) {
		kf_fail(err, "out of memory");
		return NULL;
	}
	c->base.op = &operations;
	c->columns_max = find_columns_max();
	if (start_blas(c, options->tf32, err) < 0) {
		cuda_close(&c->base);
		return NULL;
	}
	snprintf(c->base.device, sizeof c->base.device, "cuda (%.64s, %.0f MiB%s)",
		device.name, (double)device.totalGlobalMem / 0x1p20,
		options->tf32 ? ", TF32" : "");
	return &c->base;
}

__attribute__((visibility("default")))
const struct kf_plugin kf_plugin = { KF_PLUGIN_ABI, cuda_open };
