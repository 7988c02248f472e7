/* Files that get their name once they are whole. */
#define _GNU_SOURCE
#include "base/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/signals.h"

#define LINKS_MAX 40 /* symbolic links in a row, as many as Linux follows */
#define TRIES_MAX 20 /* temporary names */

static const struct {
	bool replaces;        /* what is there */
	bool writes_in_place; /* where it cannot replace */
	bool holds;           /* signals back */
	bool syncs;
} kinds[KF_WHOLE_KINDS] = {
	[KF_WHOLE_OUTPUT] = { .replaces = true,
		.writes_in_place = true,
		.syncs = true },
	[KF_WHOLE_STATE] = { .replaces = true, .holds = true, .syncs = true },
	[KF_WHOLE_NEW] = { .holds = true },
};

struct kf_whole_file {
	enum kf_whole_kind kind;
	int fd;
	int dir;          /* where it will be; -1 if it is written in place */
	bool cut;         /* at commit, to what was written in place */
	char *path;       /* as given, for messages */
	char *target;     /* the same with symbolic links followed */
	const char *name; /* its last component */
	char temp[24];    /* its name in dir until it is whole, if has_temp */
	volatile sig_atomic_t has_temp, removed;
	sigset_t before;
	struct kf_whole_file *volatile next; /* of those that are pending */
};

/*
 * Handlers walk this list.  It changes, and files in it get and lose their
 * temporary names, only while signals are held back.
 */
static struct kf_whole_file *volatile pending;

/* -- the end of a program ---------------------------------------------------------- */

static void drop_pending(struct kf_whole_file *f)
{
	struct kf_whole_file *volatile *at = &pending;

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
}

/* Also called by handlers. */
static void remove_file(struct kf_whole_file *f)
{
	off_t written = f->cut ? lseek(f->fd, 0, SEEK_CUR) : 0;

	if (f->has_temp)
		unlinkat(f->dir, f->temp, 0);
	/* no mixture of a new beginning and an old end */
	if (written > 0 && ftruncate(f->fd, written))
		return;
}

void kf_whole_remove_pending(void)
{
	for (struct kf_whole_file *f = pending; f; f = f->next) {
		if (!f->removed)
			remove_file(f);
		f->removed = 1;
	}
}

static void hold_signals(sigset_t *before)
{
	sigset_t fatal;

	kf_fatal_signals(&fatal);
	sigprocmask(SIG_BLOCK, &fatal, before);
}

/* Frees f, and lets through the signals that were held back. */
static void release(struct kf_whole_file *f)
{
	sigset_t before = f->before;

	drop_pending(f);
	if (f->fd >= 0)
		close(f->fd);
	if (f->dir >= 0)
		close(f->dir);
	free(f->path);
	free(f->target);
	free(f);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

/* -- temporary names --------------------------------------------------------------- */

/* FNV-1a. */
static uint64_t hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3;
	return h;
}

/* The first name is always the same for a target, so that what a killed program
 * left is found; the others cannot be foreseen. */
static void set_temp(struct kf_whole_file *f, bool first)
{
	uint64_t number;

	if (first || getrandom(&number, sizeof number, 0) != sizeof number)
		number = hash(f->name);
	snprintf(f->temp, sizeof f->temp, ".kfkd-%016llx", (unsigned long long)number);
}

/*
 * Removes what has the temporary name, unless a program that is still running has
 * locked it.  Other things of the name, such as a symbolic link, are a stranger's.
 */
