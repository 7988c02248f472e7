/*
 * The CUDA backend's table of operations, and how it is opened.  All work goes to the
 * default stream in order, and the host runs ahead of it until it reads something
 * back.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "batch.h"
#include "learn.h"
#include "memory.h"
#include "ranks.h"
#include "show.h"

static int cuda_failure(struct kf_backend *b, struct kf_err *err)
{
	if (!cuda(b)->failed)
		return 0;
	*err = cuda(b)->first;
	return -1;
}

static int cuda_sync(struct kf_backend *b, struct kf_err *err)
{
	cuda_check(b, cudaStreamSynchronize(0), "work on the device");
	return cuda_failure(b, err);
}

/* -- layers ---------------------------------------------------------------------- */

static const struct cuda_layer *const layers[KF_LAYER_KIND_COUNT] = {
#define ROW(NAME, word, ...) [KF_##NAME] = &cuda_##word,
	KF_LAYER_KINDS(ROW)
#undef ROW
};

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
	plan->mean = layer->mean < 0 ? NULL : &params[layer->mean];
	plan->variance = layer->variance < 0 ? NULL : &params[layer->variance];
	plan->n = n;
	plan->ops = layers[layer->kind];
	if (plan->ops->make)
		plan->ops->make(b, plan);
	return plan;
}

static void cuda_free_plan(struct kf_backend *b, struct kf_plan *plan)
{
	cuda_check(b, cudaFree(plan->own), "freeing memory");
	free(plan);
}

static void cuda_forward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	const struct kf_flow *f)
{
	if (!cuda(b)->failed)
		plan->ops->forward(b, plan, pass, weights, f);
}

/* Whether a gradient has memory: that of a net's input gets it when it is first set. */
static bool has_memory(struct kf_backend *b, struct kf_act *gradient)
{
	return !gradient || gradient->v.f || cuda_own(b, gradient);
}

static void cuda_backward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights, struct kf_mem *grads,
	const struct kf_flow *f)
{
	if (!cuda(b)->failed && has_memory(b, f->dx) && has_memory(b, f->d_other))
		plan->ops->backward(b, plan, pass, weights, grads, f);
}

/* -- opening and closing ----------------------------------------------------------- */

static void cuda_close(struct kf_backend *b)
{
	struct cuda *c = cuda(b);

	if (c->blas)
		cublasDestroy(c->blas);
	cuda_close_exchange(&c->exchange);
	if (c->copies)
		cudaStreamDestroy(c->copies);
	cudaFreeHost(c->staging.host);
	cudaFree(c->staging.device);
	cudaFree(c->workspace);
	cudaFree(c->sums);
	free(b);
}

static const struct kf_backend_ops operations = {
	.close = cuda_close,
	.sync = cuda_sync,
	.check = cuda_failure,
	.alloc = cuda_alloc,
	.adopt = cuda_adopt,
	.show = cuda_show,
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
	.regression = cuda_regression,
	.cross_entropy = cuda_cross_entropy,
	.update = cuda_update,
	.sum = cuda_sum,
	.finish_sums = cuda_finish_sums,
	.average = cuda_average,
};

/* How many floats of columns a convolution may unfold at a time. */
static size_t find_columns_max(void)
{
	const char *mib = getenv("KFKD_CUDA_WORKSPACE");
	double want = mib ? strtod(mib, NULL) : 0;
	double floats = (want > 0 ? want : 64) * 0x1p20 / sizeof(float);

	return floats < INT_MAX ? (size_t)floats : INT_MAX; /* cuBLAS counts in int */
}

/* Is there a suitable driver, and how many devices? */
static int count_devices(int *devices, struct kf_err *err)
{
	int driver = 0;
	cudaError_t status = cudaDriverGetVersion(&driver);

	if (status == cudaSuccess && driver == 0)
		return kf_fail(err, "there is no NVIDIA driver");
	if (status == cudaSuccess)
		status = cudaGetDeviceCount(devices);
	if (status == cudaErrorInsufficientDriver)
		return kf_fail(err,
			"the NVIDIA driver is made for CUDA %d.%d, this "
			"backend for %d.%d: update the driver",
			driver / 1000, driver % 1000 / 10, CUDART_VERSION / 1000,
			CUDART_VERSION % 1000 / 10);
	if (status == cudaErrorNoDevice || (status == cudaSuccess && *devices == 0))
		return kf_fail(err, "there is no device%s",
			getenv("CUDA_VISIBLE_DEVICES") ?
				" among those of CUDA_VISIBLE_DEVICES" :
				"");
	if (status != cudaSuccess)
		return kf_fail(err, "no device can be used: %s",
			cudaGetErrorString(status));
	return 0;
}

/* Does the device run our kernels, which are built only for some GPUs?  From now on it is this
 * thread's. */
static int start_device(struct cudaDeviceProp *device, int number, struct kf_err *err)
{
	cudaError_t status = cudaSetDevice(number);

	if (status == cudaSuccess)
		status = cudaGetDeviceProperties(device, number);
	if (status != cudaSuccess)
		return kf_fail(err, "the device does not start: %s",
			cudaGetErrorString(status));
	status = launch_nothing();
	if (status != cudaSuccess)
		return kf_fail(err,
			"%.64s, of compute capability %d.%d, does not start: %s",
			device->name, device->major, device->minor,
			cudaGetErrorString(status));
	return 0;
}

/* Has it the instructions that the options ask for?  Without those for TF32, cuBLAS
 * does not round. */
static int check_device(const struct cudaDeviceProp *device,
	const struct kf_backend_options *options, struct kf_err *err)
{
	if (options->bf16 && device->major < 8)
		return kf_fail(err,
			"%.64s, of compute capability %d.%d, has no bf16 instructions "
			"(8.0 and later have)",
			device->name, device->major, device->minor);
	return 0;
}

static int start_blas(struct cuda *c, const struct kf_backend_options *options,
	struct kf_err *err)
{
	cublasStatus_t status = cublasCreate(&c->blas);

	c->compute = options->bf16 ? CUBLAS_COMPUTE_32F_FAST_16BF :
		options->tf32      ? CUBLAS_COMPUTE_32F_FAST_TF32 :
				     CUBLAS_COMPUTE_32F;
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
	int devices = 0;

	if (count_devices(&devices, err) < 0 ||
		start_device(&device, options->device % devices, err) < 0 ||
		check_device(&device, options, err) < 0)
		return NULL;
	c = calloc(1, sizeof *c);
	if (!c) {
		kf_fail_memory(err);
		return NULL;
	}
	c->base.op = &operations;
	c->columns_max = find_columns_max();
	if (start_blas(c, options, err) < 0) {
		cuda_close(&c->base);
		return NULL;
	}
	snprintf(c->base.device, sizeof c->base.device, "cuda (%.64s, %.0f MiB%s)",
		device.name, (double)device.totalGlobalMem / 0x1p20,
		options->bf16         ? ", bf16" :
			options->tf32 ? ", TF32" :
					"");
	return &c->base;
}

__attribute__((visibility("default")))
const struct kf_plugin kf_plugin = { KF_PLUGIN_ABI, cuda_open };
