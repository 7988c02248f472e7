/*
 * Ranks: processes, on one machine or on several, that train one net together.  What
 * joins them is an engine, a plugin comm_<name>.so.
 *
 * All ranks call the same operations in the same order; what one rank calls waits for the
 * others, and all of them get the same bytes.
 */
#ifndef KF_COMM_H
#define KF_COMM_H

#include <stddef.h>

#include "base/err.h"

struct kf_comm {
	const struct kf_comm_ops *op;
	int rank, size;   /* from 0 to size - 1 */
	int local;        /* ranks on this machine */
	int local_rank;   /* this one's number among them, from 0 */
	char engine[128]; /* for the log: "mpi (Open MPI 4.1.4), 4 ranks" */
};

struct kf_comm_ops {
	/* The element-wise sums over all ranks, in place; 0, or -1. */
	int (*sum)(struct kf_comm *c, float *v, size_t n, struct kf_err *err);
	int (*sum_doubles)(struct kf_comm *c, double *v, size_t n, struct kf_err *err);
	/* The same, but it may go on in the background until `finish`, which waits for all
	 * that was begun.  Until then v is the engine's. */
	int (*begin_sum)(struct kf_comm *c, float *v, size_t n, struct kf_err *err);
	int (*finish)(struct kf_comm *c, struct kf_err *err);
	/* Both NULL, or for numbers on a GPU: sum them after what is in the stream so far (a
	 * cudaStream_t of the current device) and before what comes next in it, without
	 * waiting for that. */
	int (*sum_on_device)(struct kf_comm *c, float *v, size_t n, void *stream,
		struct kf_err *err);
	int (*sum_doubles_on_device)(struct kf_comm *c, double *v, size_t n,
		void *stream, struct kf_err *err);
	/* v becomes what rank 0 has. */
	int (*broadcast)(struct kf_comm *c, void *v, size_t bytes, struct kf_err *err);
	/* Ends all ranks, with status 1; does not return unless that fails. */
	void (*abort)(struct kf_comm *c);
	/* Waits for the others and leaves them. */
	void (*close)(struct kf_comm *c);
};

/* Every engine exports one as kf_comm_plugin.  open returns NULL on failure. */
#define KF_COMM_ABI 1

struct kf_comm_plugin {
	int abi;
	struct kf_comm *(*open)(struct kf_err *);
};

/* The i-th engine's name; NULL after the last. */
const char *kf_comm_name(int i);

/*
 * Joins the ranks that this process was started with.  "none" joins nothing; "auto"
 * stands for what KFKD_COMM names, else for mpi where mpirun or something like it has
 * started several processes, and else for none.  Sets c, to NULL where there is just this
 * process.  -1 on failure, with a message that says what is missing.
 */
int kf_comm_open(const char *name, struct kf_comm **c, struct kf_err *err);

#endif
