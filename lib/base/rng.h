/*
 * Random numbers that depend on where they are used, not on how many were
 * drawn before: any backend, layout or number of threads gets the same ones.
 *
 * Philox-4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
 * 2011).  The key is the seed, low word first; the counter's words are
 *
 *     block (low), block (high), step, purpose << 24 | layer
 *
 * and give four numbers: element i of a tensor, counted in NCHW order, is
 * lane i % 4 of block i / 4.
 */
#ifndef KF_RNG_H
#define KF_RNG_H

#include <stddef.h>
#include <stdint.h>

/* Streams are told apart by these numbers: add only at the end. */
enum kf_purpose {
	KF_RNG_WEIGHTS,
	KF_RNG_DROPOUT,
	KF_RNG_FLIP,
	KF_RNG_AUGMENT,
	KF_RNG_BATCHES,
	KF_RNG_SYNTH,
	KF_RNG_SPLIT,
	KF_RNG_SHUFFLE
};

/* One block.  purpose has 8 bits, layer 24. */
void kf_philox(uint64_t seed, enum kf_purpose purpose, uint32_t layer, uint32_t step,
	uint64_t block, uint32_t out[4]);

/* count consecutive blocks, starting with block `first`, into out (4 * count). */
void kf_philox_blocks(uint64_t seed, enum kf_purpose purpose, uint32_t layer,
	uint32_t step, uint64_t first, size_t count, uint32_t *out);

/* One number: all 32 bits, or a multiple of 2^-32 in [0, 1). */
uint32_t kf_rng_u32(uint64_t seed, enum kf_purpose purpose, uint32_t layer,
	uint32_t step, uint64_t index);
double kf_rng_uniform(uint64_t seed, enum kf_purpose purpose, uint32_t layer,
	uint32_t step, uint64_t index);

/* n numbers from -a to a, those of index 0 to n - 1. */
void kf_rng_fill_uniform(float *out, size_t n, float a, uint64_t seed,
	enum kf_purpose purpose, uint32_t layer, uint32_t step);

/*
 * order (n) becomes 0 to n - 1 in a random order, that of the numbers of index 0
 * to n - 1.  -1 if there is no memory to sort them.
 */
int kf_rng_order(uint32_t *order, uint32_t n, uint64_t seed, enum kf_purpose purpose,
	uint32_t step);

/*
 * Fills rows with 0 to n - 1 in the order that numpy's
 * RandomState(seed).shuffle gives them, and so scikit-learn's
 * shuffle(random_state=seed).  The only sequential generator here.
 */
void kf_shuffle(uint32_t *rows, uint32_t n, uint32_t seed);

#endif
