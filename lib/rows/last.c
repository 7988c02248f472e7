/* The last rows of a stream. */
#include "rows/last.h"

void kf_last_init(struct kf_last *l, uint64_t max)
{
	*l = (struct kf_last){ .max = max };
}

/* Makes room for more rows: at least twice as much as there was, but not beyond max. */
static int grow(struct kf_last *l, size_t more, const struct kf_schema *s,
	struct kf_err *err)
{
	uint64_t need = l->rows.n + more, twice = 2 * (uint64_t)l->rows.room;

	if (need < twice)
		need = twice;
	if (need > l->max)
		need = l->max;
	return kf_chunk_reserve(&l->rows, s, (size_t)need, err);
}

/* The oldest row goes to place `to` of c, and row i of c is kept instead. */
static void exchange(struct kf_last *l, struct kf_chunk *c, size_t to, size_t i,
	const struct kf_schema *s)
{
	struct kf_chunk *from = c;
	size_t at = i;

	if (to == i) { /* where the row itself still is */
		kf_chunk_copy_row(&l->spare, 0, c, i, s);
		from = &l->spare;
		at = 0;
	}
	kf_chunk_copy_row(c, to, &l->rows, l->first, s);
	kf_chunk_copy_row(&l->rows, l->first, from, at, s);
	if (++l->first == l->rows.n)
		l->first = 0;
}

int kf_last_pass(struct kf_last *l, struct kf_chunk *c, const struct kf_schema *s,
	struct kf_err *err)
{
	size_t passed = 0;

	if (l->max == 0)
		return 0;
	if (kf_chunk_reserve(&l->spare, s, 1, err) < 0 ||
		(l->rows.n < l->max && grow(l, c->n, s, err) < 0))
		return -1;
	for (size_t i = 0; i < c->n; i++)
		if (l->rows.n < l->max)
			kf_chunk_copy_row(&l->rows, l->rows.n++, c, i, s);
		else
			exchange(l, c, passed++, i, s);
	c->n = passed;
	return 0;
}

int kf_last_take(struct kf_last *l, struct kf_chunk *to, const struct kf_schema *s,
	struct kf_err *err)
{
	size_t left = l->rows.n - l->taken, n = kf_chunk_rows(s);

	if (n > left)
		n = left;
	if (n == 0)
		return 0;
	if (kf_chunk_reserve(to, s, n, err) < 0)
		return -1;
	to->n = n;
	for (size_t i = 0; i < n; i++)
		kf_chunk_copy_row(to, i, &l->rows, (l->first + l->taken++) % l->rows.n,
			s);
	return 1;
}

void kf_last_free(struct kf_last *l)
{
	kf_chunk_free(&l->rows);
	kf_chunk_free(&l->spare);
}
