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

/* Allocates a multiple of 64 bytes at one, and in large pages alone where an array has
 * their size: for one that is filled at once.  free frees it; NULL when out of memory. */
void *kf_large_alloc(size_t bytes);

#endif
