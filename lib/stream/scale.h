/* How pixels and keypoints were scaled. */
#ifndef KF_SCALE_H
#define KF_SCALE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* scaled = (raw - offset) / factor; factor 0 means that nothing was scaled. */
struct kf_scale {
	float offset, factor;
};

static inline bool kf_is_scaled(struct kf_scale s)
{
	return s.factor != 0;
}

/* The raw value; v itself where nothing was scaled. */
static inline double kf_unscale(double v, struct kf_scale s)
{
	return kf_is_scaled(s) ? v * s.factor + s.offset : v;
}

/* The scaled value; v itself where nothing is scaled. */
static inline double kf_scaled(double v, struct kf_scale s)
{
	return kf_is_scaled(s) ? (v - s.offset) / s.factor : v;
}

/* Of pixels from 0 to 255; bytes can stand for no other scaled values than v / 255. */
static const struct kf_scale kf_pixel_scale = { 0, 255 };

/* to (n) = (float)(v / 255.0): what scaled bytes stand for. */
void kf_scale_bytes(const uint8_t *v, float *to, size_t n);

/* The root mean square of the factors of x and y: a distance of 1 in pixels. */
double kf_scales_pixels(const struct kf_scale s[2]);

/* Whether all n are the same. */
bool kf_scales_equal(const struct kf_scale *a, const struct kf_scale *b, int n);

/* As text, "offset factor" for each of the n, separated by spaces; 40 bytes of
 * size for each are enough. */
void kf_scales_print(const struct kf_scale *s, int n, char *text, size_t size);
/* The inverse: 0, or -1 where text is not n scales with factors above 0. */
int kf_scales_parse(struct kf_scale *s, int n, const char *text);

#endif
