/* Sums over ranks. */
#include "ranks.h"

#include "memory.h"

static void check(struct kf_backend *b, int rc, const struct kf_err *err)
{
	if (rc < 0)
		cuda_fail(b, "%s", err->msg);
}

/* -- on the device: gradients in a stream beside the backward pass ---------------------- */

static void sum_beside(struct kf_backend *b, struct kf_comm *comm, float *v, size_t n)
{
	struct exchange *x = &cuda(b)->exchange;
	struct kf_err err;

	cuda_make_stream(b, &x->stream);
	cuda_make_event(b, &x->begun);
	cuda_make_event(b, &x->done);
	cuda_order(b, 0, x->begun, x->stream);
	if (cuda(b)->failed)
		return;
	x->open = true;
	check(b, comm->op->sum_on_device(comm, v, n, x->stream, &err), &err);
}

void cuda_finish_sums(struct kf_backend *b, struct kf_comm *comm)
{
	struct exchange *x = &cuda(b)->exchange;

	(void)comm;
	if (x->open)
		cuda_order(b, x->stream, x->done, 0);
	x->open = false;
}

void cuda_close_exchange(struct exchange *x)
{
	if (x->stream)
		cudaStreamDestroy(x->stream);
	if (x->begun)
		cudaEventDestroy(x->begun);
	if (x->done)
		cudaEventDestroy(x->done);
	cudaFreeHost(x->host);
}

/* -- on the host ------------------------------------------------------------------------ */

/* A copy in pinned memory of what is on the device; NULL on failure. */
static void *fetch(struct kf_backend *b, const void *v, size_t bytes)
{
	struct exchange *x = &cuda(b)->exchange;

	cuda_grow_pinned(b, &x->host, &x->host_bytes, bytes);
	if (!cuda(b)->failed)
		cuda_check(b, cudaMemcpy(x->host, v, bytes, cudaMemcpyDeviceToHost),
			"copying from the device");
	return cuda(b)->failed ? NULL : x->host;
}

static void put_back(struct kf_backend *b, void *v, size_t bytes)
{
	if (!cuda(b)->failed)
		cuda_check(b,
			cudaMemcpy(v, cuda(b)->exchange.host, bytes,
				cudaMemcpyHostToDevice),
			"copying to the device");
}

/* -- either ----------------------------------------------------------------------------- */

void cuda_sum(struct kf_backend *b, struct kf_comm *comm, struct kf_mem *grads,
	size_t offset, size_t n)
{
	float *v = grads->f + offset, *host;
	struct kf_err err;

	if (cuda(b)->failed)
		return;
	if (comm->op->sum_on_device) {
		sum_beside(b, comm, v, n);
	} else if ((host = fetch(b, v, n * sizeof *v))) {
		check(b, comm->op->sum(comm, host, n, &err), &err);
		put_back(b, v, n * sizeof *v);
	}
}

void cuda_sum_doubles(struct kf_backend *b, const struct kf_share *s, double *v,
	size_t n)
{
	const struct kf_comm_ops *op = s->comm->op;
	struct kf_err err;
	double *host;

	if (s->idle)
		cuda_check(b, cudaMemsetAsync(v, 0, n * sizeof *v, 0),
			"clearing memory");
	if (cuda(b)->failed)
		return;
	if (op->sum_doubles_on_device) {
		check(b, op->sum_doubles_on_device(s->comm, v, n, NULL, &err), &err);
	} else if ((host = fetch(b, v, n * sizeof *v))) {
		check(b, op->sum_doubles(s->comm, host, n, &err), &err);
		put_back(b, v, n * sizeof *v);
	}
}
