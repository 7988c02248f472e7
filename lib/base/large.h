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

#endif
