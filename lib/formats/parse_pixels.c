/* Pixels from text. */
#include "formats/parse_pixels.h"

#include <string.h>
#if defined __x86_64__
#include <immintrin.h>
#endif

/* -- any processor ----------------------------------------------------------------- */

/* The value of a digit; more than 9 for anything else. */
static unsigned digit(char c)
{
	return (unsigned)c - '0';
}

static const char *parse_plain(const char *p, uint8_t *pixel, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned value;

		if (i > 0 && *p++ != ' ')
			return NULL;
		value = digit(*p++);
		if (value > 9)
			return NULL;
		for (int more = 2; more > 0 && digit(*p) <= 9; more--)
			value = value * 10 + digit(*p++);
		if (value > 255)
			return NULL;
		pixel[i] = (uint8_t)value;
	}
	return *p == ' ' || digit(*p) <= 9 ? NULL : p;
}

static bool always(void)
{
	return true;
}

#if defined __x86_64__

/*
 * -- 64 bytes at a time ------------------------------------------------------------
 *
 * A block is the 64 bytes from four before text.  The value of the number that would
 * end right before each of them is computed, needed or not, out of the bytes one, two
 * and three places earlier; then those where one does end move together.  The first
 * four bytes of a block, with which the one before ended, only say what a number in
 * the next begins with; so blocks need to know nothing of each other.
 */
enum { SEEN = 4, STEP = 64 - SEEN };

/* Bit i says something about byte i of the block. */
struct block {
	uint64_t digits, spaces; /* whether it is one */
	uint64_t large;          /* the number before it is above 255 */
	uint64_t stops;          /* it is neither digit nor space */
	uint64_t ends;           /* a number ends before it, up to the first stop */
};

/* Sets stops and ends; false where other than one to three digits are before an end. */
static inline bool find_ends(struct block *b)
{
	const uint64_t fresh = ~(((uint64_t)1 << SEEN) - 1);
	uint64_t d = b->digits, three = d & d << 1 & d << 2;

	b->stops = ~(d | b->spaces) & fresh;
	b->ends = ~d & fresh & (b->stops ^ (b->stops - 1));
	return !(b->ends & (~(d << 1) | three << 2 | b->large));
}

/* What digits stand for as the tens and hundreds of a number.  From OVER hundreds on it
 * is above 255 whatever follows. */
#define OVER (-1)
#define TENS 0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 0, 0, 0, 0, 0, 0
#define HUNDREDS \
	0, 100, (char)200, OVER, OVER, OVER, OVER, OVER, OVER, OVER, 0, 0, 0, 0, 0, 0

/* What both of the following use besides their vectors. */
static bool counts_bits(void)
{
	return __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
		__builtin_cpu_supports("popcnt");
}

/* -- AVX-512 ------------------------------------------------------------------------ */

#define AVX512 __attribute__((target("avx512bw,avx512vl,avx512vbmi2,bmi,bmi2,popcnt")))

AVX512 static const char *parse_avx512(const char *text, uint8_t *pixel, size_t n)
{
	const __m512i tens = _mm512_broadcast_i32x4(_mm_setr_epi8(TENS)),
		      hundreds = _mm512_broadcast_i32x4(_mm_setr_epi8(HUNDREDS)),
		      zero = _mm512_set1_epi8('0'), nine = _mm512_set1_epi8(9),
		      space = _mm512_set1_epi8(' '), over = _mm512_set1_epi8(OVER);

	for (;; text += STEP) {
		const char *p = text - SEEN;
		__m512i at = _mm512_loadu_si512(p), one = _mm512_loadu_si512(p - 1),
			two = _mm512_loadu_si512(p - 2),
			three = _mm512_loadu_si512(p - 3);
		__m512i value;
		__m256i packed;
		struct block b;
		size_t count;

		b.digits = _mm512_cmple_epu8_mask(_mm512_sub_epi8(at, zero), nine);
		b.spaces = _mm512_cmpeq_epi8_mask(at, space);
		one = _mm512_sub_epi8(one, zero);
		two = _mm512_maskz_shuffle_epi8(b.digits << 2, tens, two);
		three = _mm512_maskz_shuffle_epi8(b.digits << 2 & b.digits << 3,
			hundreds, three);
		value = _mm512_add_epi8(_mm512_add_epi8(one, two), three);
		b.large = _mm512_cmplt_epu8_mask(value, three) |
			_mm512_cmpeq_epi8_mask(three, over);
		if (!find_ends(&b))
			return NULL;
		count = (size_t)__builtin_popcountll(b.ends);
		packed = _mm512_castsi512_si256(
			_mm512_maskz_compress_epi8(b.ends, value));
		if (n >= sizeof packed)
			_mm256_storeu_si256((__m256i *)pixel, packed);
		else if (n >= count)
			_mm256_mask_storeu_epi8(pixel, (1u << count) - 1, packed);
		else
			return NULL;
		pixel += count;
		n -= count;
		if (b.stops)
			return n ? NULL : p + __builtin_ctzll(b.stops);
	}
}

