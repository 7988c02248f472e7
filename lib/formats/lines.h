/*
 * The lines of a text, numbered for messages.  A line ends in a newline, a
 * carriage return or both (and a carriage return that was doubled by mistake
 * counts once); the last may lack its end.
 */
#ifndef KF_LINES_H
#define KF_LINES_H

#include <stdint.h>
#include <sys/types.h>

#include "formats/input.h"

struct kf_lines {
	struct kf_input *in; /* stays the caller's */
	uint64_t next;       /* number of the next line, from 1 */
	bool after_cr;       /* the line before ended in a carriage return */
};

/* Starts at the first line; skips a byte order mark. */
int kf_lines_open(struct kf_lines *l, struct kf_input *in, struct kf_err *err);

/*
 * Reads ahead until one line is complete at in->at.  Returns its length
 * including its end; 0 at the end of the input; more than most where the line
 * is longer than that; -1 where reading fails.
 */
ssize_t kf_lines_whole(struct kf_lines *l, size_t most, struct kf_err *err);

/* Discards that line, of n bytes, and counts it. */
void kf_lines_use(struct kf_lines *l, size_t n);

#endif
