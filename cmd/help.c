/* Help: what --help prints of a table of options, and what it says of one of them. */
#define _GNU_SOURCE
#include "help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELP_WIDTH 79
#define HELP_BYTES 8192 /* more than any program has */

/* "  -n, --rows N" */
static int format_option(const struct option_row *row, char *text, size_t size)
{
	char letter[] = "    ";

	if (row->key < OPTION_NO_LETTER)
		snprintf(letter, sizeof letter, "-%c, ", row->key);
	return snprintf(text, size, "  %s--%s%s%s", letter, row->name,
		row->arg ? " " : "", row->arg ? row->arg : "");
}

/* Whether b is a with the next number at its end, as net2 follows net1. */
static bool counts_on(const char *a, const char *b)
{
	size_t n = strcspn(a, "0123456789");

	return b && a[n] && !strncmp(a, b, n) &&
		strtol(b + n, NULL, 10) == strtol(a + n, NULL, 10) + 1;
}

/* The index of the item after the one at i: "net1 to net7" is one item. */
static int next_item(const struct option_row *row, int i)
{
	while (counts_on(row->word(i), row->word(i + 1)))
		i++;
	return i + 1;
}

/* Prints a row's words from column at on: "a, b or c", or "a, b, c" where other
 * text is accepted as well. */
static void print_words(FILE *f, const struct option_row *row, int indent, int at)
{
	bool closed = row->kind == OPTION_WORD;
	char item[HELP_WIDTH];

	for (int i = 0, next; row->word(i); i = next) {
		bool last, before_or;
		int width;

		next = next_item(row, i);
		last = !row->word(next);
		before_or = closed && !last && !row->word(next_item(row, next));
		width = snprintf(item, sizeof item, "%s%s%s%s%s",
			closed && last ? "or " : "", row->word(i),
			next - i > 1 ? " to " : "",
			next - i > 1 ? row->word(next - 1) : "",
			last || before_or ? "" : ",");
		if (i > 0 && at + 1 + width > HELP_WIDTH) {
			fprintf(f, "\n%*s", indent, "");
			at = indent;
		} else if (i > 0) {
			at += fprintf(f, " ");
		}
		at += fprintf(f, "%s", item);
	}
}

static void print_help(FILE *f, const struct option_row *row, int indent)
{
	int at = indent;

	for (const char *c = row->help; *c; c++, at++)
		if (*c == '\n') {
			fprintf(f, "\n%*s", indent, "");
			at = indent - 1;
		} else if (c[0] == '%' && c[1] == 's') {
			print_words(f, row, indent, at);
			c++;
		} else {
			fputc(*c, f);
		}
	fputc('\n', f);
}

static void print_usage(FILE *f, const struct program *p)
{
	const struct option_row *row;
	char text[HELP_WIDTH];
	int indent = 0;

	for (int i = 0; (row = options_row(p, i)); i++) {
		int width = row->name ? format_option(row, text, sizeof text) + 2 : 0;

		if (width > indent)
			indent = width;
	}
	for (int i = 0; p->synopsis[i]; i++)
		fprintf(f, "%s %s %s\n", i ? "      " : "usage:", p->name,
			p->synopsis[i]);
	fprintf(f, "%s\n", p->about);
	for (int i = 0; (row = options_row(p, i)); i++) {
		if (row->name) {
			format_option(row, text, sizeof text);
			fprintf(f, "%-*s", indent, text);
		}
		print_help(f, row, row->name ? indent : 0);
	}
}

/* In one write, even to an unbuffered stream. */
void help_print(const struct program *p)
{
	char text[HELP_BYTES] = "";
	FILE *f = fmemopen(text, sizeof text, "w");

	if (f) {
		print_usage(f, p);
		fclose(f);
		fputs(text, stdout);
	} else { /* out of memory, of which there is no need here */
		print_usage(stdout, p);
	}
}

void help_line(const struct option_row *row)
{
	char text[HELP_BYTES] = "";
	FILE *f = fmemopen(text, sizeof text, "w");

	if (f) {
		print_help(f, row, 0);
		fclose(f);
	}
	for (char *c = text; *c && (*c != '\n' || c[1]); c++)
		putchar(*c == '\n' ? ' ' : *c);
}
