/* Options: from a table to getopt_long, and to values. */
#define _GNU_SOURCE
#include "options.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "completion.h"
#include "help.h"
#include "messages.h"
#include "output.h"

static const struct option_row common[] = {
	{ 'o', "output", "OUT", "write to OUT, which appears when it is whole",
		.kind = OPTION_FILE },
	{ 'h', "help", .help = "print this" },
	{ 'V', "version", .help = "print the version" },
};

#define N_COMMON (int)(sizeof common / sizeof *common)

const struct option_row *options_row(const struct program *p, int i)
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

	for (int i = 0; (row = options_row(p, i)); i++)
		if (row->name && row->key == key) {
			*at = i;
			return row;
		}
	return NULL;
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
	case OPTION_COLUMNS:
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
	if (argc > 2 && !strcmp(argv[1], COMPLETION_OPTION)) {
		completion_print(p, argv + 2);
		exit(output_finish());
	}
	opterr = 0;
	*letter++ = ':'; /* for getopt_long to tell a missing argument from others */
	for (int i = 0; (row = options_row(p, i)); i++) {
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
	for (int i = 0; (row = options_row(o->program, i)); i++)
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
		if (key == 'h') {
			help_print(o->program);
			exit(output_finish());
		}
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
