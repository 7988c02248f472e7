/*
 * The engine that joins ranks with a GPU each by NCCL: it sums what is on the devices, and
 * has MPI do all that is on the host.
 */
#include <nccl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/comm.h"

struct nccl {
	struct kf_comm base;  /* first: the handle is this */
	struct kf_comm *host; /* by MPI */
	ncclComm_t devices; /* NULL before the first sum, as the device is not known */
};

static struct nccl *nccl(struct kf_comm *c)
{
	return (struct nccl *)c;
}

/* 0, or -1 with what NCCL says. */
static int check(const struct nccl *n, ncclResult_t rc, const char *what,
	struct kf_err *err)
{
	const char *more;

	if (rc == ncclSuccess)
		return 0;
	more = ncclGetLastError(n->devices);
	return kf_fail(err, "NCCL: %s failed: %s%s%.250s", what, ncclGetErrorString(rc),
		more && *more ? ": " : "", more ? more : "");
}

/* -- on the device ---------------------------------------------------------------- */

/* Joins the devices that the ranks have chosen by now.  All ranks get to know if the first
 * one cannot begin. */
static int join(struct nccl *n, struct kf_err *err)
{
	struct {
		ncclUniqueId id;
		ncclResult_t rc;
	} first = { .rc = ncclSuccess };

	if (n->devices)
		return 0;
	if (n->base.rank == 0)
		first.rc = ncclGetUniqueId(&first.id);
	if (n->host->op->broadcast(n->host, &first, sizeof first, err) < 0 ||
		check(n, first.rc, "the first rank's start", err) < 0)
		return -1;
	return check(n,
		ncclCommInitRank(&n->devices, n->base.size, first.id, n->base.rank),
		"joining the GPUs", err);
}

static int sum(struct kf_comm *c, void *v, size_t n, ncclDataType_t type, void *stream,
	struct kf_err *err)
{
	if (join(nccl(c), err) < 0)
		return -1;
	return check(nccl(c),
		ncclAllReduce(v, v, n, type, ncclSum, nccl(c)->devices, stream),
		"summing", err);
}

static int sum_on_device(struct kf_comm *c, float *v, size_t n, void *stream,
	struct kf_err *err)
{
	return sum(c, v, n, ncclFloat, stream, err);
}

static int sum_doubles_on_device(struct kf_comm *c, double *v, size_t n, void *stream,
	struct kf_err *err)
{
	return sum(c, v, n, ncclDouble, stream, err);
}

/* -- on the host -------------------------------------------------------------------- */

static int sum_floats(struct kf_comm *c, float *v, size_t n, struct kf_err *err)
{
	struct kf_comm *host = nccl(c)->host;

	return host->op->sum(host, v, n, err);
}

static int sum_doubles(struct kf_comm *c, double *v, size_t n, struct kf_err *err)
{
	struct kf_comm *host = nccl(c)->host;

	return host->op->sum_doubles(host, v, n, err);
}

static int begin_sum(struct kf_comm *c, float *v, size_t n, struct kf_err *err)
{
	struct kf_comm *host = nccl(c)->host;

	return host->op->begin_sum(host, v, n, err);
}

static int finish(struct kf_comm *c, struct kf_err *err)
{
	struct kf_comm *host = nccl(c)->host;

	return host->op->finish(host, err);
}

static int broadcast(struct kf_comm *c, void *v, size_t bytes, struct kf_err *err)
{
	struct kf_comm *host = nccl(c)->host;

	return host->op->broadcast(host, v, bytes, err);
}

static void end_all(struct kf_comm *c)
{
	struct kf_comm *host = nccl(c)->host;

	host->op->abort(host);
}

/* -- opening and closing -------------------------------------------------------------- */

static void leave(struct kf_comm *c)
{
	struct nccl *n = nccl(c);

	if (n->devices)
		ncclCommDestroy(n->devices);
	n->host->op->close(n->host);
	free(n);
}

static const struct kf_comm_ops operations = {
	.sum = sum_floats,
	.sum_doubles = sum_doubles,
	.begin_sum = begin_sum,
	.finish = finish,
	.sum_on_device = sum_on_device,
	.sum_doubles_on_device = sum_doubles_on_device,
	.broadcast = broadcast,
	.abort = end_all,
	.close = leave,
};

static void describe(struct nccl *n)
{
	int version = 0;

	ncclGetVersion(&version);
	snprintf(n->base.engine, sizeof n->base.engine, "nccl %d.%d.%d over %.100s",
		version / 10000, version / 100 % 100, version % 100, n->host->engine);
}

static struct kf_comm *nccl_open(struct kf_err *err)
{
	struct nccl *n = calloc(1, sizeof *n);

	if (!n) {
		kf_fail_memory(err);
		return NULL;
	}
	if (kf_comm_open("mpi", &n->host, err) < 0) {
		free(n);
		return NULL;
	}
	n->base = *n->host;
	n->base.op = &operations;
	describe(n);
	return &n->base;
}

__attribute__((visibility("default")))
const struct kf_comm_plugin kf_comm_plugin = { KF_COMM_ABI, nccl_open };
