/* Prints at how many GB/s a backend copies its memory: read and written. */
#define _GNU_SOURCE
#include <stdio.h>

#include "net/backend.h"
#include "base/clock.h"

int main(void)
{
	enum { TIMES = 20 };
	size_t n = (size_t)1 << 26; /* 256 MiB: more than any cache */
	double best = 0, start;
	struct kf_err err;
	struct kf_backend *b = kf_backend_open("auto", NULL, &err);
	struct kf_mem *from, *to;

	if (!b)
		return fprintf(stderr, "%s\n", err.msg), 1;
	from = b->op->alloc(b, n);
	to = b->op->alloc(b, n);
	for (int i = 0; i < TIMES && b->op->sync(b, &err) == 0; i++) {
		start = kf_seconds();
		b->op->copy(b, to, from, n);
		b->op->sync(b, &err);
		start = 2e-9 * (double)(n * sizeof(float)) / (kf_seconds() - start);
		best = start > best ? start : best;
	}
	if (b->op->sync(b, &err) < 0)
		return fprintf(stderr, "%s\n", err.msg), 1;
	printf("%.1f\n", best);
	b->op->free(b, from);
	b->op->free(b, to);
	b->op->close(b);
	return 0;
}
