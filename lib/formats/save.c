/* What kfkd-save writes of a stream, and how, whatever the format. */
#include "formats/save.h"

#include <math.h>
#include <stdlib.h>

int kf_save_check(const struct kf_save *s, struct kf_err *err)
{
	const struct kf_schema *schema = s->schema;

	if (kf_schema_is_scaled(schema))
		return kf_fail(err,
			"the stream is scaled; "
			"pipe it through kfkd-scale --undo");
	if (s->predictions && schema->p_columns.n == 0)
		return kf_fail(err,
			"there are no predictions; "
			"pipe the stream through kfkd-predict");
	if (s->truth && !schema->columns.n && !schema->has_label)
		return kf_fail(err,
			"there are no targets to put beside the predictions");
	return 0;
}

int kf_save_flush(const struct kf_save *s, struct kf_err *err)
{
	if (fflush(s->file) || ferror(s->file))
		return kf_fail_errno(err, "cannot write '%s'", s->name);
	return 0;
}

/* Whether a text reads as v, both at once and by way of a double, which in the middle
 * between v and the next float, beyond, does not say whose the text is. */
static bool reads_as(const char *text, float v)
{
	double d = strtod(text, NULL), beyond = v + 2 * (d - v);

	return (float)d == v && ((float)beyond != beyond || strtof(text, NULL) == v);
}

void kf_save_digits(float v, char text[KF_NUMBER_TEXT])
{
	for (int digits = 6; digits <= 9; digits++) {
		snprintf(text, KF_NUMBER_TEXT, "%.*g", digits, v);
		if (reads_as(text, v))
			break;
	}
}

void kf_save_number(FILE *file, float v)
{
	char text[KF_NUMBER_TEXT];

	if (isnan(v))
		return;
	kf_save_digits(v, text);
	fputs(text, file);
}
