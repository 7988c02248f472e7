/* Locks on files, which keep other programs that ask for them from using the same. */
#ifndef KF_LOCK_H
#define KF_LOCK_H

#include <stdbool.h>

#include "base/err.h"

/*
 * Locks what is at path, so that this function fails in other programs until the
 * lock is closed or the program ends.  *lock is -1 at first, and then a descriptor
 * to be closed; -1 still where nothing is at path.  Locked already, it stays so.  A
 * file system without locks grants all of them.
 */
int kf_lock(const char *path, int *lock, struct kf_err *err);

/* Locks an open file; true if another program has the lock. */
bool kf_locked_by_another(int fd);

/* Whether fd is what has this name, in the directory dir, now. */
bool kf_has_name(int fd, int dir, const char *name);

/* The message of a lock that another program has; returns -1. */
int kf_fail_in_use(const char *path, struct kf_err *err);

#endif
