/*
 * How a pass over rows is cut into batches, and batches into slices, one for each rank.
 *
 * Either all ranks have the same rows in the same order; then a batch is the next rows of
 * that, and rank r of R has its rows from all r / R to all (r + 1) / R.  Or each rank has a
 * shard, rows of its own; then a batch is the next B (r + 1) / R - B r / R rows of each,
 * as long as they last.
 */
#ifndef KF_SLICES_H
#define KF_SLICES_H

#include <stdbool.h>
#include <stddef.h>

#include "net/comm.h"

struct kf_slices {
	int rank, size; /* 0 and 1 for a process alone */
	int batch;      /* B */
	size_t rows;    /* on all ranks together */
	size_t *shard;  /* (size) rows of each, or NULL where all have the same */
};

/* This rank's part of a batch, which may be empty. */
struct kf_slice {
	size_t at; /* of its rows in this rank's order */
	int n;     /* how many these are */
	int first; /* where they begin in the batch */
	int all;   /* rows of the batch */
};

/*
 * Slices of n rows, which are this rank's own if `shards`; comm may be NULL.  The ranks
 * call it together.  -1 on failure; kf_slices_close it in any case.
 */
int kf_slices_open(struct kf_slices *s, struct kf_comm *comm, bool shards, int batch,
	size_t n, struct kf_err *err);
void kf_slices_close(struct kf_slices *s);

size_t kf_slices_batches(const struct kf_slices *s);
struct kf_slice kf_slice_of(const struct kf_slices *s, size_t batch);

/* How far a pass is after so many batches, as checkpoints count it: in rows. */
size_t kf_slices_position(const struct kf_slices *s, size_t batches);

#endif
