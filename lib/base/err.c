/* Errors: one line of text for the caller. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Appends what fits. */
static void append(struct kf_err *err, const char *text)
{
	size_t len = strlen(err->msg);

	snprintf(err->msg + len, sizeof err->msg - len, ": %s", text);
}

int kf_fail(struct kf_err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	err->placed = err->memory = false;
	return -1;
}

int kf_fail_errno(struct kf_err *err, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	append(err, strerror(saved));
	err->placed = true;
	err->memory = false;
	return -1;
}

int kf_fail_memory(struct kf_err *err)
{
	kf_fail(err, "out of memory");
	err->memory = true;
	return -1;
}

int kf_place(struct kf_err *err, const char *fmt, ...)
{
	struct kf_err inner = *err;
	va_list ap;

	if (err->placed)
		return -1;
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	append(err, inner.msg);
	err->placed = true;
	return -1;
}
