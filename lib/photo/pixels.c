/* Photographs in memory: room for them, and the eight ways to turn them. */
#include "photo/pixels.h"

#include <stdlib.h>
#include <string.h>

/* -- where pixels go ---------------------------------------------------------------- */

/* Orientations from 5 on exchange rows and columns. */
static bool transposes(int orientation)
{
	return orientation >= 5 && orientation <= 8;
}

/* EXIF names the sides at which row 0 and column 0 of the file are to be seen. */
static void set_places(struct kf_places *to, const struct kf_photo *p, int orientation)
{
	bool at_right = orientation == 2 || orientation == 3 || orientation == 6 ||
		orientation == 7;
	bool at_bottom = orientation == 3 || orientation == 4 || orientation == 7 ||
		orientation == 8;
	ptrdiff_t across = at_right ? -1 : 1, down = at_bottom ? -p->w : p->w;

	to->first = p->grey + (at_right ? p->w - 1 : 0) +
		(at_bottom ? (ptrdiff_t)(p->h - 1) * p->w : 0);
	to->dx = transposes(orientation) ? down : across;
	to->dy = transposes(orientation) ? across : down;
}

int kf_photo_begin(struct kf_photo *p, uint64_t w, uint64_t h, int orientation,
	struct kf_places *to, struct kf_err *err)
{
	size_t n = (size_t)w * (size_t)h;

	if (w < 1 || h < 1 || w > KF_PHOTO_SIDE_MAX || h > KF_PHOTO_SIDE_MAX ||
		n > KF_PHOTO_PIXELS_MAX)
		return kf_fail(err,
			"%llu x %llu pixels are out of bounds (sides of %d, "
			"%llu pixels)",
			(unsigned long long)w, (unsigned long long)h, KF_PHOTO_SIDE_MAX,
			(unsigned long long)KF_PHOTO_PIXELS_MAX);
	if (n > p->room) {
		free(p->grey);
		p->grey = malloc(n);
		p->room = p->grey ? n : 0;
	}
	if (!p->grey) {
		p->w = p->h = 0;
		return kf_fail_memory(err);
	}
	p->w = (int)(transposes(orientation) ? h : w);
	p->h = (int)(transposes(orientation) ? w : h);
	set_places(to, p, orientation);
	return 0;
}

void kf_put_row(const struct kf_places *to, int y, int x, int step, const uint8_t *row,
	int n)
{
	uint8_t *at = to->first + y * to->dy + x * to->dx;
	ptrdiff_t stride = step * to->dx;

	if (stride == 1)
		memcpy(at, row, (size_t)n);
	else
		for (int i = 0; i < n; i++)
			at[i * stride] = row[i];
}

int kf_photo_turn(struct kf_photo *p, int orientation, struct kf_err *err)
{
	struct kf_photo turned = { 0 };
	struct kf_places to;

	if (kf_photo_begin(&turned, (uint64_t)p->w, (uint64_t)p->h, orientation, &to,
		    err) < 0)
		return -1;
	for (int y = 0; y < p->h; y++)
		kf_put_row(&to, y, 0, 1, p->grey + (size_t)y * (size_t)p->w, p->w);
	free(p->grey);
	*p = turned;
	return 0;
}
