/*
 * Runs libcsv over standard input and ignores the fields: the baseline for
 * kfkd-load's speed.
 */
#include <csv.h>
#include <stdio.h>
#include <unistd.h>

static char buffer[1 << 18];

static void field(void *text, size_t len, void *data)
{
	(void)text;
	(void)len;
	(void)data;
}

static void row(int end, void *data)
{
	(void)end;
	(void)data;
}

int main(void)
{
	struct csv_parser parser;
	ssize_t n;

	if (csv_init(&parser, 0))
		return 1;
	while ((n = read(STDIN_FILENO, buffer, sizeof buffer)) > 0)
		if (csv_parse(&parser, buffer, (size_t)n, field, row, NULL) !=
			(size_t)n)
			return 1;
	csv_fini(&parser, field, row, NULL);
	csv_free(&parser);
	return n < 0;
}
