/* The fields of a CSV of faces. */
#define _GNU_SOURCE
#include "formats/fields.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "formats/parse.h"

static int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* -- in place ------------------------------------------------------------------- */

/* The words that pandas and R write for a missing value. */
static const char *const missing[] = { "NaN", "NA" };

/* The length of such a word at the start of text, else 0. */
static size_t missing_length(const char *text)
{
	for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
		if (!strncmp(text, missing[i], strlen(missing[i])))
			return strlen(missing[i]);
	return 0;
}

static bool ends_field(char c)
{
	return c == ',' || c == '\n' || c == '\r' || c == '\0';
}

const char *kf_plain_target(const char *p, float *value)
{
	size_t n = missing_length(p);

	if (ends_field(p[n])) {
		*value = NAN;
		return p + n;
	}
	p = kf_parse_number(p, value);
	return p && isfinite(*value) ? p : NULL;
}

const char *kf_plain_id(const char *p, int64_t *id)
{
	const char *first = p;

	for (*id = 0; is_digit(*p) && p - first < 18; p++)
		*id = *id * 10 + (*p - '0');
	return p > first ? p : NULL;
}

const char *kf_plain_text(const char *p)
{
	while (*p != ',' && *p != '"' && (unsigned char)*p >= ' ')
		p++;
	return p;
}

const char *kf_plain_name(const char *p, char name[KF_NAME_WIDTH])
{
	const char *end = kf_plain_text(p);
	size_t n = (size_t)(end - p);
	struct kf_err unused;

	if (n >= KF_NAME_WIDTH || (n > 0 && (*p == ' ' || end[-1] == ' ')))
		return NULL;
	memcpy(name, p, n);
	name[n] = '\0';
	return kf_texts_check(name, &unused) < 0 ? NULL : end;
}

/* -- anything ------------------------------------------------------------------- */

/* The start of a field, made printable for a message. */
struct excerpt {
	char text[32];
};

static struct excerpt excerpt(const char *text, size_t n)
{
	struct excerpt e;
	size_t most = sizeof e.text - sizeof "...";

	for (size_t i = 0; i < n && i < most; i++)
		e.text[i] = (char)(text[i] < ' ' || text[i] > '~' ? '?' : text[i]);
	strcpy(e.text + (n < most ? n : most), n > most ? "..." : "");
	return e;
}

int kf_field_target(const char *text, size_t len, float *value, struct kf_err *err)
{
	*value = NAN;
	if (len == missing_length(text))
		return 0;
	if (kf_parse_number(text, value) != text + len)
		return kf_fail(err, "'%s' is not a number", excerpt(text, len).text);
	if (isinf(*value))
		return kf_fail(err, "'%s' is too large", excerpt(text, len).text);
	return 0;
}

int kf_field_id(const char *text, size_t len, int64_t *id, struct kf_err *err)
{
	const char *p = text;

	*id = 0;
	while (is_digit(*p))
		if (__builtin_mul_overflow(*id, 10, id) ||
			__builtin_add_overflow(*id, *p++ - '0', id))
			break;
	if (len == 0 || p != text + len || *id < 0)
		return kf_fail(err, "'%s' is not a whole number from 0",
			excerpt(text, len).text);
	return 0;
}

int kf_field_name(const char *text, size_t len, char name[KF_NAME_WIDTH],
	struct kf_err *err)
{
	if (len >= KF_NAME_WIDTH)
		return kf_fail(err, "a name of %zu bytes; it may have %d", len,
			KF_NAME_WIDTH - 1);
	if (kf_texts_check(text, err) < 0)
		return -1;
	memcpy(name, text, len + 1);
	return 0;
}

int64_t kf_field_pixels(const char *text, size_t len, uint8_t *pixel, size_t room,
	struct kf_err *err)
{
	const char *p = text, *end = text + len;
	size_t n = 0;

	while (p < end) {
		const char *start = p;
		unsigned value = 0;

		if (*p == ' ') {
			p++;
			continue;
		}
		while (is_digit(*p) && value <= 255)
			value = value * 10 + (unsigned)(*p++ - '0');
		if (value > 255 || (p < end && *p != ' '))
			return kf_fail(err,
				"pixel %zu is '%s', not a whole number "
				"from 0 to 255",
				n + 1, excerpt(start, strcspn(start, " ")).text);
		if (n < room)
			pixel[n] = (uint8_t)value;
		n++;
	}
	return (int64_t)n;
}
