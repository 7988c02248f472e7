/* Numbers and names of pictures. */
#define _GNU_SOURCE
#include "labels/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formats/parse.h"

#define FARTHEST 1e6 /* pixels, in either direction */

int kf_label_check(double value, struct kf_err *err)
{
	if (fabs(value) <= FARTHEST)
		return 0;
	return kf_fail(err, "%g is too large for a coordinate", value);
}

int kf_label_number(const char *text, size_t len, double *value, struct kf_err *err)
{
	float narrow;

	if (kf_parse_number(text, &narrow) != text + len)
		return kf_fail(err, "'%.30s' is not a number", text);
	*value = strtod(text, NULL);
	return kf_label_check(*value, err);
}

bool kf_is_picture_name(const char *text)
{
	static const char *const endings[] = { ".jpg", ".jpeg", ".png", ".pgm", ".ppm",
		".pnm", ".pam", ".pbm" };
	const char *dot = strrchr(text, '.');

	for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
		if (!strcasecmp(dot, endings[i]))
			return true;
	return false;
}
