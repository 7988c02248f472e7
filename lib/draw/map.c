/* A row's map as a picture. */
#include "draw/map.h"

#include <math.h>

/* -- colours ------------------------------------------------------------------------ */

/*
 * Equal steps of "viridis", in which equal differences look equal and which those who
 * confuse red and green see as well; by N. Smith and S. van der Walt for matplotlib, in the
 * public domain (CC0).
 */
static const struct kf_colour ramp[] = { { 0x44, 0x01, 0x54 }, { 0x47, 0x2d, 0x7b },
	{ 0x3b, 0x52, 0x8b }, { 0x2c, 0x72, 0x8e }, { 0x21, 0x90, 0x8c },
	{ 0x27, 0xad, 0x81 }, { 0x5d, 0xc8, 0x63 }, { 0xaa, 0xdc, 0x32 },
	{ 0xfd, 0xe7, 0x25 } };

#define STEPS (int)(sizeof ramp / sizeof *ramp - 1)

static unsigned char between(unsigned char a, unsigned char b, double part)
{
	return (unsigned char)(a + (b - a) * part + 0.5);
}

static struct kf_colour mix(struct kf_colour a, struct kf_colour b, double part)
{
	return (struct kf_colour){ between(a.r, b.r, part), between(a.g, b.g, part),
		between(a.b, b.b, part) };
}

/* The colour of a value; part is from 0 to 1. */
static struct kf_colour shade(double part, bool colour)
{
	int step = (int)(part * STEPS);

	if (!colour)
		return kf_grey((int)(255 * part + 0.5));
	if (step == STEPS)
		return ramp[STEPS];
	return mix(ramp[step], ramp[step + 1], part * STEPS - step);
}

/* -- values ------------------------------------------------------------------------- */

struct kf_range kf_map_range(const struct kf_schema *s, const struct kf_chunk *c,
	size_t row, int channel)
{
	size_t all = kf_map_values(s), n = (size_t)s->map[1] * (size_t)s->map[2];
	const float *v = c->map + row * all + (size_t)channel * n;
	struct kf_range r = { INFINITY, -INFINITY };

	if (n == 1) {
		v -= channel;
		n = all;
	}
	for (size_t i = 0; i < n; i++) {
		if (!isfinite(v[i]))
			continue;
		r.low = fmin(r.low, v[i]);
		r.high = fmax(r.high, v[i]);
	}
	return r.low <= r.high ? r : (struct kf_range){ 0, 0 };
}

static double part_of(double v, struct kf_range r)
{
	return isfinite(v) && r.high > r.low ? (v - r.low) / (r.high - r.low) : 0;
}

/* -- drawing ------------------------------------------------------------------------ */

static struct kf_colour colour_at(const struct kf_canvas *c, int x, int y)
{
	const unsigned char *p =
		c->pixels + ((size_t)y * (size_t)c->w + (size_t)x) * (size_t)c->depth;

	return c->depth == 3 ? (struct kf_colour){ p[0], p[1], p[2] } : kf_grey(*p);
}

void kf_draw_map(struct kf_canvas *canvas, struct kf_box box, const struct kf_schema *s,
	const struct kf_chunk *c, size_t row, int channel, struct kf_range range,
	bool over)
{
	const int h = s->map[1], w = s->map[2];
	const int across = box.right - box.left, down = box.bottom - box.top;
	const float *v = c->map + row * kf_map_values(s) +
		(size_t)channel * (size_t)h * (size_t)w;

	for (int y = 0; y < down; y++)
		for (int x = 0; x < across; x++) {
			size_t at = (size_t)((long long)y * h / down) * (size_t)w +
				(size_t)((long long)x * w / across);
			int l = box.left + x, t = box.top + y;
			struct kf_colour colour =
				shade(part_of(v[at], range), canvas->depth == 3);

			if (over)
				colour = mix(colour_at(canvas, l, t), colour, 0.5);
			kf_draw_box(canvas, (struct kf_box){ l, t, l + 1, t + 1 },
				colour);
		}
}
