/* Choosing rows by what they are, and columns by their names. */
#ifndef KF_SELECT_H
#define KF_SELECT_H

#include "rows/ranges.h"
#include "rows/where.h"

/* -- rows ------------------------------------------------------------------------ */

/*
 * What a row must fulfil, all of it.  All zeros chooses every row; free it with
 * kf_select_free.
 */
struct kf_select {
	struct kf_ranges ids, labels; /* without any range: it does not matter */
	struct kf_ranges places;      /* in the stream, counted from 1 */
	bool complete, missing;       /* has all of its targets, or lacks one */
	struct kf_where where;
	bool invert;     /* chooses the others */
	uint64_t passed; /* rows seen so far */
};

/* Starts for a stream; -1 where it lacks what is asked for. */
int kf_select_begin(struct kf_select *s, const struct kf_schema *schema,
	struct kf_err *err);
/* Keeps, in place, the chosen rows of the chunk that comes next. */
int kf_select_rows(struct kf_select *s, const struct kf_schema *schema,
	struct kf_chunk *c, struct kf_err *err);
void kf_select_free(struct kf_select *s);

/* -- columns --------------------------------------------------------------------- */

/* Chosen columns of y and p, in the order of the patterns that match them. */
struct kf_columns {
	struct kf_schema schema; /* of the rows with these alone */
	int y_from, p_from;      /* how many there were */
	int *y, *p;              /* (columns of the schema) which they were */
	float *row;              /* room for one */
};

/*
 * Chooses the columns that match a pattern, of fnmatch(3).  -1 where one matches none.
 * A tensor that is left without columns is left out.
 */
int kf_columns_init(struct kf_columns *c, const struct kf_schema *from,
	const struct kf_names *patterns, struct kf_err *err);
/* Keeps them, in place. */
void kf_columns_keep(struct kf_columns *c, struct kf_chunk *rows);
void kf_columns_free(struct kf_columns *c);

#endif
