/*
 * The lines of a text, numbered for messages.  A line ends in a newline, a
 * carriage return or both; the last may lack its end.
 */
#ifndef KF_LINES_H
#define KF_LINES_H

#include <stdint.h>
#include <sys/types.h>

#include "formats/input.h"

struct kf_lines {
	struct kf_input *in; /* stays the caller's */
	uint64_t next;       /* the number of the line that comes, from 1 */
	bool after_cr;       /* the line before ended in a carriage return */
};

/* Starts at the first line; skips a byte order mark. */
int kf_lines_open(struct kf_lines *l, struct kf_input *in, struct kf_err *err);

/*
 * Makes one line whole at in->at.  Returns its length with its end; 0 at the
 * end of the input; a number above most where the line is longer than that; -1
 * where nothing can be read.
 */
ssize_t kf_lines_whole(struct kf_lines *l, size_t most, struct kf_err *err);

/* Done with that line, of n bytes; counts it. */
void kf_lines_use(struct kf_lines *l, size_t n);

#endif
