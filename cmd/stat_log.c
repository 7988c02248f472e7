/* How long a run took, from the log beside its model: tab-separated, with a header line that
 * names `epoch` and `seconds`, and a line an epoch. */
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "stat.h"

/* The log of a model: its name with the suffix in place of its own. */
static char *log_name(const char *model, const char *suffix)
{
	const char *slash = strrchr(model, '/');
	const char *dot = strrchr(slash ? slash : model, '.');
	size_t n = dot ? (size_t)(dot - model) : strlen(model);
	char *name;

	if (asprintf(&name, "%.*s%s", (int)n, model, suffix) < 0)
		die("out of memory");
	return name;
}

/* The field of this number in a line, or NULL where there are fewer. */
static const char *field(const char *line, int number)
{
	while (number-- > 0 && line)
		if ((line = strchr(line, '\t')))
			line++;
	return line;
}

/* Which field of the header has this name; -1 if none. */
static int column(const char *header, const char *name)
{
	size_t n = strlen(name);
	const char *at;

	for (int i = 0; (at = field(header, i)); i++)
		if (!strncmp(at, name, n) && strchr("\t\r\n", at[n]))
			return i;
	return -1;
}

/* A number that a tab or the line's end follows; NAN for "-". */
static double number(const char *text, const char *log, int line)
{
	char *end = NULL;
	double v = text ? strtod(text, &end) : 0;

	if (text && *text == '-' && strchr("\t\r\n", text[1]))
		return NAN;
	if (end == text || !strchr("\t\r\n", *end))
		die("'%s', line %d: there is no number of an epoch or of seconds", log,
			line);
	return v;
}

struct log {
	FILE *f;
	const char *name;
	char *line;
	size_t size;
};

/* Reads a line; false at the end.  A last line without its end is still being written. */
static bool next_line(struct log *l)
{
	ssize_t n = getline(&l->line, &l->size, l->f);

	if (n < 0 && !feof(l->f))
		die("cannot read '%s': %s", l->name, strerror(errno));
	return n > 0 && l->line[n - 1] == '\n';
}

/* The seconds of the first so many epochs, NAN where those of some are missing. */
static double sum(struct log *l, int epochs)
{
	int epoch, seconds, found = 0;
	double all = 0;

	if (!next_line(l))
		return NAN;
	epoch = column(l->line, "epoch");
	seconds = column(l->line, "seconds");
	if (epoch < 0 || seconds < 0)
		die("'%s' is no log: its first line does not name epoch and seconds",
			l->name);
	for (int i = 2; next_line(l); i++)
		if (number(field(l->line, epoch), l->name, i) <= epochs) {
			all += number(field(l->line, seconds), l->name, i);
			found++;
		}
	return found == epochs ? all : NAN;
}

double stat_seconds(const char *model, const char *suffix, int epochs)
{
	char *name = log_name(model, suffix);
	struct log l = { .f = fopen(name, "re"), .name = name };
	double seconds = NAN;

	if (!l.f && errno != ENOENT)
		die("cannot open '%s': %s", name, strerror(errno));
	if (l.f) {
		seconds = sum(&l, epochs);
		fclose(l.f);
		free(l.line);
	}
	free(name);
	return seconds;
}
