/*
 * What all programs share: messages, options, numbers, opening input and
 * output, and an end that notices a failed write.
 *
 * Exit status: 0 success, 1 data or system failure, 2 misuse.
 */
#ifndef CLI_H
#define CLI_H

#include <getopt.h>

#include "stream/reader.h"
#include "stream/writer.h"

#define VERSION "0.1.0"

/* Put these into every program's list of options. */
#define CLI_SHORT "hV"
#define CLI_LONG \
	{ "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'V' }, \
	{ \
		NULL, 0, NULL, 0 \
	}

extern const char *cli_name; /* of the program, for messages */

/* First call in main.  usage starts with "usage: ", lines end with '\n'. */
void cli_init(char **argv, const char *usage);

/* What getopt_long returned and the program does not know: -h, -V, misuse. */
void cli_option(int c);

/* "name: message" on standard error; die exits 1, misuse adds usage, exits 2. */
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void misuse(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* An option's number, with its bounds checked; misuse otherwise. */
long long cli_int(const char *option, const char *text, long long min, long long max);
double cli_real(const char *option, const char *text, double min, double max);
/* "AxB", both from 1 to max. */
void cli_pair(const char *option, const char *text, int max, int *a, int *b);

/*
 * Opens the one operand that may be left, "-" or none meaning standard input.
 * name is set for messages.
 */
int cli_input(int argc, char **argv, const char **name);

/* Opens one operand for reading; dies when it cannot. */
int cli_open(const char *operand, const char **name);

/* The one operand as a stream, which lives until the program ends. */
struct kf_reader *cli_reader(int argc, char **argv);

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
