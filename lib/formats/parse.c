/* Text to numbers. */
#define _GNU_SOURCE
#include "formats/parse.h"

#include <float.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#if defined __SSE2__ && !defined KF_PLAIN_C
#include <emmintrin.h>
#endif

/* -- numbers ------------------------------------------------------------------ */

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

/* -- pixels ------------------------------------------------------------------- */

/* 64 bytes of text; bit i of each word says something about byte i. */
struct block {
	uint64_t digits, spaces; /* whether it is one */
	uint64_t large;          /* the number before it is above 255 */
	uint8_t value[64];       /* of the up to three digits right before it */
};

#if defined __SSE2__ && !defined KF_PLAIN_C

/* 0xff for each byte that is a digit, given its distance from '0'. */
static __m128i which_digits(__m128i distance)
{
	return _mm_cmpeq_epi8(_mm_min_epu8(distance, _mm_set1_epi8(9)), distance);
}

static __m128i distance_at(const char *p)
{
	return _mm_sub_epi8(_mm_loadu_si128((const __m128i *)p), _mm_set1_epi8('0'));
}

static uint64_t bits(__m128i bytes)
{
	return (uint64_t)(unsigned)_mm_movemask_epi8(bytes);
}

/* Takes 16 bytes at a time, together with those one, two and three places
 * earlier. */
static void look_at(const char *text, struct block *b)
{
	b->digits = b->spaces = b->large = 0;
	for (int i = 0; i < 64; i += 16) {
		const char *p = text + i;
		__m128i at = distance_at(p), ones = distance_at(p - 1),
			tens = distance_at(p - 2), hundreds = distance_at(p - 3);
		__m128i two = which_digits(tens);
		__m128i three = _mm_and_si128(two, which_digits(hundreds));
		__m128i value, small, above;

		tens = _mm_and_si128(tens, two);
		hundreds = _mm_and_si128(hundreds, three);
		/*
		 * 9 * 10 and 2 * 100 fit into a byte, so no product of 16 bits
		 * carries into the next byte.  Hundreds above 2 are large.
		 */
		above = _mm_cmpgt_epi8(hundreds, _mm_set1_epi8(2));
		hundreds = _mm_min_epu8(hundreds, _mm_set1_epi8(2));
		small = _mm_add_epi8(ones, _mm_mullo_epi16(tens, _mm_set1_epi16(10)));
		hundreds = _mm_mullo_epi16(hundreds, _mm_set1_epi16(100));
		value = _mm_add_epi8(small, hundreds);
		above = _mm_or_si128(above,
			_mm_xor_si128(value, _mm_adds_epu8(small, hundreds)));
		_mm_storeu_si128((__m128i *)(b->value + i), value);
		b->digits |= bits(which_digits(at)) << i;
		b->spaces |= bits(_mm_cmpeq_epi8(at, _mm_set1_epi8(' ' - '0'))) << i;
		b->large |= bits(above) << i;
	}
}

#else

static void look_at(const char *text, struct block *b)
{
	b->digits = b->spaces = b->large = 0;
	for (int i = 0; i < 64; i++) {
		const char *p = text + i;
		int value = p[-1] - '0';

		if (is_digit(p[-2]))
			value += (p[-2] - '0') * 10;
		if (is_digit(p[-2]) && is_digit(p[-3]))
			value += (p[-3] - '0') * 100;
		b->value[i] = (uint8_t)value;
		b->digits |= (uint64_t)is_digit(*p) << i;
		b->spaces |= (uint64_t)(*p == ' ') << i;
		b->large |= (uint64_t)(value > 255) << i;
	}
}

#endif

/* The flags of n bytes earlier, the first of them from the block before. */
static uint64_t earlier(uint64_t block, uint64_t before, int n)
{
	return block << n | before >> (64 - n);
}

/*
 * Works on 64 bytes at a time: computes the value before each byte, needed or
 * not, then picks those before a separator.
 */
const char *kf_parse_pixels(const char *text, uint8_t *pixel, size_t n)
{
	uint64_t before = (uint64_t)1 << 63; /* what precedes text is a separator */
	size_t count = 0;

	for (;; text += 64) {
		struct block b;
		uint64_t stops, separators, near, next;

		look_at(text, &b);
		/* Separators up to the first stop, which ends the last
		 * pixel. */
		stops = ~(b.digits | b.spaces);
		separators = ~b.digits & (stops ^ (stops - 1));
		/* One to three digits lie between two separators. */
		next = earlier(separators, before, 1);
		near = earlier(separators, before, 2) | earlier(separators, before, 3) |
			earlier(separators, before, 4);
		if (separators & (next | ~near | b.large))
			return NULL;
		before = separators;
		for (; separators && count < n; separators &= separators - 1)
			pixel[count++] = b.value[__builtin_ctzll(separators)];
		if (separators)
			return NULL;
		if (stops)
			return count == n ? text + __builtin_ctzll(stops) : NULL;
	}
}
