/* Whole reads and writes, temporary files. */
#define _GNU_SOURCE
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

ssize_t kf_read(struct kf_source *src, void *buf, size_t n, struct kf_err *err)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = read(src->fd, (char *)buf + done, n - done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return kf_fail_errno(err, "cannot read '%s'", src->name);
		if (r == 0)
			break;
		done += (size_t)r;
		src->offset += (uint64_t)r;
	}
	return (ssize_t)done;
}

int kf_source_place(const struct kf_source *src, struct kf_err *err)
{
	return kf_place(err, "'%s', byte %llu", src->name,
		(unsigned long long)src->offset);
}

int kf_pread(int fd, const char *name, void *buf, size_t n, uint64_t offset,
	struct kf_err *err)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r =
			pread(fd, (char *)buf + done, n - done, (off_t)(offset + done));

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return kf_fail_errno(err, "cannot read '%s'", name);
		if (r == 0)
			return kf_fail(err, "'%s' became shorter while it was read",
				name);
		done += (size_t)r;
	}
	return 0;
}

int kf_write(int fd, const char *name, const void *buf, size_t n, struct kf_err *err)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = write(fd, (const char *)buf + done, n - done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return kf_fail_errno(err, "cannot write '%s'", name);
		done += (size_t)r;
	}
	return 0;
}

int kf_tempfile(struct kf_err *err)
{
	const char *dir = getenv("TMPDIR");
	char path[4096];
	int fd;

	snprintf(path, sizeof path, "%s/kfkd-XXXXXX", dir && *dir ? dir : "/tmp");
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return kf_fail_errno(err, "cannot create temporary file '%s'", path);
	unlink(path);
	return fd;
}

int kf_file_begin(const char *path, char *temp, size_t size, struct kf_err *err)
{
	struct stat sb;
	int fd;

	if (stat(path, &sb) == 0 && !S_ISREG(sb.st_mode)) /* never replace a device */
		return kf_fail(err, "cannot create '%s': not a regular file", path);
	/* always the same name, so that what a killed run left is used again */
	if ((size_t)snprintf(temp, size, "%s.tmp", path) >= size)
		return kf_fail(err, "cannot create '%s': its name is too long", path);
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return kf_fail_errno(err, "cannot create '%s'", temp);
	return fd;
}

int kf_file_commit(int fd, const char *temp, const char *path, struct kf_err *err)
{
	int rc = fsync(fd) && errno != EINVAL ?
		kf_fail_errno(err, "cannot write '%s'", temp) :
		0;

	if (close(fd) && rc == 0)
		rc = kf_fail_errno(err, "cannot write '%s'", temp);
	if (rc == 0 && rename(temp, path))
		rc = kf_fail_errno(err, "cannot create '%s'", path);
	if (rc < 0)
		unlink(temp);
	return rc;
}
