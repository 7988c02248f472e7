/* What tests of a backend's operations share: the backend, memory on it, numbers, and
 * comparisons with what double precision gives. */
#ifndef BACKEND_TEST_H
#define BACKEND_TEST_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "net/backend.h"
#include "net/layers_parse.h"
#include "no_leak_check.h"
#include "tap.h"

static struct kf_backend *b;

/* n numbers from -1 to 1; each `what` has its own. */
static inline float *numbers(size_t n, uint32_t what)
{
	float *v = malloc((n + 1) * sizeof *v);

	kf_rng_fill_uniform(v, n, 1, 7, KF_RNG_SYNTH, what, 0);
	return v;
}

static inline double *zeros(size_t n)
{
	return calloc(n + 1, sizeof(double));
}

/* The largest difference, relative to the largest value, or to scale. */
static inline double difference(const float *got, const double *want, size_t n,
	double scale)
{
	double d = 0;

	for (size_t i = 0; i < n; i++) {
		if (!(fabs(got[i] - want[i]) <= d))
			d = fabs(got[i] - want[i]);
		if (fabs(want[i]) > scale)
			scale = fabs(want[i]);
	}
	return d / scale;
}

/* scale is for what would be 0 but for rounding of values of this size. */
static inline bool similar(const float *got, const double *want, size_t n, double limit,
	double scale)
{
	double d = difference(got, want, n, scale);

	if (!(d <= limit))
		note("relative difference %g", d);
	return d <= limit;
}

static inline bool same(const float *got, const double *want, size_t n, double limit)
{
	return similar(got, want, n, limit, 1e-30);
}

static inline double *widen(const float *v, size_t n)
{
	double *d = zeros(n);

	for (size_t i = 0; i < n; i++)
		d[i] = v[i];
	return d;
}

/* The nearest float whose last 16 bits are zero, which is how bf16 stores it; of two the
 * one with an even last bit. */
static inline float round_to_bf16(float v)
{
	uint32_t bits;

	memcpy(&bits, &v, sizeof bits);
	bits += 0x7fff + (bits >> 16 & 1);
	bits &= 0xffff0000;
	memcpy(&v, &bits, sizeof v);
	return v;
}

static inline struct kf_mem *upload(const float *v, size_t n)
{
	struct kf_mem *m = b->op->alloc(b, n);

	b->op->write(b, m, 0, v, n);
	return m;
}

static inline float *download(const struct kf_mem *m, size_t offset, size_t n)
{
	float *v = malloc((n + 1) * sizeof *v);

	b->op->read(b, m, offset, v, n);
	return v;
}

/* The same of an act. */
static inline bool same_act(struct kf_act *a, const double *want, size_t n,
	double limit, double scale)
{
	float *got = malloc((n + 1) * sizeof *got);
	bool good;

	b->op->read_act(b, a, got);
	good = similar(got, want, n, limit, scale);
	free(got);
	return good;
}

static inline bool healthy(void)
{
	struct kf_err err;

	if (b->op->sync(b, &err) == 0)
		return true;
	note("%s", err.msg);
	return false;
}

#endif
