/*
 * Files that appear whole or not at all.  What is written to one is seen under
 * its path only once it is committed; what was there before stays until then.
 *
 * A program that is ended by a signal leaves nothing behind if its handler calls
 * kf_whole_remove_pending, or if the file is of a kind that holds signals back.
 */
#ifndef KF_WHOLE_FILE_H
#define KF_WHOLE_FILE_H

#include "base/err.h"

enum kf_whole_kind {
	/*
	 * A program's output, which may take as long as the program runs.
	 * Replaces what is there; a device or pipe is written in place.
	 */
	KF_WHOLE_OUTPUT,
	/*
	 * A state that one program saves again and again.  Replaces what is there,
	 * and refuses what is not a regular file.  SIGHUP, SIGINT and SIGTERM wait
	 * until it is committed or abandoned; what a killed program left of one is
	 * used again by the next.
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
 * Opens a file to be at path, which is copied.  Symbolic links are followed
 * where there is something to replace.  NULL with err filled, which names path,
 * as do the messages of commit.
 */
struct kf_whole_file *kf_whole_open(const char *path, enum kf_whole_kind kind,
	struct kf_err *err);

/* Where to write; stays the file's. */
int kf_whole_fd(const struct kf_whole_file *f);

/* Gives the file its name, or removes it where that fails.  Frees f. */
int kf_whole_commit(struct kf_whole_file *f, struct kf_err *err);

/* Removes the file and frees f; NULL is allowed. */
void kf_whole_abandon(struct kf_whole_file *f);

/* Removes all files that were opened and not committed.  Async-signal-safe, and
 * meant for the end of a program: they cannot be committed any more. */
void kf_whole_remove_pending(void);

#endif
