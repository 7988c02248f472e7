/*
 * A program's command line from one table: what getopt_long accepts, what --help prints
 * (help.h), and what a shell completes (completion.h) all come from it.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <getopt.h>
#include <stdbool.h>

#include "stream/names.h"

#define VERSION "0.1.0" /* of all programs */

#define OPTIONS_MAX 40
#define OPTION_NO_LETTER 256 /* keys of options without a letter start here */

/* What an option's argument is. */
enum option_kind {
	OPTION_TEXT,
	OPTION_FILE,
	OPTION_COLUMNS, /* "A,B,...", names of columns */
	OPTION_WORD,    /* one of a list */
	OPTION_INT,     /* a whole number from min to max */
	OPTION_REAL,    /* a number from low to high */
	OPTION_PAIR,    /* "AxB", both from 1 to max */
	OPTION_SIZE, /* bytes, at least 1: a whole number, and K, M or G or nothing */
};

/* A row without a name is a heading: its help is the text. */
struct option_row {
	int key; /* its letter, or a number from OPTION_NO_LETTER */
	const char *name;
	const char *arg;  /* what help calls the argument; NULL: there is none */
	const char *help; /* lines separated by '\n'; "%s" stands for the words */
	enum option_kind kind;
	long long min, max;
	double low, high;
	/* The i-th word of a list, NULL after the last.  With OPTION_TEXT the */
	/* words are suggestions: other text is accepted as well. */
	const char *(*word)(int i);
};

/* After these rows, every program also has --output, --help and --version. */
struct program {
	const char *name;
	const char *synopsis[8]; /* what follows the name; NULL after the last */
	const char *about;       /* the description that follows them */
	struct option_row rows[OPTIONS_MAX]; /* zeros after the last */
	/* For completion, the columns of a file, in a list that is all zeros: 0, or -1 where
	 * it has none. */
	int (*columns)(int fd, struct kf_names *columns);
};

/* The i-th row, those of all programs included; NULL after the last. */
const struct option_row *options_row(const struct program *p, int i);

/*
 * A command line while it is read.  text is the argument of the option just
 * read; number, real or pair holds its value, as the kind says.
 */
struct options {
	const struct program *program;
	const char *text;
	long long number;
	double real;
	int pair[2];
	const char *output; /* the argument of --output, or NULL */
	char **operands; /* what follows the options, then NULL; "-" if nothing does */
	int n_operands;  /* given; 0 where "-" stands for none */

	int argc;
	char **argv;
	bool given[OPTIONS_MAX]; /* by row */
	char letters[2 * OPTIONS_MAX + 2];
	struct option names[OPTIONS_MAX + 1];
};

/* First call in main.  argv may be reordered. */
void options_begin(struct options *o, const struct program *p, int argc, char **argv);

/*
 * The key of the next option, 0 after the last.  --help, --version and misuse
 * end the program, and --output is noted.
 */
int options_next(struct options *o);

/* Whether the option with this key was among those read. */
bool options_given(const struct options *o, int key);

/*
 * The argument of the last option with this key, or NULL if there is none.
 * To be called before options_next; misuse goes unnoticed.
 */
const char *options_find(struct options *o, int key);

/* The name of the option with this key, for messages. */
const char *options_name(const struct options *o, int key);

/* A number within an argument; misuse of the option called name otherwise. */
double option_real(const char *name, const char *text, double low, double high);

#endif
