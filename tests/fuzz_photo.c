/*
 * Feeds arbitrary files to the readers of photographs, and cuts a crop from what they
 * read: the whole photograph is itself, and any region ends well.
 */
#define _GNU_SOURCE
#include "fuzz.h"

#include <math.h>

#include "photo/crop.h"
#include "netpbm_leaks.h"
#include "photo/photo.h"

/* A region by six bytes: position, size, and their powers of two. */
#define REGION_BYTES 6

static void crops(const struct kf_photo *p, const uint8_t how[REGION_BYTES])
{
	const struct kf_region all = { 0, 0, p->w, p->h };
	struct kf_region r;
	struct kf_cropper c = { 0 };
	size_t n = (size_t)p->w * (size_t)p->h;
	uint8_t *same = malloc(n), crop[9 * 7];
	struct kf_err err;

	r.x = ldexp((int8_t)how[0], how[4] % 32 - 6);
	r.y = ldexp((int8_t)how[1], how[4] % 32 - 6);
	r.w = ldexp((int8_t)how[2], how[5] % 32 - 6);
	r.h = ldexp((int8_t)how[3], how[5] % 32 - 6);
	if (!same || kf_crop(&c, p, &all, p->w, p->h, same, &err) < 0 ||
		memcmp(same, p->grey, n))
		abort();
	kf_crop(&c, p, &r, 9, 7, crop, &err);
	kf_cropper_free(&c);
	free(same);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct kf_photo p;
	struct kf_err err;
	char path[32];

	if (n < REGION_BYTES)
		return 0;
	snprintf(path, sizeof path, "/dev/fd/%d",
		fuzz_file(data + REGION_BYTES, n - REGION_BYTES));
	if (kf_photo_read(&p, path, &err) == 0)
		crops(&p, data);
	else if (strchr(err.msg, '\n') || !strstr(err.msg, path))
		abort();
	return 0;
}
