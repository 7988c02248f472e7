/* Messages on standard error. */
#include "messages.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/visible.h"

const char *program_name = "kfkd";
static const char *usage = "";
static const char *where = NULL;

void messages_begin(char *argv0, const char *synopsis)
{
	char *slash = strrchr(argv0, '/');

	program_name = slash ? slash + 1 : argv0;
	usage = synopsis;
}

void messages_place(const char *place)
{
	where = place;
}

const char *visible(const char *text)
{
	size_t length = kf_visible(NULL, 0, text);
	char *copy;

	if (length == strlen(text))
		return text;
	copy = malloc(length + 1);
	must_alloc(copy);
	kf_visible(copy, length + 1, text);
	return copy;
}

/* One line in one write; names from untrusted input cannot break it up. */
static void say(const char *fmt, va_list ap)
{
	char text[5000], shown[4 * sizeof text];
	int n = snprintf(text, sizeof text, "%.500s: %s%s", program_name,
		where ? where : "", where ? ": " : "");

	vsnprintf(text + n, sizeof text - (size_t)n, fmt, ap);
	kf_visible(shown, sizeof shown, text);
	fprintf(stderr, "%s\n", shown);
}

void warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	exit(1);
}

void misuse(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	fprintf(stderr, "usage: %s %s\ntry '%s -h' for help\n", visible(program_name),
		usage, visible(program_name));
	exit(2);
}

void check(int rc, const struct kf_err *err)
{
	if (rc < 0)
		die("%s", err->msg);
}

void must(const void *p, const struct kf_err *err)
{
	if (!p)
		die("%s", err->msg);
}

void must_alloc(const void *p)
{
	if (!p)
		die("out of memory");
}
