/* Large arrays. */
#define _GNU_SOURCE
#include "base/large.h"

#include <stdint.h>
#include <sys/mman.h>

#define PAGE ((uintptr_t)2 << 20)

void kf_large(void *p, size_t bytes)
{
	uintptr_t start = ((uintptr_t)p + PAGE - 1) / PAGE * PAGE;
	uintptr_t end = ((uintptr_t)p + bytes) / PAGE * PAGE;

	if (p && start < end)
		madvise((void *)start, end - start, MADV_HUGEPAGE);
}
