/*
 * Conditions on a row, such as "rmse>5" or "nose_tip_x=missing".
 *
 * A condition is NAME OP VALUE, with spaces between or none.  OP is <, <=, >, >=, = (or
 * ==) or !=; VALUE is a number or, behind = and !=, "missing".  NAME is one of
 *
 *     rmse      the row's error in pixels, as kf_score_row has it
 *     id, face
 *     label     behind = and != also the name of a class
 *     right     1 where the class that was predicted is the label, else 0
 *     COLUMN    a target
 *     p.COLUMN  a prediction
 *
 * Targets and predictions are compared in pixels and, as they are floats, with the float
 * that is nearest to the number.  What is missing fulfils nothing but "=missing".
 *
 * NAME can be `name` or `file`, too; then OP is = or !=, and VALUE is a pattern of
 * fnmatch(3), which may be empty, as the name of a row without one is.
 */
#ifndef KF_WHERE_H
#define KF_WHERE_H

#include "rows/classes.h"
#include "rows/score.h"

struct kf_condition; /* one of them */

/* All zeros has none, and every row fulfils it; free it with kf_where_free. */
struct kf_where {
	int n;
	struct kf_condition *condition; /* (n) */
	struct kf_score score;          /* for the errors of rows */
	struct kf_classes classes;      /* for what was predicted */
};

/* Adds a condition; -1 where text is none. */
int kf_where_add(struct kf_where *w, const char *text, struct kf_err *err);

/* Finds what the names are in a stream, once; -1 where one of them is nothing there. */
int kf_where_begin(struct kf_where *w, const struct kf_schema *s, struct kf_err *err);

/* Whether a row fulfils all: 1 or 0, or -1 where its error is asked for and a
 * prediction is no number. */
int kf_where_row(struct kf_where *w, const struct kf_schema *s,
	const struct kf_chunk *c, size_t row, struct kf_err *err);

void kf_where_free(struct kf_where *w);

#endif
