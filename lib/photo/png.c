/*
 * PNG, by libpng.  Its own conversion to grey works with gamma, so that pixels are
 * converted here.  The passes of interlaced files go straight to their places, so that
 * these take no more memory than others.
 */
#include "photo/png.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "photo/exif.h"

/* More than libpng needs at once for anything but eXIf, whose claimed length it trusts;
 * such a chunk is left out. */
#define ALLOCATION_MAX ((png_alloc_size_t)1 << 24)

struct png {
	png_structp png;
	png_infop info;
	png_bytep row;      /* as it is in the file, but at least a byte a sample */
	uint8_t *grey;      /* the same as grey */
	uint8_t table[256]; /* where a pixel has one sample of up to 8 bits: its grey */
	jmp_buf failed;
	FILE *f;
	struct kf_photo *photo;
	struct kf_err *err;
	bool no_memory; /* an allocation failed */
};

/* -- what libpng calls --------------------------------------------------------------- */

_Noreturn static void on_error(png_structp png, png_const_charp text)
{
	struct png *r = png_get_error_ptr(png);

	if (r->no_memory)
		kf_fail_memory(r->err);
	else
		kf_fail(r->err, "truncated or damaged: %s", text);
	longjmp(r->failed, 1);
}

/* Warnings are of what goes with the pixels, such as their profile. */
static void on_warning(png_structp png, png_const_charp text)
{
	(void)png;
	(void)text;
}

static png_voidp allocate(png_structp png, png_alloc_size_t n)
{
	struct png *r = png_get_mem_ptr(png);
	void *p;

	if (n > ALLOCATION_MAX)
		return NULL;
	p = malloc(n);
	r->no_memory |= !p;
	return p;
}

static void release(png_structp png, png_voidp p)
{
	(void)png;
	free(p);
}

static void read_bytes(png_structp png, png_bytep to, size_t n)
{
	struct png *r = png_get_io_ptr(png);

	if (fread(to, 1, n, r->f) != n)
		png_error(png, "premature end of file");
}

/* -- pixels -------------------------------------------------------------------------- */

static void set_table(struct png *r)
{
	uint32_t max = (1u << png_get_bit_depth(r->png, r->info)) - 1;
	png_colorp colour;
	int n = 0;

	if (png_get_color_type(r->png, r->info) == PNG_COLOR_TYPE_GRAY) {
		for (uint32_t i = 0; i <= max && i < 256; i++)
			r->table[i] = kf_grey_byte(1000 * i, max);
		return;
	}
	png_get_PLTE(r->png, r->info, &colour, &n);
	for (int i = 0; i < n && i < 256; i++)
		r->table[i] = kf_grey_byte(kf_grey_sum(colour[i].red, colour[i].green,
						   colour[i].blue),
			255);
}

