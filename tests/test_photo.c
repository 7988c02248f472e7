/*
 * Photographs: what libjpeg, libpng and netpbm's formats hold is read, upright and as
 * ITU-R 601's grey; what is cut or changed is refused; crops are the plain sums that
 * they stand for.
 */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jpeglib.h>
#include <png.h>

#include "photo/crop.h"
#include "netpbm_leaks.h"
#include "photo/photo.h"
#include "tap.h"

static char dir[] = "/tmp/kfkd-photo-XXXXXX";
static char path[64]; /* of the file that tests write and read */
static struct kf_photo photo;
static struct kf_err err;

/* A file in memory. */
struct bytes {
	unsigned char *data;
	size_t n;
};

static void append(struct bytes *b, const void *data, size_t n)
{
	b->data = realloc(b->data, b->n + n + 1);
	if (!b->data)
		abort();
	memcpy(b->data + b->n, data, n);
	b->n += n;
}

static void save(const void *data, size_t n)
{
	FILE *f = fopen(path, "wb");

	if (!f || fwrite(data, 1, n, f) != n || fclose(f))
		abort();
}

static int read_bytes(const void *data, size_t n)
{
	save(data, n);
	return kf_photo_read(&photo, path, &err);
}

/* A message is one line that names the file. */
static bool fails(int rc, const char *why)
{
	char place[80];
	bool good;

	snprintf(place, sizeof place, "'%s'", path);
	good = rc < 0 && strstr(err.msg, place) && !strchr(err.msg, '\n') &&
		strstr(err.msg, why);
	if (!good)
		note("%d: %s", rc, rc < 0 ? err.msg : "read");
	return good;
}

/* -- what is in the pictures ----------------------------------------------------------- */

/* A sample of 16 bits, smooth or not. */
static uint32_t sample16(bool smooth, int x, int y, int channel)
{
	uint32_t v = (uint32_t)(x * 31 + y * 17 + channel * 57 + 1);

	return smooth ? (uint32_t)(9000 + 2900 * x + 1100 * y + 3000 * channel) :
			(v * v * 40503u >> 7) & 0xffff;
}

/* The grey of samples with this maximum, before it is rounded. */
static double grey_of(double r, double g, double b, double max)
{
	return (0.299 * r + 0.587 * g + 0.114 * b) * 255 / max;
}

/* -- PNG ------------------------------------------------------------------------------- */

enum when { NEVER, EARLY, LATE };

struct png_kind {
	int type, depth, interlace, w, h;
	int orientation;
	enum when when; /* its chunk comes */
};

static void to_memory(png_structp png, png_bytep data, size_t n)
{
	append(png_get_io_ptr(png), data, n);
}

static void no_flush(png_structp png)
{
	(void)png;
}

static int channels_of(int type)
{
	return type == PNG_COLOR_TYPE_RGB_ALPHA   ? 4 :
		type == PNG_COLOR_TYPE_RGB        ? 3 :
		type == PNG_COLOR_TYPE_GRAY_ALPHA ? 2 :
						    1;
}

static png_byte colour(int index, int channel)
{
	return (png_byte)(sample16(false, index, 3, channel) >> 8);
}

static uint32_t png_sample(const struct png_kind *k, int x, int y, int channel)
{
	return sample16(false, x, y, channel) >> (16 - k->depth);
}

/* A row as PNG has it: big-endian, packed from the high bits on. */
static void fill_row(const struct png_kind *k, int y, png_bytep row)
{
	int channels = channels_of(k->type);
	size_t bit = 0;

	memset(row, 0, (size_t)k->w * 8 + 8);
	for (int x = 0; x < k->w; x++)
		for (int c = 0; c < channels; c++) {
			uint32_t v = png_sample(k, x, y, c);

			for (int i = k->depth - 1; i >= 0; i--, bit++)
				row[bit / 8] |=
					(png_byte)((v >> i & 1) << (7 - bit % 8));
		}
}

/* EXIF data with an orientation, in either order of bytes. */
static size_t exif(unsigned char data[26], int orientation, bool big)
{
	static const unsigned char le[] = "II*\0\10\0\0\0\1\0\22\1\3\0\1\0\0\0";
	static const unsigned char be[] = "MM\0*\0\0\0\10\0\1\1\22\0\3\0\0\0\1";

	memset(data, 0, 26);
	memcpy(data, big ? be : le, 18);
	data[big ? 19 : 18] = (unsigned char)orientation;
	return 26;
}

