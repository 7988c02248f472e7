/* Arenas of floats, and the first failure. */
#define _GNU_SOURCE
#include "cpu/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/large.h"

#define ALIGNMENT 64
#define PIECE ((size_t)1 << 18) /* bytes that a thread copies or clears at a time */

void cpu_fail(struct kf_backend *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
#pragma omp critical(fail)
	if (!cpu(b)->failed) {
		vsnprintf(cpu(b)->first.msg, sizeof cpu(b)->first.msg, fmt, ap);
		cpu(b)->failed = true;
	}
	va_end(ap);
}

/* -- floats ---------------------------------------------------------------------- */

/* Of n floats, and more than none behind them. */
static size_t bytes_of(size_t n)
{
	return (n * sizeof(float) + ALIGNMENT) / ALIGNMENT * ALIGNMENT;
}

/* f as it was allocated, or a failure where it was not. */
static float *cleared(struct kf_backend *b, float *f, size_t bytes)
{
	if (!f) {
		cpu_fail(b, "out of memory for %zu MiB", bytes >> 20);
		return NULL;
	}
#pragma omp parallel for schedule(static) if (bytes >= CPU_PARALLEL_MIN * sizeof *f)
	for (size_t at = 0; at < bytes; at += PIECE)
		memset((char *)f + at, 0, bytes - at < PIECE ? bytes - at : PIECE);
	return f;
}

float *cpu_floats(struct kf_backend *b, size_t n)
{
	size_t bytes = bytes_of(n);
	float *f = aligned_alloc(ALIGNMENT, bytes);

	kf_large(f, bytes);
	return cleared(b, f, bytes);
}

float *cpu_floats_once(struct kf_backend *b, float **f, size_t n)
{
	if (!*f)
		*f = cpu_floats(b, n);
	return *f;
}

float *cpu_workspace(struct kf_backend *b, size_t n)
{
	struct cpu *c = cpu(b);

	if (n <= c->workspace_floats)
		return c->workspace;
	free(c->workspace);
	c->workspace = cpu_floats(b, n);
	c->workspace_floats = c->workspace ? n : 0;
	return c->workspace;
}

CPU_CLONES
static void add_to(float *to, const float *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] += v[i];
}

/* Clones are static, since clang has other names for them. */
void cpu_add_to(float *to, const float *v, size_t n)
{
	add_to(to, v, n);
}

/* -- arenas ---------------------------------------------------------------------- */

struct kf_mem *cpu_adopt(struct kf_backend *b, void *host, enum kf_dtype dtype,
	size_t n)
{
	struct kf_mem *m = malloc(sizeof *m);

	if (!host || !m) {
		cpu_fail(b, "out of memory");
		free(host);
		free(m);
		return NULL;
	}
	*m = (struct kf_mem){ .f = host, .n = n, .bytes = dtype == KF_U8 };
	return m;
}

struct kf_mem *cpu_alloc(struct kf_backend *b, size_t n)
{
	size_t bytes = bytes_of(n);

	return cpu_adopt(b, cleared(b, kf_large_alloc(bytes), bytes), KF_F32, n);
}

struct kf_mem *cpu_show(struct kf_backend *b, struct kf_mem *m, void *host,
	enum kf_dtype dtype, size_t n)
{
	if (!m && !(m = malloc(sizeof *m))) {
		cpu_fail(b, "out of memory");
		return NULL;
	}
	*m = (struct kf_mem){ .f = host,
		.n = n,
		.bytes = dtype == KF_U8,
		.shown = true };
	return m;
}

void cpu_free(struct kf_backend *b, struct kf_mem *m)
{
	(void)b;
	if (m && !m->shown)
		free(m->f);
	free(m);
}

static void copy(void *to, const void *from, size_t bytes)
{
#pragma omp parallel for schedule(static) if (bytes >= 4 * PIECE)
	for (size_t at = 0; at < bytes; at += PIECE)
		memcpy((char *)to + at, (const char *)from + at,
			bytes - at < PIECE ? bytes - at : PIECE);
}

void cpu_write(struct kf_backend *b, struct kf_mem *m, size_t offset, const float *src,
	size_t n)
{
	if (!cpu(b)->failed)
		copy(m->f + offset, src, n * sizeof *src);
}

void cpu_read(struct kf_backend *b, const struct kf_mem *m, size_t offset, float *dst,
	size_t n)
{
	if (!cpu(b)->failed)
		copy(dst, m->f + offset, n * sizeof *dst);
}

void cpu_copy(struct kf_backend *b, struct kf_mem *dst, const struct kf_mem *src,
	size_t n)
{
	if (!cpu(b)->failed)
		copy(dst->f, src->f, n * sizeof *dst->f);
}
