/*
 * What a program says on standard error, and how it ends by it.
 *
 * Exit status: 0 success, 1 data or system failure, 2 misuse.
 */
#ifndef MESSAGES_H
#define MESSAGES_H

#include <stdio.h>

#include "base/err.h"

/*
 * Text that a file may have brought along, with its control characters escaped: text
 * itself where there are none, else a copy that lives until the program ends.
 */
const char *visible(const char *text);

extern const char *program_name; /* as it was called, without its directory */

/* Sets program_name, and what misuse says of the usage: what follows the name. */
void messages_begin(char *argv0, const char *synopsis);

/* What each message begins with after the program's name, such as "rank 2": a text that
 * lives until the program ends. */
void messages_place(const char *place);

/* "name: message" on standard error; die exits 1; misuse adds a line of usage and a
 * hint at --help, and exits 2. */
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void misuse(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Dies with the message of a failure: rc < 0, or p NULL. */
void check(int rc, const struct kf_err *err);
void must(const void *p, const struct kf_err *err);
/* Dies where an allocation returned NULL. */
void must_alloc(const void *p);

#endif
