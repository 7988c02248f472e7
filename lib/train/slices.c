/* Batches and slices. */
#include "train/slices.h"

#include <stdint.h>
#include <stdlib.h>

/* Where rank r's part of n rows begins. */
static size_t part(const struct kf_slices *s, size_t n, int r)
{
	return (size_t)((uint64_t)n * (uint64_t)r / (uint64_t)s->size);
}

/* Rows of a shard in each batch. */
static size_t shard_batch(const struct kf_slices *s, int r)
{
	size_t batch = (size_t)s->batch;

	return part(s, batch, r + 1) - part(s, batch, r);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Exchanges how many rows each rank has. */
static int open_shards(struct kf_slices *s, struct kf_comm *comm, size_t n,
	struct kf_err *err)
{
	double *counts = calloc((size_t)s->size, sizeof *counts);
	int rc = -1;

	s->shard = calloc((size_t)s->size, sizeof *s->shard);
	if (!counts || !s->shard)
		kf_fail_memory(err);
	else if (s->batch < s->size)
		kf_fail(err,
			"a batch of %d rows has none for some of %d ranks, which "
			"have their own",
			s->batch, s->size);
	else
		rc = 0;
	if (rc == 0) {
		counts[s->rank] = (double)n;
		rc = comm->op->sum_doubles(comm, counts, (size_t)s->size, err);
	}
	s->rows = 0;
	for (int r = 0; rc == 0 && r < s->size; r++) {
		s->shard[r] = (size_t)counts[r];
		s->rows += s->shard[r];
	}
	free(counts);
	return rc;
}

int kf_slices_open(struct kf_slices *s, struct kf_comm *comm, bool shards, int batch,
	size_t n, struct kf_err *err)
{
	*s = (struct kf_slices){ .size = 1, .batch = batch, .rows = n };
	if (!comm)
		return 0;
	s->rank = comm->rank;
	s->size = comm->size;
	return shards ? open_shards(s, comm, n, err) : 0;
}

void kf_slices_close(struct kf_slices *s)
{
	free(s->shard);
	s->shard = NULL;
}

size_t kf_slices_batches(const struct kf_slices *s)
{
	size_t most = 0;

	if (!s->shard)
		return (s->rows + (size_t)s->batch - 1) / (size_t)s->batch;
	for (int r = 0; r < s->size; r++) {
		size_t rows = shard_batch(s, r);
		size_t n = (s->shard[r] + rows - 1) / rows;

		most = n > most ? n : most;
	}
	return most;
}

static struct kf_slice slice_of_shards(const struct kf_slices *s, size_t batch)
{
	struct kf_slice slice = { 0 };

	for (int r = 0; r < s->size; r++) {
		size_t rows = shard_batch(s, r), at = least(batch * rows, s->shard[r]);
		int n = (int)least(rows, s->shard[r] - at);

		if (r < s->rank)
			slice.first += n;
		if (r == s->rank) {
			slice.at = at;
			slice.n = n;
		}
		slice.all += n;
	}
	return slice;
}

struct kf_slice kf_slice_of(const struct kf_slices *s, size_t batch)
{
	size_t begin = batch * (size_t)s->batch, all, first;

	if (s->shard)
		return slice_of_shards(s, batch);
	all = least((size_t)s->batch, s->rows - begin);
	first = part(s, all, s->rank);
	return (struct kf_slice){ .at = begin + first,
		.n = (int)(part(s, all, s->rank + 1) - first),
		.first = (int)first,
		.all = (int)all };
}

size_t kf_slices_position(const struct kf_slices *s, size_t batches)
{
	size_t rows = batches * (size_t)s->batch;

	/* shards may end one after another */
	return s->shard ? rows : least(rows, s->rows);
}
