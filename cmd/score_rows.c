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

void score_print_names(const struct kf_schema *s)
{
	printf("%s%s", s->file_width ? "\tfile" : "", s->has_face ? "\tface" : "");
}

void score_print_photograph(const struct kf_schema *s, const struct kf_chunk *c,
	size_t row)
{
	char text[KF_TEXT_MAX + 1];

	if (s->file_width && kf_texts_get(c->file, s->file_width, row, text))
		printf("\t%s", text);
	else if (s->file_width)
		printf("\t-");
	if (s->has_face)
		printf("\t%" PRId64, c->face[row]);
}

void score_print_none(const struct kf_schema *s)
{
	printf("%s%s", s->file_width ? "\t-" : "", s->has_face ? "\t-" : "");
}
