/* Standard output, or a file in its place, and an end that notices a failed write. */
#ifndef OUTPUT_H
#define OUTPUT_H

/*
 * Occupies those of descriptors 0 to 2 that are closed, so that no file gets them: they
 * fail as before.  To be called before anything is opened.
 */
void output_reserve(void);

/*
 * Sends standard output to a file, which appears under its name only in
 * output_finish, complete.  A path of NULL or "-" leaves standard output alone.
 * Call it in any case: from then on, signals leave nothing half-written.
 */
void output_begin(const char *path);
const char *output_name(void); /* for messages */

/*
 * Opens one further file, which appears in output_finish, too; returns where to write it.
 * To be called after output_begin.
 */
int output_also(const char *path);

/*
 * Lets descriptor 1 be standard error, and the output another one, so that what
 * libraries print never gets into it.  For programs that write to output_descriptor();
 * to be called before anything is opened.
 */
void output_keep_apart(void);

/* Where to write what goes to standard output, or to the file in its place. */
int output_descriptor(void);

/* Dies where output that is written in place would overwrite this open file. */
void output_check_input(int fd);

/* Refuses a terminal as standard output, since the output is binary, and dies where
 * nothing can be written to it. */
void output_is_binary(void);

/* Ends the program as the signal would have, with nothing half-written left. */
_Noreturn void output_end_by_signal(int signal);

/* Closes standard output and checks that all of it was written.  Returns 0. */
int output_finish(void);

#endif
