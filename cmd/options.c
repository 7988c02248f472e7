/* Options: from a table to getopt_long, to help, and to values. */
#define _GNU_SOURCE
#include "options.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "messages.h"
#include "output.h"

#define HELP_WIDTH 79
#define HELP_BYTES 8192 /* more than any program has */

static const struct option_row common[] = {
	{ 'o', "output", "OUT", "write to OUT, which appears when it is whole",
		.kind = OPTION_FILE },
	{ 'h', "help", .help = "print this" },
	{ 'V', "version", .help = "print the version" },
};

#define N_COMMON (int)(sizeof common / sizeof *common)

/* The i-th row, those of all programs included; NULL after the last. */
static const struct option_row *row_at(const struct program *p, int i)
{
	int n = 0;

	while (p->rows[n].help)
		n++;
	if (i < n)
		return &p->rows[i];
	return i - n < N_COMMON ? &common[i - n] : NULL;
}

static const struct option_row *find_row(const struct program *p, int key, int *at)
{
	const struct option_row *row;

	for (int i = 0; (row = row_at(p, i)); i++)
		if (row->name && row->key == key) {
			*at = i;
			return row;
		}
	return NULL;
}

/* -- help -------------------------------------------------------------------- */

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

	for (int i = 0; (row = row_at(p, i)); i++) {
		int width = row->name ? format_option(row, text, sizeof text) + 2 : 0;

		if (width > indent)
			indent = width;
	}
	for (int i = 0; p->synopsis[i]; i++)
		fprintf(f, "%s %s %s\n", i ? "      " : "usage:", p->name,
			p->synopsis[i]);
	fprintf(f, "%s\n", p->about);
	for (int i = 0; (row = row_at(p, i)); i++) {
		if (row->name) {
			format_option(row, text, sizeof text);
			fprintf(f, "%-*s", indent, text);
		}
		print_help(f, row, row->name ? indent : 0);
	}
}

/* In one write, even to an unbuffered stream. */
static void help_and_exit(const struct program *p)
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
	exit(output_finish());
}

/* -- arguments --------------------------------------------------------------- */

static long long option_int(const char *name, const char *text, long long min,
	long long max)
{
	char *end;
	long long v;

	errno = 0;
	v = strtoll(text, &end, 10);
	if (end == text || *end)
		misuse("--%s: '%s' is not a whole number", name, text);
	if (errno || v < min || v > max)
		misuse("--%s: '%s' is not from %lld to %lld", name, text, min, max);
	return v;
}

double option_real(const char *name, const char *text, double low, double high)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end || !isfinite(v))
		misuse("--%s: '%s' is not a number", name, text);
	if (v < low || v > high)
		misuse("--%s: '%s' is not from %g to %g", name, text, low, high);
	return v;
}

static void option_pair(const char *name, const char *text, int max, int pair[2])
{
	char tail;

	if (sscanf(text, "%5dx%5d%c", &pair[0], &pair[1], &tail) != 2 || pair[0] < 1 ||
		pair[1] < 1 || pair[0] > max || pair[1] > max)
		misuse("--%s: '%s' is not two sizes from 1 to %d such as 4x4", name,
			text, max);
}

static long long option_size(const char *name, const char *text)
{
	static const char units[] = "KMG";
	const char *unit;
	char *end;
	long long v;
	int bits = 0;

	errno = 0;
	v = strtoll(text, &end, 10);
	if (end != text && *end && (unit = strchr(units, *end))) {
		bits = 10 * (int)(unit - units + 1);
		end++;
	}
	if (end == text || *end || v < 1)
		misuse("--%s: '%s' is not a size in bytes such as 500M; K, M and G are "
		       "powers of 1024",
			name, text);
	if (errno || v > LLONG_MAX >> bits)
		misuse("--%s: '%s' is too much", name, text);
	return v << bits;
}

static void read_argument(struct options *o, const struct option_row *row)
{
	o->text = optarg;
	switch (row->kind) {
	case OPTION_TEXT:
	case OPTION_FILE:
	case OPTION_WORD: break;
	case OPTION_INT:
		o->number = option_int(row->name, optarg, row->min, row->max);
		break;
	case OPTION_REAL:
		o->real = option_real(row->name, optarg, row->low, row->high);
		break;
	case OPTION_PAIR: option_pair(row->name, optarg, (int)row->max, o->pair); break;
	case OPTION_SIZE: o->number = option_size(row->name, optarg); break;
	}
}

/* -- reading ----------------------------------------------------------------- */

void options_begin(struct options *o, const struct program *p, int argc, char **argv)
{
	const struct option_row *row;
	char *letter = o->letters;
	int n = 0;

	output_reserve();
	*o = (struct options){ .program = p, .argc = argc, .argv = argv };
	messages_begin(argv[0], p->synopsis[0]);
	opterr = 0;
	*letter++ = ':'; /* for getopt_long to tell a missing argument from others */
	for (int i = 0; (row = row_at(p, i)); i++) {
		int has_arg = row->arg ? required_argument : no_argument;

		assert(i < OPTIONS_MAX);
		if (!row->name)
			continue;
		o->names[n++] = (struct option){ row->name, has_arg, NULL, row->key };
		if (row->key < OPTION_NO_LETTER) {
			*letter++ = (char)row->key;
			if (row->arg)
				*letter++ = ':';
		}
	}
}

/* Says what getopt_long has found wrong, having returned key. */
static _Noreturn void complain(const struct options *o, int key)
{
	const struct option_row *row;
	const char *word;
	int at, n = 0;

	row = find_row(o->program, optopt, &at);
	if (row && key == ':')
		misuse("--%s requires an argument", row->name);
	if (row)
		misuse("--%s takes no argument", row->name);
	if (optopt)
		misuse("unrecognized option '-%c'",
			optopt > 0 && optopt < 128 ? optopt : '?');
	word = o->argv[optind - 1];
	for (int i = 0; (row = row_at(o->program, i)); i++)
		n += row->name && !strncmp(word + 2, row->name, strcspn(word + 2, "="));
	misuse(n > 1 ? "ambiguous option '%s'" : "unrecognized option '%s'", word);
}

static int next_key(struct options *o)
{
	return getopt_long(o->argc, o->argv, o->letters, o->names, NULL);
}

int options_next(struct options *o)
{
	static char *standard_input[] = { "-", NULL };
	const struct option_row *row;
	int key, at;

	while ((key = next_key(o)) != -1) {
		if (key == 'h')
			help_and_exit(o->program);
		if (key == 'V') {
			printf("%s %s\n", program_name, VERSION);
			exit(output_finish());
		}
		row = find_row(o->program, key, &at);
		if (!row)
			complain(o, key);
		o->given[at] = true;
		read_argument(o, row);
		if (key != 'o')
			return key;
		o->output = o->text;
	}
	o->n_operands = o->argc - optind;
	o->operands = o->n_operands ? o->argv + optind : standard_input;
	return 0;
}

bool options_given(const struct options *o, int key)
{
	int at;

	return find_row(o->program, key, &at) && o->given[at];
}

const char *options_find(struct options *o, int key)
{
	const char *found = NULL;
	int k;

	while ((k = next_key(o)) != -1)
		if (k == key)
			found = optarg;
	optind = 0; /* getopt_long starts anew */
	return found;
}

const char *options_name(const struct options *o, int key)
{
	int at;

	return find_row(o->program, key, &at)->name;
}