static void write_exif(png_structp png, const struct png_kind *k, enum when when)
{
	unsigned char data[26];

	if (k->when == when)
		png_write_chunk(png, (png_const_bytep) "eXIf", data,
			exif(data, k->orientation, when == EARLY));
}

/* A PNG, or its header alone. */
static struct bytes make_png(const struct png_kind *k, bool header_only)
{
	png_structp png =
		png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png_create_info_struct(png);
	png_bytep row = malloc((size_t)k->w * 8 + 8);
	struct bytes b = { 0 };
	png_color palette[256];
	int passes;

	for (int i = 0; i < 256; i++)
		palette[i] = (png_color){ colour(i, 0), colour(i, 1), colour(i, 2) };
	png_set_write_fn(png, &b, to_memory, no_flush);
	png_set_IHDR(png, info, (png_uint_32)k->w, (png_uint_32)k->h, k->depth, k->type,
		k->interlace, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	if (k->type == PNG_COLOR_TYPE_PALETTE)
		png_set_PLTE(png, info, palette, 1 << k->depth);
	png_set_gAMA(png, info, 0.3);
	png_write_info(png, info);
	write_exif(png, k, EARLY);
	passes = header_only ? 0 : png_set_interlace_handling(png);
	for (int i = 0; i < passes * k->h; i++) {
		fill_row(k, i % k->h, row);
		png_write_row(png, row);
	}
	if (header_only)
		png_write_chunk(png, (png_const_bytep) "IDAT", row, 0);
	else {
		write_exif(png, k, LATE);
		png_write_end(png, NULL);
	}
	free(row);
	png_destroy_write_struct(&png, &info);
	return b;
}

static double png_grey(const struct png_kind *k, int x, int y)
{
	double v = png_sample(k, x, y, 0), max = (1 << k->depth) - 1;

	if (k->type == PNG_COLOR_TYPE_PALETTE)
		return grey_of(colour((int)v, 0), colour((int)v, 1), colour((int)v, 2),
			255);
	if (channels_of(k->type) <= 2)
		return v * 255 / max;
	return grey_of(v, png_sample(k, x, y, 1), png_sample(k, x, y, 2), max);
}

/* Whether the photograph has the pixels of a PNG, each rounded once. */
static bool has_pixels(const struct png_kind *k)
{
	if (photo.w != k->w || photo.h != k->h)
		return false;
	for (int y = 0; y < k->h; y++)
		for (int x = 0; x < k->w; x++)
			if (fabs(photo.grey[y * k->w + x] - png_grey(k, x, y)) >
				0.5 + 1e-9)
				return false;
	return true;
}

static void png_case(int type, int depth, int interlace, int w, int h)
{
	const struct png_kind k = { type, depth, interlace, w, h, 0, NEVER };
	struct bytes b = make_png(&k, false);

	ok(read_bytes(b.data, b.n) == 0 && has_pixels(&k),
		"PNG of type %d, %d bits, %d x %d%s", type, depth, w, h,
		interlace ? ", interlaced" : "");
	free(b.data);
}

static void test_png(void)
{
	static const struct {
		int type, from, to;
	} types[] = { { PNG_COLOR_TYPE_GRAY, 1, 16 }, { PNG_COLOR_TYPE_PALETTE, 1, 8 },
		{ PNG_COLOR_TYPE_RGB, 8, 16 }, { PNG_COLOR_TYPE_GRAY_ALPHA, 8, 16 },
		{ PNG_COLOR_TYPE_RGB_ALPHA, 8, 16 } };

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		for (int depth = types[i].from; depth <= types[i].to; depth *= 2)
			for (int interlace = 0; interlace < 2; interlace++)
				png_case(types[i].type, depth, interlace, 21, 13);
	for (int w = 1; w <= 9; w += 4)
		for (int h = 1; h <= 5; h += 2)
			png_case(PNG_COLOR_TYPE_RGB, 8, 1, w, h);
}

/* -- JPEG ------------------------------------------------------------------------------ */

struct jpeg_kind {
	J_COLOR_SPACE from, to;
	int w, h;
	bool smooth, progressive, restarts;
	int orientation; /* 0: without EXIF */
};

static void fill_line(const struct jpeg_kind *k, int y, int channels, JSAMPROW line)
{
	for (int x = 0; x < k->w; x++)
		for (int c = 0; c < channels; c++)
			line[x * channels + c] =
				(JSAMPLE)(sample16(k->smooth, x, y, c) >> 8);
}

static struct bytes make_jpeg(const struct jpeg_kind *k)
{
	struct jpeg_compress_struct c;
	struct jpeg_error_mgr e;
	unsigned char marker[32] = "Exif\0", *memory = NULL;
	unsigned long n = 0;
	struct bytes b = { 0 };
	JSAMPROW line = malloc((size_t)k->w * 4);

