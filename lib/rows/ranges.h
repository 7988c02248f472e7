/* Lists of whole numbers and ranges of them, such as "3,7,10-20". */
#ifndef KF_RANGES_H
#define KF_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct kf_range {
	int64_t first, last;
};

/* In order, none touching another.  All zeros holds nothing; free it with
 * kf_ranges_free. */
struct kf_ranges {
	size_t n;
	struct kf_range *range; /* (n) */
};

/*
 * Adds the numbers of a list: N, N-M, N- for all from N on, -M for all up to M, with
 * commas between.  None is less than min.  0, or -1 for other text and when out of
 * memory, with r as it was.
 */
int kf_ranges_add(struct kf_ranges *r, const char *text, int64_t min,
	struct kf_err *err);
bool kf_ranges_hold(const struct kf_ranges *r, int64_t number);
void kf_ranges_free(struct kf_ranges *r);

#endif
