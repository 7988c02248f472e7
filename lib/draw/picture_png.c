/*
 * PNG, by libpng, which ends what it cannot go on with by a jump: each function here
 * sets where to, and calls one that libpng may leave without a return.
 */
#include "draw/picture_png.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>

struct kf_png_writer {
	png_structp png;
	png_infop info;
	jmp_buf failed;
	FILE *f;
	const char *name;
	size_t row_bytes;
	struct kf_err *err;
	bool no_memory; /* an allocation failed */
	bool filled;    /* err says already what is wrong */
};

/* -- what libpng calls --------------------------------------------------------------- */

_Noreturn static void on_error(png_structp png, png_const_charp text)
{
	struct kf_png_writer *w = png_get_error_ptr(png);

	if (w->no_memory)
		kf_fail_memory(w->err);
	else if (!w->filled)
		kf_fail(w->err, "cannot write '%s': %s", w->name, text);
	longjmp(w->failed, 1);
}

/* There is nothing to warn of in a picture of bytes. */
static void on_warning(png_structp png, png_const_charp text)
{
	(void)png;
	(void)text;
}

static png_voidp allocate(png_structp png, png_alloc_size_t n)
{
	struct kf_png_writer *w = png_get_mem_ptr(png);
	void *p = malloc(n);

	w->no_memory |= !p;
	return p;
}

static void release(png_structp png, png_voidp p)
{
	(void)png;
	free(p);
}

static void write_bytes(png_structp png, png_bytep bytes, size_t n)
{
	struct kf_png_writer *w = png_get_io_ptr(png);

	if (fwrite(bytes, 1, n, w->f) == n)
		return;
	kf_fail_errno(w->err, "cannot write '%s'", w->name);
	w->filled = true;
	png_error(png, "");
}

/* The caller flushes the file. */
static void flush_nothing(png_structp png)
{
	(void)png;
}

/* -- the picture --------------------------------------------------------------------- */

static int begin(struct kf_png_writer *p, int w, int h, bool colour)
{
	p->png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, p, on_error,
		on_warning, p, allocate, release);
	p->info = p->png ? png_create_info_struct(p->png) : NULL;
	if (!p->info)
		return kf_fail_memory(p->err);
	png_set_write_fn(p->png, p, write_bytes, flush_nothing);
	/* all bounds are ours */
	png_set_user_limits(p->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
	png_set_IHDR(p->png, p->info, (png_uint_32)w, (png_uint_32)h, 8,
		colour ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
		PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_write_info(p->png, p->info);
	return 0;
}

static int begin_or_fail(struct kf_png_writer *p, int w, int h, bool colour)
{
	return setjmp(p->failed) ? -1 : begin(p, w, h, colour);
}

struct kf_png_writer *kf_png_begin(FILE *f, const char *name, int w, int h, bool colour,
	struct kf_err *err)
{
	struct kf_png_writer *p = calloc(1, sizeof *p);

	if (!p) {
		kf_fail_memory(err);
		return NULL;
	}
	p->f = f;
	p->name = name;
	p->err = err;
	p->row_bytes = (size_t)w * (colour ? 3 : 1);
	if (begin_or_fail(p, w, h, colour) == 0)
		return p;
	kf_png_free(p);
	return NULL;
}

static void write_rows(struct kf_png_writer *p, const unsigned char *rows, int n)
{
	for (int i = 0; i < n; i++)
		png_write_row(p->png, rows + (size_t)i * p->row_bytes);
}

int kf_png_rows(struct kf_png_writer *p, const unsigned char *rows, int n,
	struct kf_err *err)
{
	p->err = err;
	if (setjmp(p->failed))
		return -1;
	write_rows(p, rows, n);
	return 0;
}

int kf_png_end(struct kf_png_writer *p, struct kf_err *err)
{
	p->err = err;
	if (setjmp(p->failed))
		return -1;
	png_write_end(p->png, p->info);
	return 0;
}

void kf_png_free(struct kf_png_writer *p)
{
	if (p)
		png_destroy_write_struct(&p->png, &p->info);
	free(p);
}
