/* Images that stay in a file. */
#define _GNU_SOURCE
#include "train/image_file.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"

struct kf_extent {
	size_t row;      /* the first; the next extent's is one past the last */
	uint64_t offset; /* of its image */
	int source;
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
	*f = (struct kf_image_file){ .image = image };
	kf_image_file_also(f, fd, name, opened);
	return f;
}

void kf_image_file_also(struct kf_image_file *f, int fd, const char *name,
	const struct stat *opened)
{
	assert(f->sources < KF_IMAGE_SOURCES);
	f->source[f->sources++] = (struct kf_image_source){ fd, name, *opened };
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
		close(f->source[0].fd);
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
	return last->source == f->sources - 1 &&
		last->offset + (row - last->row) * f->image == offset;
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
	f->extent[f->n++] = (struct kf_extent){ row, offset, f->sources - 1 };
	return 0;
}

int kf_image_file_write(struct kf_image_file *f, size_t row, size_t n,
	const void *images, struct kf_err *err)
{
	if (kf_image_file_add(f, row, n, f->end, err) < 0 ||
		kf_write(f->source[0].fd, f->source[0].name, images, n * f->image,
			err) < 0)
		return -1;
	f->end += n * f->image;
	return 0;
}

size_t kf_image_file_memory(const struct kf_image_file *f)
{
	return f->room * sizeof *f->extent;
}

/* Images that lie in one piece of a file. */
struct piece {
	const struct kf_image_source *source;
	uint64_t offset;
	int n;
};

/* That of row i of the data. */
static struct piece image_of(const struct kf_image_file *f, uint32_t i)
{
	size_t row = f->order ? f->order[i] : i, low = 0, high = f->n;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (f->extent[middle].row <= row)
			low = middle;
		else
			high = middle;
	}
	return (struct piece){ &f->source[f->extent[low].source],
		f->extent[low].offset + (row - f->extent[low].row) * f->image, 1 };
}

/* Those of as many of n rows, at least of one, as lie in one piece. */
static struct piece piece_of(const struct kf_image_file *f, const uint32_t *rows, int n)
{
	struct piece p = image_of(f, rows[0]);

	for (; p.n < n; p.n++) {
		struct piece next = image_of(f, rows[p.n]);

		if (next.source != p.source ||
			next.offset != p.offset + (uint64_t)p.n * f->image)
			break;
	}
	return p;
}

/* -- reading ------------------------------------------------------------------------ */

static int check_unchanged(const struct kf_image_source *f, struct kf_err *err)
{
	const struct timespec *was = &f->opened.st_mtim, *is;
	struct stat now;

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

	for (int i = 0; i < n;) {
		struct piece p = piece_of(f, rows + i, n - i);
		size_t bytes = (size_t)p.n * f->image;

		if (kf_pread(p.source->fd, p.source->name, at, bytes, p.offset, err) <
			0)
			return -1;
		at += bytes;
		i += p.n;
	}
	for (int i = 0; i < f->sources && !f->temporary; i++)
		if (check_unchanged(&f->source[i], err) < 0)
			return -1;
	return 0;
}

void kf_image_file_expect(const struct kf_image_file *f, const uint32_t *rows, int n)
{
	for (int i = 0; i < n;) {
		struct piece p = piece_of(f, rows + i, n - i);

		posix_fadvise(p.source->fd, (off_t)p.offset,
			(off_t)((size_t)p.n * f->image), POSIX_FADV_WILLNEED);
		i += p.n;
	}
}