	c.err = jpeg_std_error(&e);
	jpeg_create_compress(&c);
	jpeg_mem_dest(&c, &memory, &n);
	c.image_width = (JDIMENSION)k->w;
	c.image_height = (JDIMENSION)k->h;
	c.input_components = k->from == JCS_CMYK ? 4 : k->from == JCS_RGB ? 3 : 1;
	c.in_color_space = k->from;
	jpeg_set_defaults(&c);
	jpeg_set_colorspace(&c, k->to);
	jpeg_set_quality(&c, 100, TRUE);
	c.restart_interval = k->restarts ? 1 : 0;
	if (k->progressive)
		jpeg_simple_progression(&c);
	jpeg_start_compress(&c, TRUE);
	exif(marker + 6, k->orientation, false);
	if (k->orientation) {
		jpeg_write_marker(&c, JPEG_APP0 + 1, (const JOCTET *)"http://x", 8);
		jpeg_write_marker(&c, JPEG_APP0 + 1, marker, 32);
	}
	for (int y = 0; y < k->h; y++) {
		fill_line(k, y, c.input_components, line);
		jpeg_write_scanlines(&c, &line, 1);
	}
	jpeg_finish_compress(&c);
	jpeg_destroy_compress(&c);
	append(&b, memory, n);
	free(memory);
	free(line);
	return b;
}

static double jpeg_grey(const struct jpeg_kind *k, int x, int y)
{
	JSAMPLE line[4 * 64];

	fill_line(k, y, k->from == JCS_RGB ? 3 : 1, line);
	if (k->from != JCS_RGB)
		return line[x];
	return grey_of(line[3 * x], line[3 * x + 1], line[3 * x + 2], 255);
}

/* The greatest difference to what was written. */
static double jpeg_difference(const struct jpeg_kind *k)
{
	double most = 0;

	if (photo.w != k->w || photo.h != k->h)
		return HUGE_VAL;
	for (int y = 0; y < k->h; y++)
		for (int x = 0; x < k->w; x++)
			most = fmax(most,
				fabs(photo.grey[y * k->w + x] - jpeg_grey(k, x, y)));
	return most;
}

static void test_jpeg(void)
{
	static const struct {
		const char *name;
		struct jpeg_kind kind;
	} cases[] = {
		{ "grey",
			{ JCS_GRAYSCALE, JCS_GRAYSCALE, 19, 11, false, false, false,
				0 } },
		{ "YCbCr", { JCS_RGB, JCS_YCbCr, 19, 11, true, false, false, 0 } },
		{ "progressive", { JCS_RGB, JCS_YCbCr, 19, 11, true, true, false, 0 } },
		{ "RGB", { JCS_RGB, JCS_RGB, 19, 11, true, false, false, 0 } },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct bytes b = make_jpeg(&cases[i].kind);
		double most = read_bytes(b.data, b.n) < 0 ?
			HUGE_VAL :
			jpeg_difference(&cases[i].kind);

		ok(most < 2.5, "JPEG, %s: at most %.2f from what was written",
			cases[i].name, most);
		free(b.data);
	}
}

static void test_cmyk(void)
{
	struct jpeg_kind k = { JCS_CMYK, JCS_CMYK, 19, 11, false, false, false, 0 };

	for (int i = 0; i < 2; i++, k.to = JCS_YCCK) {
		struct bytes b = make_jpeg(&k);

		ok(fails(read_bytes(b.data, b.n), "CMYK; convert it to RGB first"),
			"%s: %s", i ? "YCCK" : "CMYK", err.msg);
		free(b.data);
	}
}

/* What libjpeg only warns of. */
static void test_warnings(void)
{
	struct jpeg_kind k = { JCS_GRAYSCALE, JCS_GRAYSCALE, 40, 40, false, false,
		false, 0 };
	struct bytes b = make_jpeg(&k), more = { 0 };

	append(&more, b.data, b.n - 2);
	append(&more, "\x12\x34\x56\xff\xd9", 5);
	ok(read_bytes(more.data, more.n) == 0 && jpeg_difference(&k) < 2.5,
		"bytes too many before the end do no harm");
	append(&b, "more", 4);
	ok(read_bytes(b.data, b.n) == 0, "nor behind it");
	b.n -= 4;
	more.n = b.n / 2 + 60;
	append(&more, "\xff\xd9", 2);
	ok(fails(read_bytes(more.data, more.n), "truncated or damaged: "),
		"cut, but with an end: %s", err.msg);
	free(b.data);
	k.restarts = true;
	b = make_jpeg(&k);
	memcpy(memmem(b.data, b.n, "\xff\xd1", 2), "\xff\xd5", 2);
	ok(fails(read_bytes(b.data, b.n), "truncated or damaged: Corrupt JPEG data"),
		"damaged inside: %s", err.msg);
	free(b.data);
	free(more.data);
}

/* -- netpbm's formats ------------------------------------------------------------------ */

struct pnm {
	const char *name, *file;
	size_t n;
	unsigned char grey[6]; /* (2, 3) */
};

#define FILE_OF(text) text, sizeof text - 1

/* 0.299, 0.587 and 0.114 of 255 are 76, 150 and 29. */
static const struct pnm pnms[] = {
	{ "P1", FILE_OF("P1\n# bits\n3 2\n1 0 1\n0 1 0\n"),
		{ 0, 255, 0, 255, 0, 255 } },
	{ "P2", FILE_OF("P2 3 2 10\n0 1 5\n9 10 2\n"), { 0, 26, 128, 230, 255, 51 } },
	{ "P3", FILE_OF("P3 3 2 1\n1 0 0 0 1 0 0 0 1\n1 1 1 0 0 0 1 1 0\n"),
		{ 76, 150, 29, 255, 0, 226 } },
	{ "P4", FILE_OF("P4 3 2\n\240\100"), { 0, 255, 0, 255, 0, 255 } },
	{ "P5", FILE_OF("P5\n3 2\n255\n\0\1\2\375\376\377"),
		{ 0, 1, 2, 253, 254, 255 } },
	{ "P5 of 16 bits",
		FILE_OF("P5 3 2 65535\n\0\200\0\201\1\200\1\202\1\203\377\377"),
		{ 0, 1, 1, 2, 2, 255 } },
	{ "P6", FILE_OF("P6 3 2 255\n\377\0\0\0\377\0\0\0\377\7\7\7\0\0\0\377\377\377"),
		{ 76, 150, 29, 7, 0, 255 } },
	{ "P7 with alpha",
		FILE_OF("P7\nWIDTH 3\nHEIGHT 2\nDEPTH 2\nMAXVAL 255\nTUPLTYPE "
			"GRAYSCALE_ALPHA\nENDHDR\n\1\0\2\377\3\0\4\1\5\5\6\0"),
		{ 1, 2, 3, 4, 5, 6 } },
	{ "P7 without a type",
		FILE_OF("P7\nWIDTH 3\nHEIGHT 2\nDEPTH 1\nMAXVAL 255\nENDHDR\n\1\2\3\4\5\6"),
		{ 1, 2, 3, 4, 5, 6 } },
	{ "P2 with blanks behind it", FILE_OF("P2 3 2 9\n9 0 0\n0 0 0 \t\r\n\n"),
		{ 255, 0, 0, 0, 0, 0 } },
};

static void test_netpbm(void)
{
	for (size_t i = 0; i < sizeof pnms / sizeof *pnms; i++)
		ok(read_bytes(pnms[i].file, pnms[i].n) == 0 && photo.w == 3 &&
				photo.h == 2 && !memcmp(photo.grey, pnms[i].grey, 6),
			"%s", pnms[i].name);
	ok(fails(read_bytes(
			 FILE_OF("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE "
				 "CMYK\nENDHDR\nabcd")),
		   "neither grey nor RGB"),
		"PAM in CMYK: %s", err.msg);
	ok(fails(read_bytes(FILE_OF("P5 1 1 9\n\11P5 1 1 9\n\0")), "several images"),
		"P5 twice: %s", err.msg);
	ok(fails(read_bytes(FILE_OF("P2 1 1 9\n9\nP2 1 1 9\n0")), "several images"),
		"P2 twice: %s", err.msg);
	ok(fails(read_bytes(FILE_OF("P5 1 1 9\n\11\11")), "more after its last pixel"),
		"P5 with a byte too many: %s", err.msg);
	ok(fails(read_bytes(FILE_OF("P5 2 1 9\n\1\12")), ""), "above the maxval: %s",
		err.msg);
	ok(fails(read_bytes(FILE_OF("P5 0 1 9\n")), ""), "no pixels: %s", err.msg);
}

/* -- which way up ---------------------------------------------------------------------- */

/* Where the pixel x, y of a file of w x h is to be seen, as EXIF 2.32 words it; 9 is
 * none of its orientations. */
static void seen_at(int orientation, int w, int h, int x, int y, int *to_x, int *to_y)
{
	int right = w - 1 - x, low = h - 1 - y;
	const int at[10][2] = { { x, y }, { x, y }, { right, y }, { right, low },
		{ x, low }, { y, x }, { low, x }, { low, right }, { y, right },
		{ x, y } };

	*to_x = at[orientation][0];
	*to_y = at[orientation][1];
}

/* Whether the photograph is `from`, turned. */
static bool is_turned(const struct kf_photo *from, int orientation)
{
	for (int y = 0; y < from->h; y++)
		for (int x = 0; x < from->w; x++) {
			int tx, ty;

			seen_at(orientation, from->w, from->h, x, y, &tx, &ty);
			if (tx >= photo.w || ty >= photo.h ||
				photo.grey[ty * photo.w + tx] !=
					from->grey[y * from->w + x])
				return false;
		}
	return photo.w * photo.h == from->w * from->h;
}

static void orientation_case(const char *name, struct bytes b, int o,
	const struct kf_photo *plain)
{
	ok(read_bytes(b.data, b.n) == 0 && is_turned(plain, o), "%s, orientation %d",
		name, o);
	free(b.data);
}

static struct kf_photo read_plain(struct bytes b)
{
	struct kf_photo plain;

