/* What a program says of its options. */
#ifndef HELP_H
#define HELP_H

#include "options.h"

/* Prints all that --help says, on standard output. */
void help_print(const struct program *p);

/* Prints the text of one option in one line, without the line's end. */
void help_line(const struct option_row *row);

#endif