static void remove_left_over(const struct kf_whole_file *f)
{
	int fd =
		openat(f->dir, f->temp, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat sb;

	if (fd < 0)
		return;
	if (fstat(fd, &sb) == 0 && S_ISREG(sb.st_mode) &&
		flock(fd, LOCK_EX | LOCK_NB) == 0 && kf_has_name(fd, f->dir, f->temp))
		unlinkat(f->dir, f->temp, 0);
	close(fd);
}

static int create_temp(struct kf_whole_file *f, mode_t mode)
{
	struct stat sb;

	f->fd = openat(f->dir, f->temp,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (f->fd < 0)
		return -1;
	if (!kf_locked_by_another(f->fd) && fstat(f->fd, &sb) == 0 && sb.st_nlink > 0)
		return 0;
	/* taken for one left over before it was locked */
	close(f->fd);
	f->fd = -1;
	errno = EEXIST;
	return -1;
}

/* Gives a name to the file without one. */
static int link_to(const struct kf_whole_file *f, const char *name)
{
	char proc[40];

	snprintf(proc, sizeof proc, "/proc/self/fd/%d", f->fd);
	return linkat(AT_FDCWD, proc, f->dir, name, AT_SYMLINK_FOLLOW);
}

/* Creates the file under a temporary name, or gives the open one such a name. */
static int take_temp(struct kf_whole_file *f, mode_t mode)
{
	bool create = f->fd < 0;

	for (int i = 0; i < TRIES_MAX; i++) {
		set_temp(f, i < 2);
		if ((create ? create_temp(f, mode) : link_to(f, f->temp)) == 0) {
			f->has_temp = 1;
			return 0;
		}
		if (errno != EEXIST)
			return -1;
		remove_left_over(f);
	}
	return -1;
}

/* -- opening ----------------------------------------------------------------------- */

/* The path behind the symbolic links at the end of path; NULL with errno. */
static char *follow_links(const char *path)
{
	char *at = strdup(path), *next, *slash, link[PATH_MAX];

	for (int i = 0; at && i < LINKS_MAX; i++) {
		ssize_t n = readlink(at, link, sizeof link - 1);

		if (n < 0)
			return at;
		link[n] = '\0';
		slash = strrchr(at, '/');
		if (slash && link[0] != '/') {
			slash[1] = '\0';
			if (asprintf(&next, "%s%s", at, link) < 0)
				next = NULL;
		} else {
			next = strdup(link);
		}
		free(at);
		at = next;
	}
	if (at)
		errno = ELOOP;
	free(at);
	return NULL;
}

static int open_directory(struct kf_whole_file *f)
{
	char *slash = strrchr(f->target, '/');
	char *path = slash ? strndup(f->target, (size_t)(slash - f->target) + 1) :
			     strdup(".");

	f->name = slash ? slash + 1 : f->target;
	if (path)
		f->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->dir < 0 && errno == EACCES) /* enough but for syncing it */
		f->dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(path);
	return f->dir < 0 ? -1 : 0;
}

/*
 * Whether no other file can take the place of what is there: a mount point, what
 * is open but has no name (by /dev/fd), or another user's file in a directory such
 * as /tmp.
 */
static bool irreplaceable(const struct kf_whole_file *f, const struct stat *old)
{
	struct stat named, dir;
	struct statx sx;
	uid_t me = geteuid();

	if (fstatat(f->dir, f->name, &named, 0))
		return true;
	if (statx(f->dir, f->name, 0, 0, &sx) == 0 &&
		(sx.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return true;
	return fstat(f->dir, &dir) == 0 && (dir.st_mode & S_ISVTX) && me != 0 &&
		me != dir.st_uid && me != old->st_uid;
}

/* Passes on owner and permissions; where the group cannot be kept, its rights are
 * no more than others have. */
static void pass_on(int fd, const struct stat *old)
{
	mode_t mode = old->st_mode & 0777;

	if (fchown(fd, old->st_uid, old->st_gid) && fchown(fd, (uid_t)-1, old->st_gid))
		mode &= ~(mode_t)070 | (mode & 07) << 3;
	fchmod(fd, mode);
}

/* A file without a name, if that can be given one later, or with a temporary name. */
static int open_temp(struct kf_whole_file *f, const struct stat *old)
{
	mode_t mode = old ? 0600 : 0666;

	set_temp(f, true);
	remove_left_over(f);
	f->fd = openat(f->dir, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, mode);
	if (f->fd >= 0 && access("/proc/self/fd", X_OK)) {
		close(f->fd);
		f->fd = -1;
	}
	if (f->fd < 0 && take_temp(f, mode) < 0)
		return -1;
	if (old)
		pass_on(f->fd, old);
	/* other programs take one without a lock for left over */
	kf_locked_by_another(f->fd);
	return 0;
}

/* Opens what is there; it is cut to its new length at commit. */
static int open_in_place(struct kf_whole_file *f, const struct stat *old)
{
	if (f->dir >= 0)
		close(f->dir);
	f->dir = -1;
	f->fd = open(f->path, O_WRONLY | O_CLOEXEC);
	f->cut = f->fd >= 0 && S_ISREG(old->st_mode);
	return f->fd < 0 ? -1 : 0;
}

/* Opens a file that replaces old, which may be NULL; -1 with err filled. */
static int open_file(struct kf_whole_file *f, const struct stat *old,
	struct kf_err *err)
{
	bool in_place;

	if (old && !S_ISREG(old->st_mode) && !kinds[f->kind].writes_in_place)
		return kf_fail(err, "cannot create '%s': not a regular file", f->path);
	in_place = old &&
		(!S_ISREG(old->st_mode) || open_directory(f) < 0 ||
			irreplaceable(f, old));
	if (in_place && !kinds[f->kind].writes_in_place)
		return kf_fail(err,
			"cannot replace '%s', which can only be written in place",
			f->path);
	if (!old && open_directory(f) < 0)
		return kf_fail_errno(err, "cannot create '%s'", f->path);
	if (!in_place && open_temp(f, old) == 0)
		return 0;
	if (old && !in_place && kinds[f->kind].writes_in_place)
		in_place = errno == EACCES || errno == EPERM || errno == EROFS;
	if (in_place && open_in_place(f, old) == 0)
		return 0;
	return kf_fail_errno(err, "cannot create '%s'", f->path);
}

/* What is at path now, or *there false; a path that cannot be is an error. */
static int look(const char *path, enum kf_whole_kind kind, struct stat *old,
	bool *there)
{
	size_t n = strlen(path);

	*there = kinds[kind].replaces && stat(path, old) == 0;
	if (*there)
		return 0;
	if (kinds[kind].replaces && errno != ENOENT)
		return -1;
	errno = n && path[n - 1] == '/' ? EISDIR : ENOENT;
	return n && path[n - 1] != '/' ? 0 : -1;
}

struct kf_whole_file *kf_whole_open(const char *path, enum kf_whole_kind kind,
	struct kf_err *err)
{
	struct kf_whole_file *f;
	struct stat old;
	bool there;
	int rc;

	if (look(path, kind, &old, &there) < 0) {
		kf_fail_errno(err, "cannot create '%s'", path);
		return NULL;
	}
	f = calloc(1, sizeof *f);
	if (!f) {
		kf_fail_memory(err);
		return NULL;
	}
	f->kind = kind;
	f->fd = f->dir = -1;
	hold_signals(&f->before);
	f->next = pending;
	pending = f;
	f->path = strdup(path);
	f->target = kinds[kind].replaces ? follow_links(path) : strdup(path);
	if (!f->path || !f->target)
		rc = kf_fail_errno(err, "cannot create '%s'", path);
	else
		rc = open_file(f, there ? &old : NULL, err);
	if (rc < 0) {
		release(f);
		return NULL;
	}
	if (!kinds[kind].holds)
		sigprocmask(SIG_SETMASK, &f->before, NULL);
	return f;
}

int kf_whole_fd(const struct kf_whole_file *f)
{
	return f->fd;
}

bool kf_whole_in_place(const struct kf_whole_file *f)
{
	return f->cut;
}

/* -- the end of a file ------------------------------------------------------------- */

/* Writes that failed late, as they do in a network, are told here. */
static int flush(const struct kf_whole_file *f)
{
	if (f->cut && ftruncate(f->fd, lseek(f->fd, 0, SEEK_CUR)))
		return -1;
	if (kinds[f->kind].syncs && (f->dir >= 0 || f->cut))
		return fsync(f->fd) && errno != EINVAL ? -1 : 0;
	return close(dup(f->fd));
}

/* rename replaces what has the name; link leaves it alone and fails. */
static int give_name(struct kf_whole_file *f, bool replace)
{
	if (!f->has_temp) {
		if (link_to(f, f->name) == 0)
			return 0;
		if (errno != EEXIST || !replace || take_temp(f, 0) < 0)
			return -1;
	}
	if (replace) {
		if (renameat(f->dir, f->temp, f->dir, f->name))
			return -1;
	} else {
		if (linkat(f->dir, f->temp, f->dir, f->name, 0))
			return -1;
		unlinkat(f->dir, f->temp, 0);
	}
	f->has_temp = 0;
	return 0;
}

/* A power cut must not take the name back.  Not every file system syncs those. */
static int sync_directory(const struct kf_whole_file *f, struct kf_err *err)
{
	if (kinds[f->kind].syncs && fsync(f->dir) && errno == EIO)
		return kf_fail_errno(err, "cannot write '%s'", f->path);
	return 0;
}

static int finish(struct kf_whole_file *f, bool replace, struct kf_err *err)
{
	if (f->removed)
		return kf_fail(err, "cannot create '%s': it was removed", f->path);
	if (flush(f))
		return kf_fail_errno(err, "cannot write '%s'", f->path);
	if (f->dir < 0)
		return 0;
	if (give_name(f, replace) == 0)
		return sync_directory(f, err);
	if (errno == EEXIST && !replace && kinds[f->kind].replaces)
		return kf_fail_in_use(f->path, err);
	return kf_fail_errno(err, "cannot create '%s'", f->path);
}

/* Finishes f, removes it where that fails, and frees it.  Its descriptor goes to
 * *keep, unless that is NULL. */
static int finish_and_free(struct kf_whole_file *f, bool replace, int *keep,
	struct kf_err *err)
{
	sigset_t now;
	int rc;

	hold_signals(&now);
	if (!kinds[f->kind].holds)
		f->before = now;
	rc = finish(f, replace, err);
	if (rc < 0) {
		remove_file(f);
	} else if (keep) {
		if (*keep >= 0)
			close(*keep);
		*keep = f->fd;
		f->fd = -1;
	}
	release(f);
	return rc;
}

int kf_whole_commit(struct kf_whole_file *f, struct kf_err *err)
{
	return finish_and_free(f, kinds[f->kind].replaces, NULL, err);
}

int kf_whole_commit_locked(struct kf_whole_file *f, int *lock, struct kf_err *err)
{
	return finish_and_free(f, *lock >= 0, lock, err);
}

void kf_whole_abandon(struct kf_whole_file *f)
{
	if (!f)
		return;
	if (!kinds[f->kind].holds)
		hold_signals(&f->before);
	remove_file(f);
	release(f);
}