	if (read_bytes(b.data, b.n) < 0)
		abort();
	free(b.data);
	plain = photo;
	photo = (struct kf_photo){ 0 };
	return plain;
}

static void test_orientation(void)
{
	struct jpeg_kind j = { JCS_GRAYSCALE, JCS_GRAYSCALE, 19, 11, false, false,
		false, 0 };
	struct png_kind p = { PNG_COLOR_TYPE_RGB, 8, 0, 19, 11, 1, NEVER };
	struct kf_photo plain = read_plain(make_jpeg(&j));

	for (j.orientation = 1; j.orientation <= 9; j.orientation++)
		orientation_case("JPEG", make_jpeg(&j), j.orientation, &plain);
	kf_photo_free(&plain);
	plain = read_plain(make_png(&p, false));
	for (p.when = EARLY; p.when <= LATE; p.when++)
		for (p.orientation = 1; p.orientation <= 8; p.orientation++) {
			p.interlace = p.orientation % 2;
			orientation_case(p.when == EARLY ? "PNG" : "PNG, told late",
				make_png(&p, false), p.orientation, &plain);
		}
	kf_photo_free(&plain);
}

/* -- damage ---------------------------------------------------------------------------- */

/* Every beginning of a file is refused, except that the last `spare` bytes may lack. */
static void truncation_case(const char *name, struct bytes b, size_t spare)
{
	struct kf_photo whole;
	size_t n = b.n;
	bool good = true;

	if (read_bytes(b.data, n) < 0)
		abort();
	whole = photo;
	photo = (struct kf_photo){ 0 };
	while (good && n-- > 0) {
		int rc = read_bytes(b.data, n);

		if (n + spare >= b.n && rc == 0)
			good = photo.w == whole.w &&
				!memcmp(photo.grey, whole.grey,
					(size_t)(whole.w * whole.h));
		else
			good = fails(rc, "");
	}
	ok(good, "%s, truncated anywhere (%zu bytes left)", name, n + 1);
	kf_photo_free(&whole);
}

static void test_truncated(void)
{
	struct jpeg_kind j = { JCS_RGB, JCS_YCbCr, 19, 11, true, false, false, 6 };
	struct png_kind p = { PNG_COLOR_TYPE_RGB, 8, 0, 19, 11, 6, LATE };

	for (int i = 0; i < 3; i++) {
		struct bytes b;

		j.progressive = i == 1;
		j.restarts = i == 2;
		b = make_jpeg(&j);
		truncation_case(i == 0 ? "JPEG" :
				i == 1 ? "progressive JPEG" :
					 "JPEG with restarts",
			b, 0);
		free(b.data);
	}
	for (p.interlace = 0; p.interlace < 2; p.interlace++) {
		struct bytes b = make_png(&p, false);

		truncation_case(p.interlace ? "interlaced PNG" : "PNG", b, 0);
		free(b.data);
	}
	for (size_t i = 0; i < sizeof pnms / sizeof *pnms - 1; i++) {
		struct bytes b = { 0 };

		append(&b, pnms[i].file, pnms[i].n);
		truncation_case(pnms[i].name, b, pnms[i].name[1] < '4');
		free(b.data);
	}
}

/* A random byte changes: the file is refused, or it is a picture; it ends either way. */
static void test_damaged(void)
{
	struct jpeg_kind j = { JCS_RGB, JCS_YCbCr, 19, 11, true, true, false, 6 };
	struct png_kind p = { PNG_COLOR_TYPE_PALETTE, 4, 1, 19, 11, 6, LATE };
	struct bytes b[2] = { make_jpeg(&j), make_png(&p, false) };
	unsigned seed = 1, refused = 0;

	for (int i = 0; i < 2000; i++) {
		struct bytes *it = &b[i % 2];
		unsigned char *at, old;

		seed = seed * 1664525 + 1013904223;
		at = it->data + (seed >> 8) % it->n;
		old = *at;
		*at ^= (unsigned char)(1 << (seed >> 29));
		refused += read_bytes(it->data, it->n) < 0;
		*at = old;
	}
	ok(refused > 1000, "damaged at a place: %u of 2000 refused", refused);
	free(b[0].data);
	free(b[1].data);
}

/* -- sizes ----------------------------------------------------------------------------- */

/* Gives a JPEG another size. */
static void set_size(struct bytes *b, int w, int h)
{
	unsigned char *sof = memmem(b->data, b->n, "\xff\xc0", 2);

	sof[5] = (unsigned char)(h >> 8);
	sof[6] = (unsigned char)h;
	sof[7] = (unsigned char)(w >> 8);
	sof[8] = (unsigned char)w;
}

static void test_sizes(void)
{
	struct jpeg_kind j = { JCS_GRAYSCALE, JCS_GRAYSCALE, 20000, 2, false, false,
		false, 0 };
	struct png_kind p = { PNG_COLOR_TYPE_RGB, 8, 0, 20000, 2, 0, NEVER };
	static unsigned char pgm[40100];
	int n = snprintf((char *)pgm, 100, "P5 2 20000 255\n");
	struct bytes b = make_jpeg(&j);

	ok(read_bytes(b.data, b.n) == 0 && photo.w == 20000 && photo.h == 2,
		"a JPEG of 20000 x 2");
	set_size(&b, 40000, 25000);
	ok(fails(read_bytes(b.data, b.n), "40000 x 25000 pixels are out of bounds"),
		"... that claims a thousand million pixels: %s", err.msg);
	free(b.data);
	b = make_png(&p, false);
	ok(read_bytes(b.data, b.n) == 0 && has_pixels(&p), "a PNG of 20000 x 2");
	free(b.data);
	p.w = 1000000, p.h = 1000;
	b = make_png(&p, true);
	ok(fails(read_bytes(b.data, b.n), "1000000 x 1000 pixels are out of bounds"),
		"... that claims a thousand million: %s", err.msg);
	free(b.data);
	ok(read_bytes(pgm, (size_t)n + 40000) == 0 && photo.w == 2 && photo.h == 20000,
		"a PGM of 2 x 20000");
	ok(fails(read_bytes(FILE_OF("P5 32000 32000 255\n")), "out of bounds"),
		"... that claims a thousand million: %s", err.msg);
	ok(photo.room < 1 << 20, "for none of them there was memory allocated");
}

/* -- other files ----------------------------------------------------------------------- */

static void test_files(void)
{
	struct jpeg_kind j = { JCS_GRAYSCALE, JCS_GRAYSCALE, 19, 11, false, false,
		false, 0 };
	struct bytes b = make_jpeg(&j);
	char good[64];
	int pipe_of[2];

	ok(fails(read_bytes("", 0), "empty"), "%s", err.msg);
	ok(fails(read_bytes("hello", 5), "not a photograph"), "%s", err.msg);
	ok(fails(read_bytes(FILE_OF("RIFF\1\1\1\1WEBPVP8 ")), "WebP"), "%s", err.msg);
	ok(fails(read_bytes(FILE_OF("P9 1 1")), "not a photograph"), "%s", err.msg);
	strcpy(good, path);
	strcpy(path, dir);
	ok(fails(kf_photo_read(&photo, path, &err), "cannot read"), "%s", err.msg);
	strcat(path, "/none");
	ok(fails(kf_photo_read(&photo, path, &err), "cannot open"), "%s", err.msg);
	if (pipe(pipe_of) < 0 || write(pipe_of[1], b.data, b.n) != (ssize_t)b.n)
		abort();
	close(pipe_of[1]);
	snprintf(path, sizeof path, "/dev/fd/%d", pipe_of[0]);
	ok(kf_photo_read(&photo, path, &err) == 0 && jpeg_difference(&j) < 2.5,
		"a pipe");
	close(pipe_of[0]);
	strcpy(path, good);
	free(b.data);
}

static void test_claims(void)
{
	static const struct {
		const char *first;
		size_t n;
		bool claimed;
	} cases[] = { { FILE_OF("\xff\xd8\xff\xe0"), true },
		{ FILE_OF("\xff\xd8"), false }, { FILE_OF("\x89PNG\r\n\x1a\n"), true },
		{ FILE_OF("\x89PNG\r\n\n\n"), false }, { FILE_OF("P1 "), true },
		{ FILE_OF("P7\n"), true }, { FILE_OF("P5#"), true },
		{ FILE_OF("P8\n"), false }, { FILE_OF("P5"), false },
		{ FILE_OF("P52"), false }, { FILE_OF(""), false } };
	bool good = true;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		good &= kf_photo_claims((const unsigned char *)cases[i].first,
				cases[i].n) == cases[i].claimed;
	ok(good, "first bytes");
}

/* -- crops ----------------------------------------------------------------------------- */

static struct kf_cropper cropper;

static struct kf_photo make_photo(int w, int h)
{
	struct kf_photo p = { .w = w, .h = h, .grey = malloc((size_t)(w * h)) };

