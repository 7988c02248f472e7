/* What kfkd-score prints of each row, whatever is scored. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "score.h"
#include "stream/texts.h"

void score_flush(void)
{
	if (fflush(stdout))
		die("cannot write '%s': %s", output_name(), strerror(errno));
}

bool score_of_classes(const struct kf_schema *s)
{
	return s->has_label && s->columns.n == 0;
}

void score_end_header(const struct kf_schema *s)
{
	printf("%s%s%s\n", s->file_width ? "\tfile" : "", s->has_face ? "\tface" : "",
		s->name_width ? "\tname" : "");
}

/* A text of a row, or '-' where it has none; nothing where the stream has none. */
static void print_text(const char *tensor, int width, size_t row)
{
	char text[KF_TEXT_MAX + 1];

	if (width)
		printf("\t%s", kf_texts_get(tensor, width, row, text) ? text : "-");
}

void score_end_row(const struct kf_schema *s, const struct kf_chunk *c, size_t row)
{
	print_text(c->file, s->file_width, row);
	if (s->has_face)
		printf("\t%" PRId64, c->face[row]);
	print_text(c->name, s->name_width, row);
	putchar('\n');
}

void score_end_overall(const struct kf_schema *s)
{
	printf("%s%s%s\n", s->file_width ? "\t-" : "", s->has_face ? "\t-" : "",
		s->name_width ? "\t-" : "");
}
