/* Large arrays. */
#ifndef KF_LARGE_H
#define KF_LARGE_H

#include <stddef.h>

/*
 * Asks the system to back freshly allocated memory with large pages, where it
 * can.  An array of tens of MiB that is used once would cost most of its time in
 * page faults.
 */
void kf_large(void *p, size_t bytes);

/*
 * Allocates the bytes, rounded up to a multiple of 64 and aligned to 64; from the size of
 * a large page on, rounded up to whole large pages and aligned to these: for an array that
 * is filled at once.  free frees it; NULL when out of memory.
 */
void *kf_large_alloc(size_t bytes);

#endif
