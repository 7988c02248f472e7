/* Images that stay in a file. */
#define _GNU_SOURCE
#include "train/image_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"

struct kf_extent {
	size_t row;      /* the first; the next extent's is one past the last */
	uint64_t offset; /* of its image */
};

/* -- opening ----------------------------------------------------------------------- */

struct kf_image_file *kf_image_file_open(int fd, const char *name,
	const struct stat *opened, size_t image, struct kf_err *err)
{
	struct kf_image_file *f = malloc(sizeof *f);

	if (!f) {
		kf_fail_memory(err);
		return NULL;
	}
	*f = (struct kf_image_file){ .image = image,
		.fd = fd,
		.name = name,
		.opened = *opened };
	return f;
}

struct kf_image_file *kf_image_file_new(size_t image, struct kf_err *err)
{
	const struct stat none = { 0 };
	struct kf_image_file *f;
	int fd = kf_tempfile(err);

	if (fd < 0)
		return NULL;
	f = kf_image_file_open(fd, KF_TEMPFILE, &none, image, err);
	if (f)
		f->temporary = true;
	else
		close(fd);
	return f;
}

void kf_image_file_close(struct kf_image_file *f)
{
	if (!f)
		return;
	if (f->temporary)
		close(f->fd);
	free(f->extent);
	free(f->order);
	free(f);
}

/* -- where images lie --------------------------------------------------------------- */

static bool goes_on(const struct kf_image_file *f, size_t row, uint64_t offset)
{
	const struct kf_extent *last;

	if (!f->n)
		return false;
	last = &f->extent[f->n - 1];
	return last->offset + (row - last->row) * f->image == offset;
}

int kf_image_file_add(struct kf_image_file *f, size_t row, size_t n, uint64_t offset,
	struct kf_err *err)
{
	size_t room = f->room ? 2 * f->room : 64;
	struct kf_extent *more;

	if (!n || goes_on(f, row, offset))
		return 0;
	if (f->n == f->room) {
		more = realloc(f->extent, room * sizeof *more);
		if (!more)
			return kf_fail_memory(err);
		f->extent = more;
		f->room = room;
	}
	f->extent[f->n++] = (struct kf_extent){ row, offset };
	return 0;
}

int kf_image_file_write(struct kf_image_file *f, size_t row, size_t n,
	const void *images, struct kf_err *err)
{
	if (kf_image_file_add(f, row, n, f->end, err) < 0 ||
		kf_write(f->fd, f->name, images, n * f->image, err) < 0)
		return -1;
	f->end += n * f->image;
	return 0;
}

size_t kf_image_file_memory(const struct kf_image_file *f)
{
	return f->room * sizeof *f->extent;
}

/* Of row i of the data. */
static uint64_t offset_of(const struct kf_image_file *f, uint32_t i)
{
	size_t row = f->order ? f->order[i] : i, low = 0, high = f->n;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (f->extent[middle].row <= row)
			low = middle;
		else
			high = middle;
	}
	return f->extent[low].offset + (row - f->extent[low].row) * f->image;
}

/* How many of n rows, at least one, lie in one piece, which begins at *offset. */
static int piece_of(const struct kf_image_file *f, const uint32_t *rows, int n,
	uint64_t *offset)
{
	int count = 1;

	*offset = offset_of(f, rows[0]);
	while (count < n &&
		offset_of(f, rows[count]) == *offset + (uint64_t)count * f->image)
		count++;
	return count;
}

/* -- reading ------------------------------------------------------------------------ */

static int check_unchanged(const struct kf_image_file *f, struct kf_err *err)
{
	const struct timespec *was = &f->opened.st_mtim, *is;
	struct stat now;

	if (f->temporary)
		return 0;
	if (fstat(f->fd, &now) < 0)
		return kf_fail_errno(err, "cannot read '%s'", f->name);
	is = &now.st_mtim;
	if (now.st_size < f->opened.st_size)
		return kf_fail(err, "'%s' became shorter while it was read", f->name);
	if (now.st_size != f->opened.st_size || was->tv_sec != is->tv_sec ||
		was->tv_nsec != is->tv_nsec)
		return kf_fail(err, "'%s' was changed while it was read", f->name);
	return 0;
}

int kf_image_file_read(const struct kf_image_file *f, const uint32_t *rows, int n,
	void *to, struct kf_err *err)
{
	char *at = to;

	for (int i = 0, count; i < n; i += count) {
		uint64_t offset;
		size_t bytes;

		count = piece_of(f, rows + i, n - i, &offset);
		bytes = (size_t)count * f->image;
		if (kf_pread(f->fd, f->name, at, bytes, offset, err) < 0)
			return -1;
		at += bytes;
	}
	return check_unchanged(f, err);
}

void kf_image_file_expect(const struct kf_image_file *f, const uint32_t *rows, int n)
{
	for (int i = 0, count; i < n; i += count) {
		uint64_t offset;

		count = piece_of(f, rows + i, n - i, &offset);
		posix_fadvise(f->fd, (off_t)offset, (off_t)((size_t)count * f->image),
			POSIX_FADV_WILLNEED);
	}
}