	if (!p.grey)
		abort();
	for (int y = 0; y < h; y++)
		for (int x = 0; x < w; x++)
			p.grey[y * w + x] = (uint8_t)(sample16(false, x, y, 0) >> 8);
	return p;
}

static double uniform(double a, double b)
{
	static unsigned seed = 7;

	seed = seed * 1664525 + 1013904223;
	return a + (b - a) * (seed >> 8) / (1 << 24);
}

/* The weights of a photograph's n pixels in pixel i of a crop, by the definition. */
static void plain_weights(double *weight, int n, double from, double length, int w,
	int i)
{
	double scale = length / w, half = scale > 1 ? scale : 1;
	double centre = from + (i + 0.5) * scale, total = 0;

	memset(weight, 0, (size_t)n * sizeof *weight);
	for (double j = floor(centre - half) - 1; j <= centre + half + 1; j++) {
		double v = 1 - fabs(j + 0.5 - centre) / half;

		if (v <= 0)
			continue;
		weight[j < 0 ? 0 : j >= n ? n - 1 : (int)j] += v;
		total += v;
	}
	for (int j = 0; j < n; j++)
		weight[j] /= total;
}

/* The greatest difference of a crop from the sum by the definition. */
static double crop_difference(const struct kf_photo *p, const struct kf_region *r,
	int w, int h)
{
	static double across[64][64], down[64];
	static uint8_t crop[64 * 64];
	double most = 0;

	if (kf_crop(&cropper, p, r, w, h, crop, &err) < 0)
		return HUGE_VAL;
	for (int i = 0; i < w; i++)
		plain_weights(across[i], p->w, r->x, r->w, w, i);
	for (int j = 0; j < h; j++) {
		plain_weights(down, p->h, r->y, r->h, h, j);
		for (int i = 0; i < w; i++) {
			double sum = 0;

			for (int y = 0; y < p->h; y++)
				for (int x = 0; x < p->w; x++)
					sum += down[y] * across[i][x] *
						p->grey[y * p->w + x];
			most = fmax(most, fabs(crop[j * w + i] - sum));
		}
	}
	return most;
}

static void test_crop_definition(void)
{
	struct kf_photo p = make_photo(37, 23);
	double inside = 0, outside = 0, huge = 0;

	for (int i = 0; i < 300; i++) {
		struct kf_region r = { uniform(0, 20), uniform(0, 12), uniform(0.1, 17),
			uniform(0.1, 11) };
		int w = (int)uniform(1, 40), h = (int)uniform(1, 30);

		inside = fmax(inside, crop_difference(&p, &r, w, h));
		r.x = uniform(-90, 60);
		r.y = uniform(-60, 40);
		r.w = uniform(0.1, 150);
		r.h = uniform(0.1, 90);
		outside = fmax(outside, crop_difference(&p, &r, w, h));
	}
	for (int i = 0; i < 3; i++) {
		struct kf_region r = { uniform(-2e5, 10), uniform(-1e5, 10),
			uniform(1e5, 4e5), uniform(1e5, 3e5) };

		huge = fmax(huge, crop_difference(&p, &r, 1 + 2 * i, 2));
	}
	ok(inside < 0.501, "crops inside are %.4f from their definition", inside);
	ok(outside < 0.501, "crops that leave the photograph %.4f", outside);
	ok(huge < 0.501, "crops that are nearly all outside %.4f", huge);
	kf_photo_free(&p);
}

static void test_crop_same(void)
{
	struct kf_photo p = make_photo(61, 47);
	struct kf_region r = { 0, 0, 61, 47 };
	uint8_t crop[61 * 47];
	bool good = true;

	ok(kf_crop(&cropper, &p, &r, 61, 47, crop, &err) == 0 &&
			!memcmp(crop, p.grey, sizeof crop),
		"the whole photograph, in its size, is the same");
	r = (struct kf_region){ -3, 40, 11, 13 };
	kf_crop(&cropper, &p, &r, 11, 13, crop, &err);
	for (int y = 0; y < 13; y++)
		for (int x = 0; x < 11; x++)
			good &= crop[y * 11 + x] ==
				p.grey[(y < 7 ? y + 40 : 46) * 61 +
					(x < 3 ? 0 : x - 3)];
	ok(good, "beyond the photograph its border goes on");
	kf_photo_free(&p);
}

/* A crop of a plane is that plane where kf_region_transform says. */
static void test_crop_ramp(void)
{
	struct kf_photo p = make_photo(120, 100);
	double most = 0;
	uint8_t crop[30 * 20];
	float m[6];

	for (int y = 0; y < 100; y++)
		for (int x = 0; x < 120; x++)
			p.grey[y * 120 + x] = (uint8_t)(x + y);
	for (int i = 0; i < 100; i++) {
		struct kf_region r = { uniform(8, 40), uniform(8, 40), uniform(1, 60),
			uniform(1, 40) };

		kf_region_transform(&r, 30, 20, m);
		kf_crop(&cropper, &p, &r, 30, 20, crop, &err);
		for (int y = 0; y < 20; y++)
			for (int x = 0; x < 30; x++) {
				double plane = (x - m[2]) / m[0] + (y - m[5]) / m[4];

				most = fmax(most, fabs(crop[y * 30 + x] - plane));
			}
	}
	ok(m[1] == 0 && m[3] == 0 && most < 0.75, "crops of a plane are %.3f from it",
		most);
	kf_photo_free(&p);
}

static void test_crop_bounds(void)
{
	struct kf_photo p = make_photo(37, 23);
	static const struct kf_region bad[] = { { 0, 0, 0, 1 }, { 0, 0, 1, -1 },
		{ NAN, 0, 1, 1 }, { 0, 0, NAN, 1 }, { 0, INFINITY, 1, 1 },
		{ 0, 0, INFINITY, 1 }, { 0, -2e9, 1, 1 }, { 0, 0, 1, 2e9 } };
	static const struct kf_region edge[] = { { -1e9, -1e9, 1e9, 1e9 },
		{ 1e9, 1e9, 1e9, 1e9 }, { -5e8, -5e8, 1e9, 1e9 },
		{ 1e9, 1e9, 1e-300, 1 }, { 3, 4, 1e-300, 1e-300 },
		{ -1e9, 3, 1, 1e9 } };
	static uint8_t crop[3000 * 2];
	bool good = true;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		good &= kf_crop(&cropper, &p, &bad[i], 4, 4, crop, &err) < 0;
	ok(good, "bad regions: %s", err.msg);
	for (size_t i = 0; i < sizeof edge / sizeof *edge; i++)
		good &= kf_crop(&cropper, &p, &edge[i], 3000, 2, crop, &err) == 0 &&
			kf_crop(&cropper, &p, &edge[i], 1, 1, crop, &err) == 0;
	ok(good, "the largest and smallest regions are resampled");
	ok(cropper.x.weights < 3000 * 17, "... in little memory: %zu weights",
		cropper.x.weights);
	kf_photo_free(&p);
}

/* -------------------------------------------------------------------------------------- */

int main(void)
{
	char said[80];
	struct stat st;

	if (!mkdtemp(dir))
		abort();
	snprintf(path, sizeof path, "%s/photo", dir);
	snprintf(said, sizeof said, "%s/stderr", dir);
	if (!freopen(said, "w", stderr))
		abort();
	test_png();
	test_jpeg();
	test_cmyk();
	test_warnings();
	test_netpbm();
	test_orientation();
	test_truncated();
	test_damaged();
	test_sizes();
	test_files();
	test_claims();
	test_crop_definition();
	test_crop_same();
	test_crop_ramp();
	test_crop_bounds();
	fflush(stderr);
	ok(stat(said, &st) == 0 && st.st_size == 0,
		"the libraries say nothing themselves");
	kf_photo_free(&photo);
	kf_cropper_free(&cropper);
	unlink(said);
	unlink(path);
	rmdir(dir);
	return done_testing();
}
