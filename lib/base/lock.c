/* Locks on files by flock, which end with the program. */
#define _GNU_SOURCE
#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRIES_MAX 20 /* where others change names at the same time */

bool kf_locked_by_another(int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
}

int kf_fail_in_use(const char *path, struct kf_err *err)
{
	return kf_fail(err, "'%s' is in use by another program", path);
}

bool kf_has_name(int fd, int dir, const char *name)
{
	struct stat open, named;

	return fstat(fd, &open) == 0 && fstatat(dir, name, &named, 0) == 0 &&
		open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

int kf_lock(const char *path, int *lock, struct kf_err *err)
{
	int fd = -1;

	if (*lock >= 0 && kf_has_name(*lock, AT_FDCWD, path))
		return 0;
	/* between open and flock, another file may get the name */
	for (int i = 0; i < TRIES_MAX; i++) {
		fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0 && (errno == EACCES || errno == EROFS))
			fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			break;
		if (kf_locked_by_another(fd)) {
			close(fd);
			return kf_fail_in_use(path, err);
		}
		if (kf_has_name(fd, AT_FDCWD, path))
			break;
		close(fd);
		fd = -1;
		errno = EBUSY;
	}
	if (fd < 0 && errno != ENOENT)
		return kf_fail_errno(err, "cannot open '%s'", path);
	if (*lock >= 0)
		close(*lock);
	*lock = fd;
	return 0;
}
