/*
 * A part of a file, used where it lies in the system's memory rather than copied.
 *
 * There is one at a time, as what guards it is a signal handler: where the file becomes
 * shorter meanwhile, or cannot be read, the part turns into zeros in place of a SIGBUS
 * that ends the program, and kf_mapping_lost tells.
 */
#ifndef KF_MAPPING_H
#define KF_MAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* n bytes of a file from `offset` on, which are only to be read, until kf_unmap; NULL
 * where they cannot be mapped, or others are.  A thread that reads them needs a
 * kf_signal_stack (base/signals.h); the calling one has it then. */
void *kf_map(int fd, uint64_t offset, size_t n);
void kf_unmap(void); /* does nothing where there is none */

/* Whether the part, or one before it, turned into zeros while it was mapped. */
bool kf_mapping_lost(void);

#endif
