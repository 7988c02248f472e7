/*
 * Errors: the library never prints or exits.  A function that fails returns
 * -1 (or NULL) and leaves one line without a newline in the caller's kf_err.
 *
 * A function says what is wrong, and a caller that knows where puts the place
 * before it: "not a number" becomes "'x.csv', line 7: not a number".
 */
#ifndef KF_ERR_H
#define KF_ERR_H

#include <stdbool.h>

/* Needs no initializing: each failure sets all of it. */
struct kf_err {
	char msg[512]; /* longer messages are cut */
	bool placed;   /* msg says where */
	bool memory;   /* the cause is a lack of memory */
};

/* Writes the message; always returns -1, so that callers can return it. */
int kf_fail(struct kf_err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The same, followed by ": " and the text of errno.  The message names its
 * subject, so it counts as placed. */
int kf_fail_errno(struct kf_err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* "out of memory".  A caller who takes other failures for a mistake of the user's
 * tells this one apart by err->memory. */
int kf_fail_memory(struct kf_err *err);

/*
 * Puts a place and ": " before the message, unless it has a place already;
 * always returns -1.  So the innermost place wins: callers may all give what
 * they know.
 */
int kf_place(struct kf_err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
