/* Scales as text. */
#include "stream/scale.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void kf_scale_bytes(const uint8_t *v, float *to, size_t n)
{
	float table[256];

	for (int i = 0; i < 256; i++)
		table[i] = (float)(i / 255.0);
	for (size_t i = 0; i < n; i++)
		to[i] = table[v[i]];
}

double kf_scales_pixels(const struct kf_scale s[2])
{
	double x = s[0].factor, y = s[1].factor;

	return sqrt((x * x + y * y) / 2);
}

void kf_scales_print(const struct kf_scale *s, int n, char *text, size_t size)
{
	size_t at = 0;

	for (int i = 0; i < n; i++)
		at += (size_t)snprintf(text + at, size - at, "%s%.9g %.9g",
			i ? " " : "", s[i].offset, s[i].factor);
}

int kf_scales_parse(struct kf_scale *s, int n, const char *text)
{
	char *end;

	for (int i = 0; i < n; i++) {
		s[i].offset = strtof(text, &end);
		if (end == text)
			return -1;
		s[i].factor = strtof(text = end, &end);
		if (end == text || !(s[i].factor > 0) || !(s[i].factor < 1e30f) ||
			!(s[i].offset > -1e30f && s[i].offset < 1e30f))
			return -1;
		text = end;
	}
	return *text ? -1 : 0;
}

bool kf_scales_equal(const struct kf_scale *a, const struct kf_scale *b, int n)
{
	for (int i = 0; i < n; i++)
		if (a[i].offset != b[i].offset || a[i].factor != b[i].factor)
			return false;
	return true;
}
