/*
 * Pictures as files.  libnetpbm prints and exits by itself when a write fails or
 * memory runs out, so they are written without it.
 */
#define _GNU_SOURCE
#include "draw/picture.h"

#include <unistd.h>

#include "base/whole_file.h"
#include "draw/picture_png.h"

/* -- rows ------------------------------------------------------------------------ */

int kf_picture_begin(struct kf_picture *p, const struct kf_outlet *to, int w, int h,
	bool colour, struct kf_err *err)
{
	*p = (struct kf_picture){ .to = *to };
	if (to->png) {
		p->png = kf_png_begin(to->f, to->name, w, h, colour, err);
		return p->png ? 0 : -1;
	}
	if (fprintf(to->f, "P%d\n%d %d\n255\n", colour ? 6 : 5, w, h) < 0)
		return kf_fail_errno(err, "cannot write '%s'", to->name);
	return 0;
}

int kf_picture_rows(struct kf_picture *p, const struct kf_canvas *c, int n,
	struct kf_err *err)
{
	size_t bytes = (size_t)n * (size_t)c->w * (size_t)c->depth;

	if (p->png)
		return kf_png_rows(p->png, c->pixels, n, err);
	if (fwrite(c->pixels, 1, bytes, p->to.f) != bytes)
		return kf_fail_errno(err, "cannot write '%s'", p->to.name);
	return 0;
}

int kf_picture_end(struct kf_picture *p, struct kf_err *err)
{
	if (p->png && kf_png_end(p->png, err) < 0)
		return -1;
	if (fflush(p->to.f))
		return kf_fail_errno(err, "cannot write '%s'", p->to.name);
	return 0;
}

void kf_picture_free(struct kf_picture *p)
{
	kf_png_free(p->png);
	p->png = NULL;
}

int kf_picture_write(const struct kf_outlet *to, const struct kf_canvas *c,
	struct kf_err *err)
{
	struct kf_picture p;
	int rc = kf_picture_begin(&p, to, c->w, c->h, c->depth == 3, err);

	if (rc == 0)
		rc = kf_picture_rows(&p, c, c->h, err);
	if (rc == 0)
		rc = kf_picture_end(&p, err);
	kf_picture_free(&p);
	return rc;
}

/* -- new files ------------------------------------------------------------------- */

/* The descriptor stays the caller's. */
static int write_file(int fd, const char *path, bool png, const struct kf_canvas *c,
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
	rc = kf_picture_write(&(struct kf_outlet){ f, path, png }, c, err);
	if (fclose(f) && rc == 0)
		rc = kf_fail_errno(err, "cannot write '%s'", path);
	return rc;
}

int kf_picture_save(const char *path, bool png, const struct kf_canvas *c,
	struct kf_err *err)
{
	struct kf_whole_file *f = kf_whole_open(path, KF_WHOLE_NEW, err);

	if (!f)
		return -1;
	if (write_file(kf_whole_fd(f), path, png, c, err) == 0)
		return kf_whole_commit(f, err);
	kf_whole_abandon(f);
	return -1;
}

const char *kf_picture_ending(bool png, bool colour)
{
	return png ? "png" : colour ? "ppm" : "pgm";
}
