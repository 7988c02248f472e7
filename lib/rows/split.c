/* Dividing rows in two by chance. */
#include "rows/split.h"

#include <stdio.h>

#include "base/rng.h"

int kf_split_fold(struct kf_split *s, const char *text, struct kf_err *err)
{
	char tail;

	if (sscanf(text, "%6d/%6d%c", &s->fold, &s->folds, &tail) != 2 || s->fold < 1 ||
		s->fold > s->folds)
		return kf_fail(err, "'%s' is not one of some folds such as 2/5", text);
	return 0;
}

bool kf_split_takes(const struct kf_split *s, uint64_t key)
{
	double u = kf_rng_uniform(s->seed, KF_RNG_SPLIT, 0, 0, key);

	if (s->folds)
		return (int)(u * s->folds) == s->fold - 1;
	return u < s->share;
}

int kf_split_rows(struct kf_chunk *c, const bool *taken, struct kf_chunk *rest,
	const struct kf_schema *schema, struct kf_err *err)
{
	size_t kept = 0;

	if (kf_chunk_reserve(rest, schema, rest->n + c->n, err) < 0)
		return -1;
	for (size_t i = 0; i < c->n; i++)
		if (!taken[i])
			kf_chunk_copy_row(rest, rest->n++, c, i, schema);
		else if (kept++ != i)
			kf_chunk_copy_row(c, kept - 1, c, i, schema);
	c->n = kept;
	return 0;
}
