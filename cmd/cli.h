/*
 * What all programs share: messages, options and output, of the headers below, and
 * opening operands and streams.
 */
#ifndef CLI_H
#define CLI_H

#include "messages.h"
#include "options.h"
#include "output.h"
#include "stream/reader.h"
#include "stream/safetensors.h"
#include "stream/writer.h"

/*
 * Opens the only operand for reading, "-" or none meaning standard input.
 * name is set for messages.
 */
int cli_input(const struct options *o, const char **name);

/* Opens one operand for reading, or dies. */
int cli_open(const char *operand, const char **name);

/* The only operand as a stream, which lives until the program ends. */
struct kf_reader *cli_reader(const struct options *o);
struct kf_reader *cli_eager_reader(const struct options *o); /* kf_reader_open_eager */
struct kf_reader *cli_open_stream(const char *operand);      /* likewise */

/* Reads the first header, which shows whether it is a stream or a model; dies where
 * there is none. */
void cli_header(struct kf_st *st, struct kf_source *src);

/* An open file as a stream. */
struct kf_reader *cli_stream(int fd, const char *name);

/* The next chunk, or NULL at the end; dies on a failure. */
struct kf_chunk *cli_next(struct kf_reader *r);

/* Standard output as a stream; what follows writes to it or dies. */
struct kf_writer *cli_writer(const struct kf_schema *s);
void cli_write(struct kf_writer *w, const struct kf_chunk *c);
void cli_end(struct kf_writer *w); /* last chunk, and closes the writer */

#endif
