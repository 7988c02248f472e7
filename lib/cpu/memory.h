/* Arenas of floats, and the first failure. */
#ifndef KF_CPU_MEMORY_H
#define KF_CPU_MEMORY_H

#include "cpu/internal.h"

/* Keeps the first failure for sync; any thread of a team may call it. */
void cpu_fail(struct kf_backend *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* n zeroed floats, aligned to cache lines, which the caller frees; NULL on failure. */
float *cpu_floats(struct kf_backend *b, size_t n);

/* The n floats at *f, allocated likewise on first use; NULL on failure. */
float *cpu_floats_once(struct kf_backend *b, float **f, size_t n);

/* to (n) += v, in one thread. */
void cpu_add_to(float *to, const float *v, size_t n);

/* n floats for an operation, any numbers in them, which last until the next call; NULL on
 * failure. */
float *cpu_workspace(struct kf_backend *b, size_t n);

/* As struct kf_backend_ops describes them. */
struct kf_mem *cpu_alloc(struct kf_backend *b, size_t n);
struct kf_mem *cpu_adopt(struct kf_backend *b, void *host, enum kf_dtype dtype,
	size_t n);
struct kf_mem *cpu_show(struct kf_backend *b, struct kf_mem *m, void *host,
	enum kf_dtype dtype, size_t n);
void cpu_free(struct kf_backend *b, struct kf_mem *m);
void cpu_write(struct kf_backend *b, struct kf_mem *m, size_t offset, const float *src,
	size_t n);
void cpu_read(struct kf_backend *b, const struct kf_mem *m, size_t offset, float *dst,
	size_t n);
void cpu_copy(struct kf_backend *b, struct kf_mem *dst, const struct kf_mem *src,
	size_t n);

#endif
