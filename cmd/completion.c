/* Completion: what may stand at a word of a command line, from the table of options. */
#define _GNU_SOURCE
#include "completion.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "help.h"

/* A command line, and what the word to complete is. */
struct line {
	const struct program *program;
	const char *text;             /* of that word */
	const struct option_row *row; /* whose argument it is, or NULL */
	bool ended;                   /* after "--": no option */
	char **operands;              /* the others, then NULL; within the words */
};

/* -- reading the line -------------------------------------------------------- */

/* The option whose name begins so, as getopt_long finds it, or NULL. */
static const struct option_row *find_name(const struct program *p, const char *text,
	size_t n)
{
	const struct option_row *row, *found = NULL;
	int matches = 0;

	for (int i = 0; (row = options_row(p, i)); i++)
		if (row->name && !strncmp(row->name, text, n)) {
			if (!row->name[n])
				return row;
			found = row;
			matches++;
		}
	return matches == 1 ? found : NULL;
}

static const struct option_row *find_letter(const struct program *p, char letter)
{
	const struct option_row *row;

	for (int i = 0; (row = options_row(p, i)); i++)
		if (row->name && row->key == letter)
			return row;
	return NULL;
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1];
}

/* The option in a word whose argument is the next word, or NULL. */
static const struct option_row *awaits(const struct program *p, const char *word)
{
	const struct option_row *row = NULL;

	if (word[1] == '-') {
		if (!strchr(word, '='))
			row = find_name(p, word + 2, strlen(word + 2));
	} else {
		for (word++; (row = find_letter(p, *word)) && !row->arg; word++)
			;
		if (row && word[1])
			return NULL; /* its argument is the rest of the word */
	}
	return row && row->arg ? row : NULL;
}

/* Reads the words, of which the one with index at is to be completed. */
static void read_line(struct line *l, char **words, int at)
{
	const struct option_row *row = NULL;
	char **operand = words;
	bool ended = false;

	l->operands = words;
	l->text = "";
	for (int i = 0; words[i] || i <= at; i++) {
		char *word = words[i];

		if (i == at) {
			l->text = word ? word : "";
			l->row = row;
			l->ended = ended;
			row = NULL;
		} else if (row) {
			row = NULL;
		} else if (!ended && !strcmp(word, "--")) {
			ended = true;
		} else if (!ended && is_option(word)) {
			row = awaits(l->program, word);
		} else {
			*operand++ = word;
		}
		if (!word)
			break;
	}
	*operand = NULL;
}

/* -- answering --------------------------------------------------------------- */

/* Whether n bytes of text and then the word begin as what is to be completed. */
static bool fits(const char *text, size_t n, const char *word)
{
	return !strncmp(word, text + n, strlen(text + n));
}

static void answer_files(void)
{
	puts("");
}

/* A loss is listed as "wing[:PX,E]", and named "wing". */
static void answer_words(const struct option_row *row, const char *text, size_t n)
{
	const char *word;

	for (int i = 0; (word = row->word(i)); i++)
		if (fits(text, n, word))
			printf("%.*s%.*s\n", (int)n, text, (int)strcspn(word, "["),
				word);
}

/* The columns of the first operand that is a file with some. */
static void find_columns(const struct line *l, struct kf_names *columns)
{
	for (char **name = l->operands; *name && !columns->n; name++) {
		struct stat st;
		int fd;

		/* a pipe is not for us to read */
		if (stat(*name, &st) < 0 || !S_ISREG(st.st_mode))
			continue;
		fd = open(*name, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		l->program->columns(fd, columns);
		close(fd);
	}
}

/* Whether the first n bytes of text, a list, hold the name. */
static bool is_listed(const char *text, size_t n, const char *name)
{
	size_t length = strlen(name);
	const char *end = text + n;

	for (const char *at = text; at < end; at = strchr(at, ',') + 1)
		if (!strncmp(at, name, length) && at[length] == ',')
			return true;
	return false;
}

/*
 * The list from text[n] on may go on with what it does not have.  A name that is the only
 * one to fit comes with a comma, too, so that no shell takes the word for finished.
 */
static void answer_columns(const struct line *l, const char *text, size_t n)
{
	const char *comma = strrchr(text + n, ','), *only = NULL;
	size_t last = comma ? (size_t)(comma + 1 - text) : n;
	struct kf_names columns = { 0 };
	int found = 0;

	if (l->program->columns)
		find_columns(l, &columns);
	for (int i = 0; i < columns.n; i++) {
		const char *name = columns.name[i];

		if (fits(text, last, name) && !is_listed(text + n, last - n, name)) {
			printf("%.*s%s\n", (int)last, text, name);
			only = name;
			found++;
		}
	}
	if (found == 1)
		printf("%.*s%s,\n", (int)last, text, only);
	kf_names_free(&columns);
}

/* The argument of an option, which begins at text[n]. */
static void answer_argument(const struct line *l, const struct option_row *row,
	const char *text, size_t n)
{
	if (row->kind == OPTION_FILE)
		answer_files();
	else if (row->kind == OPTION_COLUMNS)
		answer_columns(l, text, n);
	else if (row->word)
		answer_words(row, text, n);
}

static void answer_option(const char *text, const char *word,
	const struct option_row *row)
{
	if (!fits(text, 0, word))
		return;
	printf("%s\t", word);
	help_line(row);
	putchar('\n');
}

static void answer_options(const struct line *l)
{
	const struct option_row *row;
	char word[80];

	for (int i = 0; (row = options_row(l->program, i)); i++) {
		if (!row->name)
			continue;
		if (row->key < OPTION_NO_LETTER) {
			snprintf(word, sizeof word, "-%c", row->key);
			answer_option(l->text, word, row);
		}
		snprintf(word, sizeof word, "--%s", row->name);
		answer_option(l->text, word, row);
	}
}

/* "--NAME=ARGUMENT" */
static void answer_joined(const struct line *l, size_t equals)
{
	const struct option_row *row = find_name(l->program, l->text + 2, equals - 2);

	if (row && row->arg)
		answer_argument(l, row, l->text, equals + 1);
}

static bool takes_files(const struct program *p)
{
	for (int i = 0; p->synopsis[i]; i++)
		if (strstr(p->synopsis[i], "FILE") || strstr(p->synopsis[i], "MODEL"))
			return true;
	return false;
}

static void answer(const struct line *l)
{
	const char *equals = strchr(l->text, '=');

	if (l->row)
		answer_argument(l, l->row, l->text, 0);
	else if (!l->ended && !strncmp(l->text, "--", 2) && equals)
		answer_joined(l, (size_t)(equals - l->text));
	else if (!l->ended && l->text[0] == '-')
		answer_options(l);
	else if (takes_files(l->program))
		answer_files();
	else if (!*l->text && !l->ended)
		answer_options(l);
}

void completion_print(const struct program *p, char **arguments)
{
	struct line line = { .program = p };
	long at = strtol(arguments[0], NULL, 10), n = 0;

	while (arguments[1 + n])
		n++;
	read_line(&line, arguments + 1, (int)(at < 1 || at > n ? n : at - 1));
	answer(&line);
}
