/*
 * What a shell asks when a word of a command line is to be completed:
 *
 *	PROGRAM --completion N WORD ...
 *
 * The words are those after the program's name; the N-th, counted from 1, is the one to
 * complete, and is empty where there is none.  The answer is what may stand there, a line
 * each: the whole word and, where there is something to say of it, a tab and that.  An
 * empty line stands for the names of files.
 */
#ifndef COMPLETION_H
#define COMPLETION_H

#include "options.h"

#define COMPLETION_OPTION "--completion"

/* Prints the answer; what follows --completion, then NULL. */
void completion_print(const struct program *p, char **arguments);

#endif
