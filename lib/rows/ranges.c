/* Lists of whole numbers and ranges of them. */
#include "rows/ranges.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A number of digits alone; returns where it ends, or NULL where there is none. */
static const char *parse(const char *text, int64_t *number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return NULL;
	errno = 0;
	*number = strtoll(text, &end, 10);
	return errno ? NULL : end;
}

/* One item of a list; returns where it ends, or NULL where it is none. */
static const char *parse_range(const char *text, int64_t min, struct kf_range *range)
{
	const char *at = parse(text, &range->first);

	if (at && *at != '-') {
		range->last = range->first;
	} else if (at) {
		const char *end = parse(at + 1, &range->last);

		if (!end)
			range->last = INT64_MAX;
		at = end ? end : at + 1;
	} else if (*text == '-') {
		range->first = min;
		at = parse(text + 1, &range->last);
	}
	if (!at || (*at && *at != ',') || range->first < min ||
		range->last < range->first)
		return NULL;
	return at;
}

static int compare(const void *a, const void *b)
{
	const struct kf_range *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/* Sorts them and joins those that touch. */
static void tidy(struct kf_ranges *r)
{
	size_t kept = 0;

	qsort(r->range, r->n, sizeof *r->range, compare);
	for (size_t i = 1; i < r->n; i++) {
		struct kf_range *last = &r->range[kept], next = r->range[i];

		if (next.first > last->last && next.first - last->last > 1)
			r->range[++kept] = next;
		else if (next.last > last->last)
			last->last = next.last;
	}
	r->n = kept + 1;
}

int kf_ranges_add(struct kf_ranges *r, const char *text, int64_t min,
	struct kf_err *err)
{
	size_t n = 1;
	struct kf_range *more;

	for (const char *c = text; *c; c++)
		n += *c == ',';
	more = realloc(r->range, (r->n + n) * sizeof *more);
	if (!more)
		return kf_fail_memory(err);
	r->range = more;
	for (size_t i = 0; i < n; i++) {
		const char *end = parse_range(text, min, &more[r->n + i]);

		if (!end)
			return kf_fail(err,
				"'%.40s' is not a number from %lld on, or a range "
				"such as 10-20",
				text, (long long)min);
		text = end + 1;
	}
	r->n += n;
	tidy(r);
	return 0;
}

/* Where a number is: before, in or behind a range. */
static int beside(const void *a, const void *b)
{
	const int64_t *number = a;
	const struct kf_range *range = b;

	return (*number > range->last) - (*number < range->first);
}

bool kf_ranges_hold(const struct kf_ranges *r, int64_t number)
{
	return r->n && bsearch(&number, r->range, r->n, sizeof *r->range, beside);
}

void kf_ranges_free(struct kf_ranges *r)
{
	free(r->range);
	*r = (struct kf_ranges){ 0 };
}
