/* Complete reads and writes; temporary files. */
#define _GNU_SOURCE
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
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
		return kf_fail_errno(err,
			"cannot create temporary file '%s', where TMPDIR has it", path);
	unlink(path);
	return fd;
}

int kf_seekable(int fd, const char *name, struct kf_err *err)
{
	struct kf_source src = { .fd = fd, .name = name };
	char piece[1 << 14];
	ssize_t n;
	int temp;

	if (lseek(fd, 0, SEEK_CUR) >= 0)
		return fd;
	temp = kf_tempfile(err);
	if (temp < 0)
		return -1;
	while ((n = kf_read(&src, piece, sizeof piece, err)) > 0)
		if (kf_write(temp, KF_TEMPFILE, piece, (size_t)n, err) < 0) {
			n = -1;
			break;
		}
	if (n == 0 && lseek(temp, 0, SEEK_SET) == 0)
		return temp;
	if (n == 0)
		kf_fail_errno(err, "cannot rewind a temporary file");
	close(temp);
	return -1;
}