static uint32_t word(const png_byte *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

/* n pixels of r->row to grey. */
static void to_grey(const struct png *r, int n)
{
	const png_byte *p = r->row;
	int channels = png_get_channels(r->png, r->info);
	bool words = png_get_bit_depth(r->png, r->info) == 16;

	if (channels == 1 && !words)
		for (int i = 0; i < n; i++)
			r->grey[i] = r->table[p[i]];
	else if (channels <= 2 && !words)
		for (int i = 0; i < n; i++)
			r->grey[i] = p[2 * i];
	else if (channels <= 2)
		for (int i = 0; i < n; i++, p += 2 * channels)
			r->grey[i] = kf_grey_byte(1000 * (uint64_t)word(p), 65535);
	else if (!words)
		for (int i = 0; i < n; i++, p += channels)
			r->grey[i] = kf_grey_byte(kf_grey_sum(p[0], p[1], p[2]), 255);
	else
		for (int i = 0; i < n; i++, p += 2 * channels)
			r->grey[i] = kf_grey_byte(kf_grey_sum(word(p), word(p + 2),
							  word(p + 4)),
				65535);
}

/* Rows of w pixels, every dy-th from row y on, one pixel in dx columns from x on. */
static void read_pass(struct png *r, const struct kf_places *to, int h, int y, int dy,
	int w, int x, int dx)
{
	for (; w > 0 && y < h; y += dy) {
		png_read_row(r->png, r->row, NULL);
		to_grey(r, w);
		kf_put_row(to, y, x, dx, r->grey, w);
	}
}

static void read_rows(struct png *r, const struct kf_places *to, int w, int h)
{
	if (png_get_interlace_type(r->png, r->info) == PNG_INTERLACE_NONE) {
		read_pass(r, to, h, 0, 1, w, 0, 1);
		return;
	}
	for (int pass = 0; pass < PNG_INTERLACE_ADAM7_PASSES; pass++)
		read_pass(r, to, h, PNG_PASS_START_ROW(pass),
			1 << PNG_PASS_ROW_SHIFT(pass), PNG_PASS_COLS(w, pass),
			PNG_PASS_START_COL(pass), 1 << PNG_PASS_COL_SHIFT(pass));
}

/* -- the file ------------------------------------------------------------------------ */

static int open_png(struct png *r)
{
	r->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, r, on_error,
		on_warning, r, allocate, release);
	r->info = r->png ? png_create_info_struct(r->png) : NULL;
	if (!r->info)
		return kf_fail_memory(r->err);
	png_set_read_fn(r->png, r, read_bytes);
	/* all bounds are ours */
	png_set_user_limits(r->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
	/* no chunk is kept but what the pixels need, and eXIf */
	png_set_keep_unknown_chunks(r->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
	png_set_keep_unknown_chunks(r->png, PNG_HANDLE_CHUNK_AS_DEFAULT,
		(png_const_bytep) "eXIf", 1);
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
	png_set_crc_action(r->png, PNG_CRC_QUIET_USE, PNG_CRC_QUIET_USE);
	png_set_option(r->png, PNG_IGNORE_ADLER32, PNG_OPTION_ON);
#endif
	return 0;
}

/* The orientation, 1 to 8; 0 where the file has none so far; -1. */
static int orientation(struct png *r)
{
	png_bytep data;
	png_uint_32 n;

	if (!png_get_eXIf_1(r->png, r->info, &n, &data))
		return 0;
	return kf_exif_orientation(data, n, r->err);
}

/* Some programs write it behind the pixels. */
static int turn_late(struct png *r)
{
	int turned = orientation(r);

	if (turned > 1)
		return kf_photo_turn(r->photo, turned, r->err);
	return turned < 0 ? -1 : 0;
}

static int decode(struct png *r)
{
	struct kf_places to;
	png_uint_32 w, h;
	int turned;

	if (open_png(r) < 0)
		return -1;
	png_read_info(r->png, r->info);
	w = png_get_image_width(r->png, r->info);
	h = png_get_image_height(r->png, r->info);
	turned = orientation(r);
	if (turned < 0 || kf_photo_begin(r->photo, w, h, turned, &to, r->err) < 0)
		return -1;
	set_table(r);
	png_set_packing(r->png); /* to a byte a sample */
	png_read_update_info(r->png, r->info);
	r->row = png_malloc(r->png, png_get_rowbytes(r->png, r->info));
	r->grey = png_malloc(r->png, w);
	read_rows(r, &to, (int)w, (int)h);
	png_read_end(r->png, r->info);
	return turned ? 0 : turn_late(r);
}

/* Where decode has not returned, its variables are lost. */
static int decode_or_fail(struct png *r)
{
	return setjmp(r->failed) ? -1 : decode(r);
}

int kf_read_png(struct kf_photo *p, FILE *f, struct kf_err *err)
{
	struct png r = { .f = f, .photo = p, .err = err };
	int rc = decode_or_fail(&r);

	free(r.row);
	free(r.grey);
	png_destroy_read_struct(&r.png, &r.info, NULL);
	if (rc == 0 && r.no_memory) /* libpng goes on without eXIf */
		rc = kf_fail_memory(err);
	return rc;
}
