/*
 * TAP for C tests: ok() for each point, and return done_testing() from main.
 * A test that has not ended after half an hour dies by SIGALRM.
 */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

static int tap_count, tap_failed;

__attribute__((constructor)) static void tap_limit(void)
{
	alarm(1800);
}

/* One point; returns the condition. */
__attribute__((format(printf, 2, 3), unused)) static bool ok(bool condition,
	const char *fmt, ...)
{
	va_list ap;

	printf("%sok %d - ", condition ? "" : "not ", ++tap_count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	tap_failed |= !condition;
	return condition;
}

/* A remark, shown when the test fails or with prove -v. */
#define note(...) (printf("# " __VA_ARGS__), putchar('\n'))

__attribute__((unused)) static int done_testing(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed;
}

#endif
