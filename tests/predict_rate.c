/*
 * Prints the seconds that prediction takes with everything in memory: MODEL on the
 * rows of the stream FILE, the second time, on this many threads.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "train/predict.h"
#include "stream/reader.h"

#define CHUNKS_MAX 64

static void check(bool good, const char *message)
{
	if (good)
		return;
	fprintf(stderr, "%s\n", message);
	exit(1);
}

/* All rows, each chunk by a reader's own memory. */
static int read_all(struct kf_reader *r, struct kf_chunk *chunk)
{
	const struct kf_schema *s = kf_reader_schema(r);
	struct kf_chunk *next;
	struct kf_err err = { .msg = "" };
	int n = 0, rc;

	while ((rc = kf_reader_next(r, &next, &err)) > 0) {
		check(n < CHUNKS_MAX, "too many rows");
		check(kf_chunk_reserve(&chunk[n], s, next->n, &err) == 0, err.msg);
		chunk[n].n = next->n;
		for (size_t i = 0; i < next->n; i++)
			kf_chunk_copy_row(&chunk[n], i, next, i, s);
		n++;
	}
	check(rc == 0, err.msg);
	return n;
}

int main(int argc, char **argv)
{
	struct kf_chunk chunk[CHUNKS_MAX] = { 0 }, found;
	struct kf_backend_options options = { 0 };
	struct kf_model model;
	struct kf_schema schema;
	struct kf_reader *r;
	struct kf_backend *b;
	struct kf_predictor *p;
	struct kf_err err = { .msg = "" };
	double start = 0;
	int n;

	check(argc == 4, "usage: predict_rate MODEL FILE THREADS");
	options.threads = atoi(argv[3]);
	check(kf_model_read(&model, open(argv[1], O_RDONLY), argv[1], NULL, &err) == 0,
		err.msg);
	check((r = kf_reader_open(open(argv[2], O_RDONLY), argv[2], false, &err)) !=
			NULL,
		err.msg);
	n = read_all(r, chunk);
	check((b = kf_backend_open("auto", &options, &err)) != NULL, err.msg);
	check((p = kf_predictor_open(b, &model, 1, kf_reader_schema(r), &schema,
		       &err)) != NULL,
		err.msg);
	for (int again = 0; again < 2; again++) {
		start = kf_seconds();
		for (int i = 0; i < n; i++)
			check(kf_predictor_run(p, &chunk[i], &found, &err) == 0,
				err.msg);
	}
	printf("%.6f\n", kf_seconds() - start);
	return 0;
}
