/* What kfkd-score's files share. */
#ifndef SCORE_H
#define SCORE_H

#include <stdbool.h>

#include "stream/reader.h"

/* What is asked for. */
struct score_how {
	bool rows;             /* a line for each of them */
	bool confusion;        /* of classes: which was taken for which */
	bool original;         /* errors in pixels of the photographs */
	bool nme;              /* the normalised mean error, too, */
	const char *from, *to; /* over the distance of these points; NULL: the box */
};

/* Whether what is scored are classes, not keypoints. */
bool score_of_classes(const struct kf_schema *s);

/* Read the stream to its end and print the table. */
void score_keypoints(struct kf_reader *in, const struct score_how *how);
void score_classes(struct kf_reader *in, const struct score_how *how);

/* Flushes what was printed of a chunk's rows, so that a failed write is noticed at once. */
void score_flush(void);

/* The last columns of a table of rows, as far as the stream has them: the photograph, the
 * face there, and the name.  What they are called, those of a row, and those of the line
 * of all rows; each ends the line. */
void score_end_header(const struct kf_schema *s);
void score_end_row(const struct kf_schema *s, const struct kf_chunk *c, size_t row);
void score_end_overall(const struct kf_schema *s);

#endif
