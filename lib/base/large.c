/* Large arrays. */
#define _GNU_SOURCE
#include "base/large.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define LINE ((size_t)64)
#define PAGE ((uintptr_t)2 << 20)

void *kf_large_alloc(size_t bytes)
{
	size_t unit = bytes < PAGE ? LINE : PAGE;
	size_t whole = (bytes + unit - 1) / unit * unit;
	void *p = whole < bytes ? NULL : aligned_alloc(unit, whole);

	kf_large(p, whole);
	return p;
}

void kf_large(void *p, size_t bytes)
{
	uintptr_t start = ((uintptr_t)p + PAGE - 1) / PAGE * PAGE;
	uintptr_t end = ((uintptr_t)p + bytes) / PAGE * PAGE;

	if (p && start < end)
		madvise((void *)start, end - start, MADV_HUGEPAGE);
}
