/* Philox-4x32-10, and MT19937 for the shuffle alone. */
#include "base/rng.h"

#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* -- Philox -------------------------------------------------------------------- */

void kf_philox(uint64_t seed, enum kf_purpose purpose, uint32_t layer, uint32_t step,
	uint64_t block, uint32_t out[4])
{
	uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);
	uint32_t c0 = (uint32_t)block, c1 = (uint32_t)(block >> 32), c2 = step,
		 c3 = (uint32_t)purpose << 24 | (layer & 0xffffff);

	for (int round = 0; round < 10; round++) {
		uint64_t even = (uint64_t)0xd2511f53 * c0;
		uint64_t odd = (uint64_t)0xcd9e8d57 * c2;

		c0 = (uint32_t)(odd >> 32) ^ c1 ^ key0;
		c1 = (uint32_t)odd;
		c2 = (uint32_t)(even >> 32) ^ c3 ^ key1;
		c3 = (uint32_t)even;
		key0 += 0x9e3779b9; /* the golden ratio's fraction */
		key1 += 0xbb67ae85; /* that of the square root of 3 */
	}
	out[0] = c0;
	out[1] = c1;
	out[2] = c2;
	out[3] = c3;
}

#if defined(__x86_64__)

typedef uint64_t words __attribute__((vector_size(32)));

/* The products of the words' lower halves. */
#define TIMES(a, b) (words) _mm256_mul_epu32((__m256i)(a), (__m256i)(b))

/*
 * Four blocks at a time, one in the lower half of each word; returns how many
 * blocks were done, a multiple of four.
 */
__attribute__((target("avx2"))) static size_t fours(uint64_t seed, uint32_t last,
	uint32_t step, uint64_t first, size_t count, uint32_t *out)
{
	const words low = (words){ 0 } + 0xffffffff;
	const words even_factor = (words){ 0 } + 0xd2511f53;
	const words odd_factor = (words){ 0 } + 0xcd9e8d57;
	size_t done = 0;

	for (; done + 4 <= count; done += 4) {
		words c0 = first + done + (words){ 0, 1, 2, 3 }, c1 = c0 >> 32;
		words c2 = (words){ 0 } + step, c3 = (words){ 0 } + last, a, b;
		uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);

		for (int round = 0; round < 10; round++) {
			words even = TIMES(c0, even_factor),
			      odd = TIMES(c2, odd_factor);

			c0 = odd >> 32 ^ c1 ^ key0;
			c1 = odd;
			c2 = even >> 32 ^ c3 ^ key1;
			c3 = even;
			key0 += 0x9e3779b9;
			key1 += 0xbb67ae85;
		}
		a = (c0 & low) | c1 << 32;
		b = (c2 & low) | c3 << 32;
		memcpy(out + 4 * done, &(words){ a[0], b[0], a[1], b[1] }, sizeof a);
		memcpy(out + 4 * done + 8, &(words){ a[2], b[2], a[3], b[3] },
			sizeof a);
	}
	return done;
}

#endif

void kf_philox_blocks(uint64_t seed, enum kf_purpose purpose, uint32_t layer,
	uint32_t step, uint64_t first, size_t count, uint32_t *out)
{
	size_t done = 0;

#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2"))
		done = fours(seed, (uint32_t)purpose << 24 | (layer & 0xffffff), step,
			first, count, out);
#endif
	for (; done < count; done++)
		kf_philox(seed, purpose, layer, step, first + done, out + 4 * done);
}

uint32_t kf_rng_u32(uint64_t seed, enum kf_purpose purpose, uint32_t layer,
	uint32_t step, uint64_t index)
{
	uint32_t lane[4];

	kf_philox(seed, purpose, layer, step, index / 4, lane);
	return lane[index % 4];
}

double kf_rng_uniform(uint64_t seed, enum kf_purpose purpose, uint32_t layer,
	uint32_t step, uint64_t index)
{
	return kf_rng_u32(seed, purpose, layer, step, index) * 0x1p-32;
}

void kf_rng_fill_uniform(float *out, size_t n, float a, uint64_t seed,
	enum kf_purpose purpose, uint32_t layer, uint32_t step)
{
	uint32_t lane[4];

	for (size_t i = 0; i < n; i++) {
		if (i % 4 == 0)
			kf_philox(seed, purpose, layer, step, i / 4, lane);
		out[i] = (float)(a * (lane[i % 4] * 0x1p-31 - 1));
	}
}

/* -- orders -------------------------------------------------------------------- */

struct key {
	uint32_t key, i;
};

static int by_key(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->i < y->i ? -1 : x->i > y->i;
}

int kf_rng_order(uint32_t *order, uint32_t n, uint64_t seed, enum kf_purpose purpose,
	uint32_t step)
{
	struct key *keys = malloc(((size_t)n + 1) * sizeof *keys);

	if (!keys)
		return -1;
	for (uint32_t i = 0; i < n; i++)
		keys[i] = (struct key){ kf_rng_u32(seed, purpose, 0, step, i), i };
	qsort(keys, n, sizeof *keys, by_key);
	for (uint32_t i = 0; i < n; i++)
		order[i] = keys[i].i;
	free(keys);
	return 0;
}

/* -- MT19937 (Matsumoto and Nishimura, 1998) ------------------------------------ */

#define MT_WORDS 624
#define MT_AHEAD 397

struct mt {
	uint32_t word[MT_WORDS];
	int at;
};

static void mt_seed(struct mt *mt, uint32_t seed)
{
	mt->word[0] = seed;
	for (uint32_t i = 1; i < MT_WORDS; i++) {
		uint32_t before = mt->word[i - 1];

		mt->word[i] = 1812433253 * (before ^ before >> 30) + i;
	}
	mt->at = MT_WORDS;
}

static void mt_refill(struct mt *mt)
{
	for (int i = 0; i < MT_WORDS; i++) {
		uint32_t mixed = (mt->word[i] & 0x80000000) |
			(mt->word[(i + 1) % MT_WORDS] & 0x7fffffff);

		mt->word[i] = mt->word[(i + MT_AHEAD) % MT_WORDS] ^ mixed >> 1 ^
			(mixed & 1 ? 0x9908b0df : 0);
	}
	mt->at = 0;
}

static uint32_t mt_next(struct mt *mt)
{
	uint32_t v;

	if (mt->at == MT_WORDS)
		mt_refill(mt);
	v = mt->word[mt->at++];
	v ^= v >> 11;
	v ^= v << 7 & 0x9d2c5680;
	v ^= v << 15 & 0xefc60000;
	return v ^ v >> 18;
}

/* A number from 0 to max: draws the bits that max needs until it fits. */
static uint32_t mt_up_to(struct mt *mt, uint32_t max)
{
	uint32_t mask = max, v;

	for (int shift = 1; shift < 32; shift *= 2)
		mask |= mask >> shift;
	do
		v = mt_next(mt) & mask;
	while (v > max);
	return v;
}

void kf_shuffle(uint32_t *rows, uint32_t n, uint32_t seed)
{
	struct mt mt;

	mt_seed(&mt, seed);
	for (uint32_t i = 0; i < n; i++)
		rows[i] = i;
	for (uint32_t i = n; i-- > 1;) {
		uint32_t j = mt_up_to(&mt, i), row = rows[i];

		rows[i] = rows[j];
		rows[j] = row;
	}
}
