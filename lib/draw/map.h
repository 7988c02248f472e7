/* A row's map as a picture. */
#ifndef KF_MAP_H
#define KF_MAP_H

#include "draw/draw.h"
#include "stream/schema.h"

/* The values that are drawn from dark to light. */
struct kf_range {
	double low, high;
};

/* From the least to the largest of a channel of a row's map, or of all channels where they
 * have but one value each; 0 and 0 where none is a finite number. */
struct kf_range kf_map_range(const struct kf_schema *s, const struct kf_chunk *c,
	size_t row, int channel);

/*
 * Fills a box with a channel of a row's map, as large as that: with shades of grey or,
 * where the canvas has colour, from violet over green to yellow.  What is no finite number
 * is as dark as the lowest.  With `over` it is mixed with what is there, in equal parts.
 */
void kf_draw_map(struct kf_canvas *canvas, struct kf_box box, const struct kf_schema *s,
	const struct kf_chunk *c, size_t row, int channel, struct kf_range range,
	bool over);

#endif
