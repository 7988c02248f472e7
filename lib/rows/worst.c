/* The rows with the largest errors. */
#include "rows/worst.h"

#include <stdlib.h>
#include <string.h>

#define BYTES_MAX ((size_t)24 << 20) /* beside the stream's own chunk */

static size_t row_bytes(const struct kf_schema *s)
{
	size_t columns = (size_t)s->columns.n + (size_t)s->p_columns.n;

	return kf_image_bytes(s) + columns * sizeof(float) + 2 * sizeof(int64_t) +
		sizeof(struct kf_worst_row);
}

int kf_worst_init(struct kf_worst *w, const struct kf_schema *schema, int max,
	struct kf_err *err)
{
	size_t bound = BYTES_MAX / row_bytes(schema);

	*w = (struct kf_worst){ .max = max };
	if (bound < 1)
		bound = 1; /* the stream's own chunk is just as large then */
	if ((size_t)max > bound)
		return kf_fail(err,
			"%d rows are too many to keep: of images of "
			"%d x %d x %d, at most %zu",
			max, schema->c, schema->h, schema->w, bound);
	w->row = malloc((size_t)max * sizeof *w->row);
	if (w->row && kf_schema_copy(&w->schema, schema, err) == 0 &&
		kf_chunk_reserve(&w->chunk, schema, (size_t)max, err) == 0)
		return 0;
	kf_worst_free(w);
	return kf_fail(err, "out of memory for %d rows", max);
}

void kf_worst_add(struct kf_worst *w, const struct kf_chunk *c, size_t row,
	double error)
{
	size_t at = (size_t)w->n;
	int i;

	if (w->n == w->max) {
		if (!(error > w->row[w->n - 1].error))
			return;
		at = w->row[--w->n].at;
	}
	for (i = w->n++; i > 0 && w->row[i - 1].error < error; i--)
		w->row[i] = w->row[i - 1];
	w->row[i] = (struct kf_worst_row){ error, at };
	kf_chunk_copy_row(&w->chunk, at, c, row, &w->schema);
	w->chunk.n = (size_t)w->n;
}

void kf_worst_free(struct kf_worst *w)
{
	kf_schema_free(&w->schema);
	kf_chunk_free(&w->chunk);
	free(w->row);
	*w = (struct kf_worst){ 0 };
}
