/* Large arrays. */
#ifndef KF_LARGE_H
#define KF_LARGE_H

#include <stddef.h>

/*
 * Asks the system to back memory that was just allocated with large pages, where
 * it can: of tens of MiB that are used once, most of the time goes into pages.
 */
void kf_large(void *p, size_t bytes);

#endif
