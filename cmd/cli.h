/*
 * What all programs share: messages, opening input and output, and an end that
 * notices a failed write.
 *
 * Exit status: 0 success, 1 data or system failure, 2 misuse.
 */
#ifndef CLI_H
#define CLI_H

#include "options.h"
#include "stream/reader.h"
#include "stream/writer.h"

#define VERSION "0.1.0"

extern const char *cli_name; /* of the program, for messages */

/* Sets cli_name and, for getopt's messages, argv[0]; options_begin calls it. */
void cli_init(char **argv, const struct program *p);

/* "name: message" on standard error; die exits 1; misuse adds the usage and exits 2. */
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void misuse(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Dies with the message of a failure: rc < 0, or p NULL. */
void check(int rc, const struct kf_err *err);
void must(const void *p, const struct kf_err *err);
/* Dies where an allocation returned NULL. */
void must_alloc(const void *p);

/*
 * Opens the only operand for reading, "-" or none meaning standard input.
 * name is set for messages.
 */
int cli_input(const struct options *o, const char **name);

/* Opens one operand for reading, or dies. */
int cli_open(const char *operand, const char **name);

/* The only operand as a stream, which lives until the program ends. */
struct kf_reader *cli_reader(const struct options *o);
struct kf_reader *cli_open_stream(const char *operand); /* likewise */

/* An open file as a stream; adopt as for kf_reader_open. */
struct kf_reader *cli_stream(int fd, const char *name, bool adopt);

/* The next chunk, or NULL at the end; dies on a failure. */
struct kf_chunk *cli_next(struct kf_reader *r);

/*
 * Sends standard output to a file that appears under its name only in
 * cli_finish, whole.  A path of NULL leaves standard output alone.
 */
void cli_output(const char *path);
const char *cli_output_name(void);

/* Dies when standard output is a terminal: what comes is binary. */
void cli_binary_output(void);

/* Standard output as a stream; what follows writes to it or dies. */
struct kf_writer *cli_writer(const struct kf_schema *s);
void cli_write(struct kf_writer *w, const struct kf_chunk *c);
void cli_end(struct kf_writer *w); /* last chunk, and closes the writer */

/* Ends as the signal would have, with nothing half-written left. */
_Noreturn void cli_end_by_signal(int signal);

/* Closes standard output and checks that all of it was written.  Returns 0. */
int cli_finish(void);

#endif
