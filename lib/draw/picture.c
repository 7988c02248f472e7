/*
 * Pictures as files.  libnetpbm prints and exits by itself when a write
 * fails, so it writes to memory, band by band, and the bands are written here.
 */
#define _GNU_SOURCE
#include "draw/picture.h"

#include <stdlib.h>
#include <unistd.h>

#include <netpbm/pgm.h>
#include <netpbm/ppm.h>

#include "base/whole_file.h"

#define BAND 65536 /* bytes, about */

/* -- rows ------------------------------------------------------------------------ */

/* A stream into memory. */
struct band {
	FILE *f;
	char *text;
	size_t size;
};

static int open_band(struct band *b, struct kf_err *err)
{
	*b = (struct band){ 0 };
	b->f = open_memstream(&b->text, &b->size);
	return b->f ? 0 : kf_fail(err, "out of memory");
}

/* Writes what the band holds, and frees it. */
static int close_band(struct band *b, FILE *f, const char *name, struct kf_err *err)
{
	int rc = 0;

	if (fclose(b->f))
		rc = kf_fail(err, "out of memory");
	else if (fwrite(b->text, 1, b->size, f) != b->size)
		rc = kf_fail_errno(err, "cannot write '%s'", name);
	free(b->text);
	return rc;
}

int kf_picture_begin(FILE *f, const char *name, int w, int h, bool colour,
	struct kf_err *err)
{
	struct band b;

	if (open_band(&b, err) < 0)
		return -1;
	if (colour)
		ppm_writeppminit(b.f, w, h, 255, 0);
	else
		pgm_writepgminit(b.f, w, h, 255, 0);
	return close_band(&b, f, name, err);
}

static void write_grey(FILE *f, const unsigned char *v /* (n) */, gray *row, int n)
{
	for (int x = 0; x < n; x++)
		row[x] = v[x];
	pgm_writepgmrow(f, row, n, 255, 0);
}

static void write_colour(FILE *f, const unsigned char *v /* (n, 3) */, pixel *row,
	int n)
{
	for (int x = 0; x < n; x++, v += 3)
		PPM_ASSIGN(row[x], v[0], v[1], v[2]);
	ppm_writeppmrow(f, row, n, 255, 0);
}

/* Writes a band of rows from *y on, stopping before end. */
static int write_band(FILE *f, const char *name, const struct kf_canvas *c, int *y,
	int end, void *row, struct kf_err *err)
{
	size_t bytes = (size_t)c->w * (size_t)c->depth;
	struct band b;

	if (open_band(&b, err) < 0)
		return -1;
	for (size_t n = 0; n < BAND && *y < end; n += bytes, ++*y)
		if (c->depth == 3)
			write_colour(b.f, c->pixels + (size_t)*y * bytes, row, c->w);
		else
			write_grey(b.f, c->pixels + (size_t)*y * bytes, row, c->w);
	return close_band(&b, f, name, err);
}

int kf_picture_rows(FILE *f, const char *name, const struct kf_canvas *c, int n,
	struct kf_err *err)
{
	void *row = malloc((size_t)c->w *
		(sizeof(pixel) > sizeof(gray) ? sizeof(pixel) : sizeof(gray)));
	int rc = 0;

	if (!row)
		return kf_fail(err, "out of memory");
	for (int y = 0; y < n && rc == 0;)
		rc = write_band(f, name, c, &y, n, row, err);
	free(row);
	return rc;
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
