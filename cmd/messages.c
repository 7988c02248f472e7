/* Messages on standard error. */
#include "messages.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const char *program_name = "kfkd";
static void (*usage)(FILE *to);

void messages_begin(char **argv, void (*print_usage)(FILE *to))
{
	char *slash = strrchr(argv[0], '/');

	if (slash)
		argv[0] = slash + 1;
	program_name = argv[0];
	usage = print_usage;
}

/* One line in one write; names from untrusted input cannot break it up. */
static void say(const char *fmt, va_list ap)
{
	char text[5000];

	vsnprintf(text, sizeof text, fmt, ap);
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 127)
			*p = '?';
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
	usage(stderr);
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
