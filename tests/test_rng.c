/*
 * The random generators: Philox-4x32-10 against the known answers published
 * with Random123, the shuffle against what numpy's RandomState(seed).shuffle
 * gives.
 */
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "tap.h"

/* The counter's words are given as what kf_philox makes them from. */
static const struct {
	uint64_t seed, block;
	uint32_t step, purpose, layer, want[4];
} answers[] = {
	{ 0, 0, 0, 0, 0, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
	{ UINT64_MAX, UINT64_MAX, 0xffffffff, 0xff, 0xffffff,
		{ 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
	{ 0x299f31d0a4093822, 0x85a308d3243f6a88, 0x13198a2e, 0x03, 0x707344,
		{ 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
};

static void test_known_answers(void)
{
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		uint32_t got[4];

		kf_philox(answers[i].seed, (enum kf_purpose)answers[i].purpose,
			answers[i].layer, answers[i].step, answers[i].block, got);
		ok(!memcmp(got, answers[i].want, sizeof got),
			"philox: known answer %zu", i + 1);
	}
}

static void test_lanes(void)
{
	uint64_t far = (uint64_t)5 << 33;
	uint32_t lane[4];
	bool same = true, above = true, below = true;

	kf_philox(7, KF_RNG_DROPOUT, 3, 9, far, lane);
	for (uint64_t i = 0; i < 4; i++)
		same = same &&
			kf_rng_u32(7, KF_RNG_DROPOUT, 3, 9, 4 * far + i) == lane[i];
	ok(same, "index i is lane i %% 4 of block i / 4");
	for (uint64_t i = 0; i < 4; i++) {
		double u = kf_rng_uniform(7, KF_RNG_DROPOUT, 3, 9, 4 * far + i);

		same = same && u == lane[i] / 4294967296.0;
		above = above && u >= 0;
		below = below && u < 1;
	}
	ok(same && above && below, "uniform numbers are the 32 bits over 2^32");
}

/* Blocks at once, up to and across 2^32, where the counter's next word begins. */
static void test_blocks(void)
{
	enum { BLOCKS = 11 };
	const uint64_t seed = 0x299f31d0a4093822;
	uint32_t got[4 * BLOCKS], want[4 * BLOCKS];

	for (uint64_t first = 0xfffffff0; first <= 0x100000000; first++) {
		bool same;

		kf_philox_blocks(seed, KF_RNG_DROPOUT, 3, 9, first, BLOCKS, got);
		for (uint64_t i = 0; i < BLOCKS; i++)
			kf_philox(seed, KF_RNG_DROPOUT, 3, 9, first + i, want + 4 * i);
		same = !memcmp(got, want, sizeof got);
		if (!same || first == 0x100000000)
			ok(same, "blocks at once are those one by one");
	}
}

static void test_fill(void)
{
	enum { N = 100003 };
	float *x = malloc(N * sizeof *x), short_one[7];
	double sum = 0, squares = 0;
	bool inside = true, same = true;

	kf_rng_fill_uniform(x, N, 0.5F, 1, KF_RNG_WEIGHTS, 2, 0);
	for (int i = 0; i < N; i++) {
		sum += x[i];
		squares += (double)x[i] * x[i];
		inside = inside && x[i] >= -0.5F && x[i] <= 0.5F;
	}
	ok(inside, "filled numbers lie from -a to a");
	/* standard deviations of the mean: 0.0009, of the mean square 0.0002 */
	ok(sum / N > -0.004 && sum / N < 0.004, "their mean is 0");
	ok(squares / N > 0.0823 && squares / N < 0.0843, "their mean square is a^2/3");
	for (uint64_t i = 0; i < N; i += 997)
		same = same &&
			x[i] ==
				(float)(kf_rng_uniform(1, KF_RNG_WEIGHTS, 2, 0, i) -
					0.5);
	ok(same, "element i comes from index i");
	kf_rng_fill_uniform(short_one, 7, 0.5F, 1, KF_RNG_WEIGHTS, 2, 0);
	ok(!memcmp(short_one, x, sizeof short_one), "and does not depend on the count");
	free(x);
}

/* The first rows, and all of them folded: d = d * 1000003 + row for each. */
static const struct {
	uint32_t n, seed, digest, first[8];
} shuffles[] = {
	{ 0, 42, 0, { 0 } },
	{ 1, 42, 0, { 0 } },
	{ 2, 0, 1000003, { 1, 0 } },
	{ 10, 4294967295, 1396557965, { 6, 9, 5, 1, 8, 0, 7, 4 } },
	{ 16, 42, 3886371362, { 0, 1, 5, 14, 13, 11, 8, 9 } },
	{ 16, 0, 1839128586, { 1, 6, 8, 9, 13, 4, 2, 14 } },
	{ 2140, 42, 3800799966, { 1532, 1726, 1414, 2064, 930, 590, 965, 240 } },
	{ 2140, 7, 3869134134, { 923, 1513, 1592, 1647, 651, 2134, 328, 856 } },
	{ 7000, 1, 416348934, { 2305, 4388, 1686, 4945, 4197, 1651, 1528, 6346 } },
};

static void test_shuffle(void)
{
	uint32_t rows[7000];

	for (size_t i = 0; i < sizeof shuffles / sizeof *shuffles; i++) {
		uint32_t n = shuffles[i].n, digest = 0;

		kf_shuffle(rows, n, shuffles[i].seed);
		for (uint32_t j = 0; j < n; j++)
			digest = digest * 1000003 + rows[j];
		ok(!memcmp(rows, shuffles[i].first, 4 * (n < 8 ? n : 8)) &&
				digest == shuffles[i].digest,
			"shuffle of %u rows with seed %u equals numpy's", n,
			shuffles[i].seed);
	}
}

int main(void)
{
	test_known_answers();
	test_lanes();
	test_blocks();
	test_fill();
	test_shuffle();
	return done_testing();
}
