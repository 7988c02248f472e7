/*
 * Pictures as files.  libnetpbm prints and exits by itself when a write fails or
 * memory runs out, so they are written without it.
 */
#define _GNU_SOURCE
#include "draw/picture.h"

#include <unistd.h>

#include "base/whole_file.h"

/* -- rows ------------------------------------------------------------------------ */

int kf_picture_begin(FILE *f, const char *name, int w, int h, bool colour,
	struct kf_err *err)
{
	if (fprintf(f, "P%d\n%d %d\n255\n", colour ? 6 : 5, w, h) < 0)
		return kf_fail_errno(err, "cannot write '%s'", name);
	return 0;
}

int kf_picture_rows(FILE *f, const char *name, const struct kf_canvas *c, int n,
	struct kf_err *err)
{
	size_t bytes = (size_t)n * (size_t)c->w * (size_t)c->depth;

	if (fwrite(c->pixels, 1, bytes, f) != bytes)
		return kf_fail_errno(err, "cannot write '%s'", name);
	return 0;
}

int kf_picture_write(FILE *f, const char *name, const struct kf_canvas *c,
	struct kf_err *err)
{
	if (kf_picture_begin(f, name, c->w, c->h, c->depth == 3, err) < 0 ||
		kf_picture_rows(f, name, c, c->h, err) < 0)
		return -1;
	return fflush(f) ? kf_fail_errno(err, "cannot write '%s'", name) : 0;
}

/* -- new files ------------------------------------------------------------------- */

/* The descriptor stays the caller's. */
static int write_file(int fd, const char *path, const struct kf_canvas *c,
	struct kf_err *err)
{
	int own = dup(fd), rc;
	FILE *f = own < 0 ? NULL : fdopen(own, "wb");

	if (!f) {
		rc = kf_fail_errno(err, "cannot create '%s'", path);
		if (own >= 0)
			close(own);
		return rc;
	}
	rc = kf_picture_write(f, path, c, err);
	if (fclose(f) && rc == 0)
		rc = kf_fail_errno(err, "cannot write '%s'", path);
	return rc;
}

int kf_picture_save(const char *path, const struct kf_canvas *c, struct kf_err *err)
{
	struct kf_whole_file *f = kf_whole_open(path, KF_WHOLE_NEW, err);

	if (!f)
		return -1;
	if (write_file(kf_whole_fd(f), path, c, err) == 0)
		return kf_whole_commit(f, err);
	kf_whole_abandon(f);
	return -1;
}
