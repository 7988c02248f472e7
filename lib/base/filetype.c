/* Types of files, by the marks at their start. */
#include "base/filetype.h"

#include <stdbool.h>
#include <string.h>

/* Bytes at an offset; none where n is 0. */
struct mark {
	size_t at, n;
	const char *bytes;
};

/* An entry of the table without the braces of its mark; the bytes may hold NULs. */
#define MARK(at, bytes) \
	{ \
		at, sizeof bytes - 1, bytes \
	}

#define UNPACK "unpack it and take the files in it"
#define ONE_BY_ONE "turn each such file into PGM with "
#define NAMED "name such files to kfkd-load, or turn each into PGM with "
#define FFMPEG "turn it into PGM with ffmpeg -i FILE -f image2pipe -c:v pgm -"
#define SAVE "save its arrays with safetensors.numpy and pass that through kfkd-cat"

static const struct {
	struct mark mark[2];
	struct kf_filetype type;
} types[] = {
	{ { MARK(0, "\x1f\x8b") }, { "compressed by gzip", "pipe it through zcat" } },
	{ { MARK(0, "\x1f\x9d") },
		{ "compressed by compress", "pipe it through zcat" } },
	{ { MARK(0, "\3757zXZ") }, { "compressed by xz", "pipe it through xzcat" } },
	{ { MARK(0, "BZh"), MARK(4, "1AY&SY") },
		{ "compressed by bzip2", "pipe it through bzcat" } },
	{ { MARK(0, "\x28\xb5\x2f\xfd") },
		{ "compressed by zstd", "pipe it through zstdcat" } },
	{ { MARK(0, "\x04\x22\x4d\x18") },
		{ "compressed by lz4", "pipe it through lz4cat" } },
	{ { MARK(0, "PK\3\4") }, { "a zip archive", UNPACK } },
	{ { MARK(0, "7z\xbc\xaf") }, { "a 7z archive", UNPACK } },
	{ { MARK(0, "Rar!\x1a") }, { "a RAR archive", UNPACK } },
	{ { MARK(257, "ustar") }, { "a tar archive", UNPACK } },
	{ { MARK(0, "\x89PNG") }, { "a PNG image", NAMED "pngtopam FILE | ppmtopgm" } },
	{ { MARK(0, "\xff\xd8\xff") },
		{ "a JPEG image", NAMED "jpegtopnm FILE | ppmtopgm" } },
	{ { MARK(0, "BM"), MARK(6, "\0\0\0\0") },
		{ "a BMP image", ONE_BY_ONE "bmptopnm FILE | ppmtopgm" } },
	{ { MARK(0, "II*\0") },
		{ "a TIFF image", ONE_BY_ONE "tifftopnm FILE | ppmtopgm" } },
	{ { MARK(0, "MM\0*") },
		{ "a TIFF image", ONE_BY_ONE "tifftopnm FILE | ppmtopgm" } },
	{ { MARK(0, "GIF8"), MARK(5, "a") }, { "a GIF image", FFMPEG } },
	{ { MARK(0, "RIFF"), MARK(8, "WEBP") }, { "a WebP image", FFMPEG } },
	{ { MARK(0, "RIFF"), MARK(8, "AVI ") }, { "a film (AVI)", FFMPEG } },
	{ { MARK(0, "\0"), MARK(4, "ftyp") },
		{ "a film or image (MP4, MOV, HEIC)", FFMPEG } },
	{ { MARK(0, "\x1a\x45\xdf\xa3") }, { "a film (Matroska, WebM)", FFMPEG } },
	{ { MARK(0, "\x93NUMPY") }, { "an array of NumPy", SAVE } },
	{ { MARK(0, "\x89HDF") }, { "an HDF5 file", SAVE } },
	{ { MARK(0, "version https://git-lfs") },
		{ "a pointer of Git LFS, not the file itself",
			"get that with git lfs pull" } },
	{ { MARK(0, "<!DOCTYPE") }, { "a web page", "download the file itself" } },
	{ { MARK(0, "<!doctype") }, { "a web page", "download the file itself" } },
	{ { MARK(0, "<html") }, { "a web page", "download the file itself" } },
	{ { MARK(0, "\xff\xfe") },
		{ "text in UTF-16", "pipe it through iconv -f UTF-16 -t UTF-8" } },
	{ { MARK(0, "\xfe\xff") },
		{ "text in UTF-16", "pipe it through iconv -f UTF-16 -t UTF-8" } },
};

static bool has(const char *first, size_t n, const struct mark *m)
{
	return n >= m->at + m->n &&
		(m->n == 0 || !memcmp(first + m->at, m->bytes, m->n));
}

const struct kf_filetype *kf_filetype_of(const void *first, size_t n)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (has(first, n, &types[i].mark[0]) &&
			has(first, n, &types[i].mark[1]))
			return &types[i].type;
	return NULL;
}
