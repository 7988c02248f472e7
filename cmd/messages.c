/* Messages on standard error. */
#include "messages.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const char *program_name = "kfkd";
static const char *usage = "";

/* Names from untrusted input cannot break up a line or control a terminal: control
 * characters become question marks, those of UTF-8 (U+0080 to U+009F) too. */
static void disarm(char *text)
{
	for (char *p = text; *p; p++) {
		unsigned char c = (unsigned char)*p, next = (unsigned char)p[1];

		if (c < ' ' || c == 127)
			*p = '?';
		else if (c == 0xc2 && next >= 0x80 && next < 0xa0)
			p[0] = p[1] = '?';
	}
}

void messages_begin(char *argv0, const char *synopsis)
{
	char *slash = strrchr(argv0, '/');

	program_name = slash ? slash + 1 : argv0;
	disarm(slash ? slash + 1 : argv0);
	usage = synopsis;
}

/* One line in one write. */
static void say(const char *fmt, va_list ap)
{
	char text[5000];

	vsnprintf(text, sizeof text, fmt, ap);
	disarm(text);
	fprintf(stderr, "%s: %s\n", program_name, text);
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
	fprintf(stderr, "usage: %s %s\ntry '%s -h' for help\n", program_name, usage,
		program_name);
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
