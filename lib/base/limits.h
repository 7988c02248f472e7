/* The memory that this machine gives to a process. */
#ifndef KF_LIMITS_H
#define KF_LIMITS_H

#include <stddef.h>

/*
 * Bytes of memory that this process may take at the most: the machine's, or what limits
 * of the process (RLIMIT_AS, RLIMIT_DATA) and of its control group (memory.max of version
 * 2) leave of it.
 */
size_t kf_memory_limit(void);

#endif
