/* Numbers from text. */
#define _GNU_SOURCE
#include "formats/parse.h"

#include <float.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A sign and at least one digit. */
static const char *skip_exponent(const char *p)
{
	if (*p == '-' || *p == '+')
		p++;
	if (!is_digit(*p))
		return NULL;
	while (is_digit(*p))
		p++;
	return p;
}

/*
 * digits / 10^places as strtof gives it.  Both fit into a double, so the
 * quotient is the nearest double; rounded again to a float it is the nearest
 * float too, unless it lies exactly between two.  Then, and out of the range of
 * floats, -1.
 */
static int narrow(uint64_t digits, int places, float *value)
{
	static const double power[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8,
		1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
		1e21, 1e22 };
	double v;
	uint64_t bits;

	if (FLT_EVAL_METHOD != 0 || digits > (uint64_t)1 << 53 || places > 22)
		return -1;
	v = (double)digits / power[places];
	memcpy(&bits, &v, sizeof bits);
	if ((bits & 0x1fffffff) == 0x10000000 || (v < FLT_MIN && digits > 0))
		return -1;
	*value = (float)v;
	return 0;
}

const char *kf_parse_number(const char *text, float *value)
{
	const char *p = text + (*text == '-' || *text == '+'), *first = p, *point;
	uint64_t digits = 0;
	int places = 0;

	for (; is_digit(*p); p++)
		digits = digits * 10 + (uint64_t)(*p - '0');
	point = p;
	if (*p == '.')
		for (p++; is_digit(*p); p++, places++)
			digits = digits * 10 + (uint64_t)(*p - '0');
	if (point - first + places == 0)
		return NULL;
	if (*p != 'e' && *p != 'E' && point - first + places <= 19 &&
		narrow(digits, places, value) == 0) {
		if (*text == '-')
			*value = -*value;
		return p;
	}
	if (*p == 'e' || *p == 'E')
		p = skip_exponent(p + 1);
	if (p)
		*value = strtof(text, NULL);
	return p;
}