static bool runs_avx512(void)
{
	return __builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("avx512vl") &&
		__builtin_cpu_supports("avx512vbmi2") && counts_bits();
}

/* -- AVX2 --------------------------------------------------------------------------- */

#define AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt")))

/* For each choice of eight bytes, where those come from that move to the front. */
static uint64_t chosen[256];

static void fill_chosen(void)
{
	for (unsigned choice = 0; choice < 256; choice++) {
		int at = 0;

		for (uint64_t i = 0; i < 8; i++)
			if (choice >> i & 1)
				chosen[choice] |= i << 8 * at++;
	}
}

AVX2 static inline __m256i distances(const char *p)
{
	return _mm256_sub_epi8(_mm256_loadu_si256((const __m256i *)p),
		_mm256_set1_epi8('0'));
}

AVX2 static inline uint64_t bits(__m256i bytes)
{
	return (uint64_t)(uint32_t)_mm256_movemask_epi8(bytes);
}

/* Bytes i to i + 31 of the block at p. */
AVX2 static inline __m256i look_avx2(const char *p, int i, struct block *b)
{
	const __m256i tens = _mm256_broadcastsi128_si256(_mm_setr_epi8(TENS)),
		      hundreds = _mm256_broadcastsi128_si256(_mm_setr_epi8(HUNDREDS)),
		      nine = _mm256_set1_epi8(9), space = _mm256_set1_epi8(' ' - '0'),
		      over = _mm256_set1_epi8(OVER);
	__m256i at = distances(p + i), one = distances(p + i - 1),
		two = distances(p + i - 2), three = distances(p + i - 3);
	__m256i digits = _mm256_cmpeq_epi8(_mm256_min_epu8(at, nine), at);
	__m256i value, above;

	/* what is below '0' becomes 0 here, since it is negative */
	three = _mm256_and_si256(_mm256_shuffle_epi8(hundreds, three),
		_mm256_cmpgt_epi8(two, _mm256_set1_epi8(-1)));
	two = _mm256_add_epi8(one, _mm256_shuffle_epi8(tens, two));
	value = _mm256_add_epi8(two, three);
	above = _mm256_or_si256(_mm256_cmpeq_epi8(three, over),
		_mm256_xor_si256(value, _mm256_adds_epu8(two, three)));
	b->digits |= bits(digits) << i;
	b->spaces |= bits(_mm256_cmpeq_epi8(at, space)) << i;
	b->large |= bits(above) << i;
	return value;
}

/* Moves the bytes chosen to the front; returns where the next go. */
AVX2 static inline uint8_t *pack_8(uint8_t *to, __m128i bytes, uint64_t choice)
{
	__m128i from = _mm_loadl_epi64((const __m128i *)&chosen[choice & 255]);

	_mm_storel_epi64((__m128i *)to, _mm_shuffle_epi8(bytes, from));
	return to + __builtin_popcountll(choice & 255);
}

AVX2 static inline uint8_t *pack_32(uint8_t *to, __m256i bytes, uint64_t choice)
{
	__m128i low = _mm256_castsi256_si128(bytes),
		high = _mm256_extracti128_si256(bytes, 1);

	to = pack_8(to, low, choice);
	to = pack_8(to, _mm_unpackhi_epi64(low, low), choice >> 8);
	to = pack_8(to, high, choice >> 16);
	return pack_8(to, _mm_unpackhi_epi64(high, high), choice >> 24);
}

AVX2 static const char *parse_avx2(const char *text, uint8_t *pixel, size_t n)
{
	if (!chosen[2]) /* the first that is not 0 once they are filled */
		fill_chosen();
	for (;; text += STEP) {
		const char *p = text - SEEN;
		struct block b = { 0 };
		__m256i low = look_avx2(p, 0, &b), high = look_avx2(p, 32, &b);
		uint8_t last[64], *to = n >= sizeof last ? pixel : last;
		size_t count;

		if (!find_ends(&b))
			return NULL;
		count = (size_t)__builtin_popcountll(b.ends);
		if (count > n)
			return NULL;
		pack_32(pack_32(to, low, b.ends), high, b.ends >> 32);
		if (to == last)
			memcpy(pixel, last, count);
		pixel += count;
		n -= count;
		if (b.stops)
			return n ? NULL : p + __builtin_ctzll(b.stops);
	}
}

static bool runs_avx2(void)
{
	return __builtin_cpu_supports("avx2") && counts_bits();
}

#endif

/* -- the choice -------------------------------------------------------------------- */

const struct kf_pixel_parser kf_pixel_parsers[KF_PIXEL_PARSERS] = {
#if defined __x86_64__
	{ "AVX-512", runs_avx512, parse_avx512 },
	{ "AVX2", runs_avx2, parse_avx2 },
#endif
	{ "any", always, parse_plain },
};

const char *kf_parse_pixels(const char *text, uint8_t *pixel, size_t n)
{
	static const struct kf_pixel_parser *fastest;

	if (!fastest)
		for (fastest = kf_pixel_parsers; !fastest->runs();)
			fastest++;
	return fastest->parse(text, pixel, n);
}
