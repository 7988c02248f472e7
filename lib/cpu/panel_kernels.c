/* The inner loops of dense layers' products, for each instruction set. */
#define _GNU_SOURCE
#include "cpu/panel_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "cpu/onednn.h"

/* For any processor, by vectors of GCC and clang. */
typedef float floats4 __attribute__((vector_size(16), aligned(4)));

static inline void sum4(float *total, const floats4 *v)
{
	for (int i = 0; i < 4; i++)
		total[i] = (v[i][0] + v[i][1]) + (v[i][2] + v[i][3]);
}

#define NAMED(f) f##_plain
#define TARGET
#define VECTOR floats4
#define FACTORS floats4
#define LANES 4
#define WORDS PANEL
#define LOAD(p) (*(const floats4 *)(p))
#define STORE(p, v) (*(floats4 *)(p) = (v))
#define ALL(f) ((f) - (floats4){ 0 })
#define ZERO ((floats4){ 0 })
#define FMA(a, b, c) ((a) * (b) + (c))
#define SUM4 sum4
#define UNITS 2
#define COLUMNS 2
#include "cpu/panel_loops.h"

static void scale_bytes_plain(const uint8_t *v, float *to)
{
	for (int i = 0; i < PANEL; i++)
		to[i] = (float)v[i] / 255;
}

static const struct cpu_kernels plain = { dots_plain, outer_plain, scale_bytes_plain,
	NULL, NULL };

#if defined(__x86_64__)

#define AVX2 __attribute__((target("avx2,fma")))

AVX2 static inline void sum4_avx2(float *total, const __m256 *v)
{
	__m256 sum =
		_mm256_hadd_ps(_mm256_hadd_ps(v[0], v[1]), _mm256_hadd_ps(v[2], v[3]));

	_mm_storeu_ps(total,
		_mm_add_ps(_mm256_castps256_ps128(sum), _mm256_extractf128_ps(sum, 1)));
}

/* v / 255 by its remainder: for each byte what a division gives, in a fraction of its
 * time. */
AVX2 static inline __m256 over_255_avx2(__m256 v)
{
	const __m256 part = _mm256_set1_ps(1.0F / 255);
	__m256 q = _mm256_mul_ps(v, part);

	return _mm256_fmadd_ps(_mm256_fnmadd_ps(q, _mm256_set1_ps(255), v), part, q);
}

#define NAMED(f) f##_avx2
#define TARGET AVX2
#define VECTOR __m256
#define FACTORS __m256
#define LANES 8
#define WORDS PANEL
#define LOAD _mm256_loadu_ps
#define STORE _mm256_storeu_ps
#define ALL _mm256_set1_ps
#define ZERO _mm256_setzero_ps()
#define FMA _mm256_fmadd_ps
#define SUM4 sum4_avx2
#define UNITS 3
#define COLUMNS 2
#include "cpu/panel_loops.h"

AVX2 static void scale_bytes_avx2(const uint8_t *v, float *to)
{
	for (int i = 0; i < PANEL; i += 8)
		_mm256_storeu_ps(to + i,
			over_255_avx2(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(
				_mm_loadl_epi64((const __m128i *)(v + i))))));
}

static const struct cpu_kernels avx2 = { dots_avx2, outer_avx2, scale_bytes_avx2, NULL,
	NULL };

#define AVX512 __attribute__((target("avx512f,avx512dq")))

/* Pairs of lanes, then pairs of pairs, then the four quarters of the vector. */
AVX512 static inline void sum4_avx512(float *total, const __m512 *v)
{
	__m512 a = _mm512_add_ps(_mm512_unpacklo_ps(v[0], v[1]),
		_mm512_unpackhi_ps(v[0], v[1]));
	__m512 b = _mm512_add_ps(_mm512_unpacklo_ps(v[2], v[3]),
		_mm512_unpackhi_ps(v[2], v[3]));
	__m512 sum = _mm512_add_ps(_mm512_shuffle_ps(a, b, _MM_SHUFFLE(1, 0, 1, 0)),
		_mm512_shuffle_ps(a, b, _MM_SHUFFLE(3, 2, 3, 2)));
	__m256 half = _mm256_add_ps(_mm512_castps512_ps256(sum),
		_mm512_extractf32x8_ps(sum, 1));

	_mm_storeu_ps(total,
		_mm_add_ps(_mm256_castps256_ps128(half),
			_mm256_extractf128_ps(half, 1)));
}

#define NAMED(f) f##_avx512
#define TARGET AVX512
#define VECTOR __m512
#define FACTORS __m512
#define LANES 16
#define WORDS PANEL
#define LOAD _mm512_loadu_ps
#define STORE _mm512_storeu_ps
#define ALL _mm512_set1_ps
#define ZERO _mm512_setzero_ps()
#define FMA _mm512_fmadd_ps
#define SUM4 sum4_avx512
#define UNITS 5
#define COLUMNS 4
#include "cpu/panel_loops.h"

/* Longer vectors make no difference to bytes, at least on Zen 4. */
static const struct cpu_kernels avx512 = { dots_avx512, outer_avx512, scale_bytes_avx2,
	NULL, NULL };

#define BF16 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))

/* Words are loaded as floats, which they are not: nothing is computed with them. */
BF16 static inline __m512bh load_bf16(const float *p)
{
	return (__m512bh)_mm512_loadu_ps(p);
}

#define NAMED(f) f##_bf16
#define TARGET BF16
#define VECTOR __m512
#define FACTORS __m512bh
#define LANES 16
#define WORDS (PANEL / 2)
#define LOAD load_bf16
#define STORE _mm512_storeu_ps
#define ALL(f) ((__m512bh)_mm512_set1_ps(f))
#define ZERO _mm512_setzero_ps()
#define FMA(a, b, c) _mm512_dpbf16_ps(c, a, b)
#define SUM4 sum4_avx512
#define UNITS 5
#define COLUMNS 4
#include "cpu/panel_loops.h"

BF16 static void round_bf16(float *words, const float *v, size_t n)
{
	for (size_t i = 0; i < n; i += 32)
		_mm512_storeu_ps(words + i / 2,
			(__m512)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(v + i + 16),
				_mm512_loadu_ps(v + i)));
}

BF16 static inline __m512i low_bf16(const float *v)
{
	return _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(v)));
}

BF16 static void pair_bf16(float *words, const float *a, const float *b, size_t n)
{
	for (size_t i = 0; i < n; i += 16) {
		__m512i pair = low_bf16(a + i);

		if (b)
			pair = _mm512_or_si512(pair,
				_mm512_slli_epi32(low_bf16(b + i), 16));
		_mm512_storeu_ps(words + i, _mm512_castsi512_ps(pair));
	}
}

static const struct cpu_kernels bf16 = { dots_bf16, outer_bf16, scale_bytes_avx2,
	round_bf16, pair_bf16 };

/* What oneDNN may use, too, so that the environment limits both alike. */
const struct cpu_kernels *cpu_kernels(bool rounds)
{
	if (rounds)
		return &bf16;
	if (cpu_has(dnnl_cpu_isa_avx512_core))
		return &avx512;
	return cpu_has(dnnl_cpu_isa_avx2) && __builtin_cpu_supports("fma") ? &avx2 :
									     &plain;
}

#else

const struct cpu_kernels *cpu_kernels(bool rounds)
{
	(void)rounds; /* no such processor is known here */
	return &plain;
}

#endif
