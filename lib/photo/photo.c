/* Photographs from files: which of the formats it is. */
#define _GNU_SOURCE
#include "photo/photo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/filetype.h"
#include "photo/jpeg.h"
#include "photo/netpbm.h"
#include "photo/png.h"

typedef int decode(struct kf_photo *p, FILE *f, struct kf_err *err);

static bool is_netpbm(const unsigned char *first, size_t n)
{
	return n > 2 && first[0] == 'P' && first[1] >= '1' && first[1] <= '7' &&
		(first[2] == '#' || first[2] == ' ' ||
			(first[2] >= '\t' && first[2] <= '\r'));
}

/* What decodes a file that starts with these n bytes, or NULL. */
static decode *decoder_of(const unsigned char *first, size_t n)
{
	if (n >= 3 && !memcmp(first, "\xff\xd8\xff", 3))
		return kf_read_jpeg;
	if (n >= 8 && !memcmp(first, "\x89PNG\r\n\x1a\n", 8))
		return kf_read_png;
	return is_netpbm(first, n) ? kf_read_netpbm : NULL;
}

bool kf_photo_claims(const unsigned char *first, size_t n)
{
	return decoder_of(first, n) != NULL;
}

/* Of a file of another kind, n bytes of which have been read. */
static int refuse(unsigned char first[KF_FILETYPE_BYTES], size_t n, FILE *f,
	struct kf_err *err)
{
	const struct kf_filetype *type;

	n += fread(first + n, 1, KF_FILETYPE_BYTES - n, f);
	type = kf_filetype_of(first, n);
	if (n == 0)
		return kf_fail(err, "an empty file, not a photograph");
	return kf_fail(err, "%s%snot a photograph in JPEG, PNG or a format of netpbm's",
		type ? type->what : "", type ? ", " : "");
}

static int read_file(struct kf_photo *p, FILE *f, struct kf_err *err)
{
	unsigned char first[KF_FILETYPE_BYTES];
	size_t n = fread(first, 1, KF_PHOTO_FIRST_BYTES, f);
	decode *read = decoder_of(first, n);

	if (!read)
		return refuse(first, n, f, err);
	/* back to the start, which also works in a pipe: glibc takes back any number */
	while (n > 0)
		if (ungetc(first[--n], f) == EOF)
			return kf_fail_memory(err);
	return read(p, f, err);
}

int kf_photo_read(struct kf_photo *p, const char *path, struct kf_err *err)
{
	FILE *f = fopen(path, "re");
	int rc;

	if (!f)
		return kf_fail_errno(err, "cannot open '%s'", path);
	errno = 0;
	rc = read_file(p, f, err);
	if (rc < 0 && ferror(f))
		rc = kf_fail_errno(err, "cannot read '%s'", path);
	fclose(f);
	return rc < 0 ? kf_place(err, "'%s'", path) : 0;
}

void kf_photo_free(struct kf_photo *p)
{
	free(p->grey);
	*p = (struct kf_photo){ 0 };
}
