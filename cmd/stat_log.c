/* How long a run took, from the log beside its model: tab-separated, with a header line that
 * names `epoch` and `seconds`, and a line an epoch. */
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
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

/* The seconds of the first so many epochs, NAN where those of some are missing.  A last line
 * without its end is still being written. */
static double sum(FILE *f, const char *name, int epochs)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n = getline(&line, &size, f);
	int epoch = n > 0 ? column(line, "epoch") : -1;
	int seconds = n > 0 ? column(line, "seconds") : -1;
	int found = 0;
	double all = 0;

	if (epoch < 0 || seconds < 0)
		die("'%s' is no log: its first line does not name epoch and seconds",
			name);
	for (int i = 2; (n = getline(&line, &size, f)) > 0 && line[n - 1] == '\n'; i++)
		if (number(field(line, epoch), name, i) <= epochs) {
			all += number(field(line, seconds), name, i);
			found++;
		}
	if (ferror(f))
		die("cannot read '%s': %s", name, strerror(errno));
	free(line);
	return found == epochs ? all : NAN;
}

double stat_seconds(const char *model, const char *suffix, int epochs)
{
	char *name = log_name(model, suffix);
	FILE *f = fopen(name, "re");
	double seconds = NAN;

	if (!f && errno != ENOENT)
		die("cannot open '%s': %s", name, strerror(errno));
	if (f) {
		seconds = sum(f, name, epochs);
		fclose(f);
	}
	free(name);
	return seconds;
}
