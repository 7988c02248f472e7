/*
 * Files that appear whole or not at all.  What is written to one is seen under
 * its path only once it is committed; what was there before stays until then.
 *
 * Until then a file has no name at all where the file system allows that
 * (O_TMPFILE).  Elsewhere, and for the moment in which it replaces another, it is
 * called ".kfkd-" and 16 digits, in the same directory, and locked (flock): a name
 * without a lock was left by a program that was killed, and the next one that
 * writes to the same path removes it.
 *
 * A program that is ended by a signal leaves nothing behind if its handler calls
 * kf_whole_remove_pending, or if the file is of a kind that holds signals back.
 */
#ifndef KF_WHOLE_FILE_H
#define KF_WHOLE_FILE_H

#include <stdbool.h>

#include "base/err.h"

enum kf_whole_kind {
	/*
	 * A program's output, which may take as long as the program runs.
	 * Replaces what is there.  A device, a pipe, and a file that cannot be
	 * replaced, as it is a mount point or in a directory where none can be
	 * created, are written in place.
	 */
	KF_WHOLE_OUTPUT,
	/*
	 * A state that one program saves again and again.  Replaces what is there,
	 * and refuses what can only be written in place.  Signals that would end
	 * the program wait until it is committed or abandoned.
	 */
	KF_WHOLE_STATE,
	/*
	 * One of many small files, none of which exists yet: commit fails where
	 * one does.  Signals wait, as above; not synchronized with the disk.
	 */
	KF_WHOLE_NEW
};
enum { KF_WHOLE_KINDS = KF_WHOLE_NEW + 1 };

/* A file being written; the functions below free it. */
struct kf_whole_file;

/*
 * Opens a file to be at path, which is copied.  Symbolic links are followed, also
 * to where nothing is yet, unless the file is new; a file that is replaced passes
 * on its permissions and, as far as the system lets it, its owner.  NULL with err
 * filled, which names path, as do the messages of commit.
 */
struct kf_whole_file *kf_whole_open(const char *path, enum kf_whole_kind kind,
	struct kf_err *err);

/* Where to write; stays the file's. */
int kf_whole_fd(const struct kf_whole_file *f);

/* Whether a regular file is written in place, and so is not whole until the end.
 * Its old content is there until the first write. */
bool kf_whole_in_place(const struct kf_whole_file *f);

/* Gives the file its name, or removes it where that fails.  Frees f. */
int kf_whole_commit(struct kf_whole_file *f, struct kf_err *err);

/* Removes the file and frees f; NULL is allowed. */
void kf_whole_abandon(struct kf_whole_file *f);

/* Removes all files that were opened and not committed.  Async-signal-safe, and
 * meant for the end of a program: they cannot be committed any more. */
void kf_whole_remove_pending(void);

/*
 * Commits a state to the path of a lock (base/lock.h), which passes from the file
 * that is replaced to the new one: at no moment is one without a lock at path.  With
 * *lock -1, it fails where there is a file by now, which must be another program's.
 */
int kf_whole_commit_locked(struct kf_whole_file *f, int *lock, struct kf_err *err);

#endif
