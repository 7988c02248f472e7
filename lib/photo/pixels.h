/* A photograph in memory, and how the pixels of a file, row by row, get there. */
#ifndef KF_PIXELS_H
#define KF_PIXELS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Bounds of a photograph: of its sides, and of their product.  Fuzz targets are compiled
 * with less. */
#define KF_PHOTO_SIDE_MAX 65535
#ifndef KF_PHOTO_PIXELS_MAX
#define KF_PHOTO_PIXELS_MAX ((uint64_t)1 << 28)
#endif

/*
 * A photograph: upright as EXIF says, grey by ITU-R 601 (0.299 R + 0.587 G + 0.114 B).
 * All zeros is none; free it with kf_photo_free (photo/photo.h).
 */
struct kf_photo {
	int w, h;
	uint8_t *grey; /* (h, w), 0 is black, 255 white */
	size_t room;   /* allocated, in bytes (private) */
};

/* -- where pixels go ---------------------------------------------------------------- */

/* The pixel in column x of row y of a file goes to first[x * dx + y * dy]. */
struct kf_places {
	uint8_t *first;
	ptrdiff_t dx, dy;
};

/*
 * Makes room for the pixels of a file that has w x h of them, turned as EXIF's
 * orientation (1 to 8; what else files have there is taken for 1) says.  -1 where they
 * are out of bounds or there is no memory.
 */
int kf_photo_begin(struct kf_photo *p, uint64_t w, uint64_t h, int orientation,
	struct kf_places *to, struct kf_err *err);

/* Puts n pixels into row y, one in `step` columns from column x on. */
void kf_put_row(const struct kf_places *to, int y, int x, int step, const uint8_t *row,
	int n);

/* Turns a complete photograph, for an orientation that is known too late. */
int kf_photo_turn(struct kf_photo *p, int orientation, struct kf_err *err);

/* -- grey ---------------------------------------------------------------------------- */

/* ITU-R 601's grey, in thousandths of the samples' unit. */
static inline uint64_t kf_grey_sum(uint32_t r, uint32_t g, uint32_t b)
{
	return 299 * (uint64_t)r + 587 * (uint64_t)g + 114 * (uint64_t)b;
}

/* Such a sum as a byte, rounded, where white is `max`, at most 65535. */
static inline uint8_t kf_grey_byte(uint64_t sum, uint32_t max)
{
	return (uint8_t)((sum * 255 + 500 * (uint64_t)max) / (1000 * (uint64_t)max));
}

#endif
