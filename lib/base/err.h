/*
 * Errors: the library never prints or exits.  A function that fails returns
 * -1 (or NULL) and leaves one line without a newline in the caller's kf_err.
 */
#ifndef KF_ERR_H
#define KF_ERR_H

struct kf_err {
	char msg[512];
};

/* Writes the message; always returns -1, so that callers can return it. */
int kf_fail(struct kf_err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The same with ": " and the text of errno behind it. */
int kf_fail_errno(struct kf_err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
