/* Count, minimum, maximum and mean of what a stream holds. */
#ifndef KF_STATS_H
#define KF_STATS_H

#include "stream/schema.h"

/* Of the values that are not NaN; sums are exact for bytes. */
struct kf_stat {
	uint64_t n;
	double min, max, sum; /* NaN, NaN, 0 without a value */
};

struct kf_stats {
	uint64_t rows;
	struct kf_stat X, y, p, label, map;
	struct kf_stat *column;   /* (columns of y) */
	struct kf_stat *p_column; /* (columns of p) */
};

int kf_stats_init(struct kf_stats *s, const struct kf_schema *schema,
	struct kf_err *err);
void kf_stats_add(struct kf_stats *s, const struct kf_schema *schema,
	const struct kf_chunk *c);
double kf_stat_mean(const struct kf_stat *s); /* NaN without a value */
void kf_stats_free(struct kf_stats *s);

#endif
