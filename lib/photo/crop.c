/*
 * Crops.  Columns are resampled first, by sums of whole rows, which the compiler
 * vectorizes; then the few rows that result.
 */
#include "photo/crop.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Weights come in groups of as many, the last of which ends with zeros. */
#define GROUP 8

/* The pixels `first` to `first + n - 1` of a row or column; their weights. */
struct kf_crop_span {
	int first, n;
	size_t at; /* in kf_crop_axis.weight */
};

void kf_region_transform(const struct kf_region *r, int w, int h, float m[6])
{
	double x = w / r->w, y = h / r->h;

	m[0] = (float)x;
	m[1] = 0;
	m[2] = (float)((0.5 - r->x) * x - 0.5);
	m[3] = 0;
	m[4] = (float)y;
	m[5] = (float)((0.5 - r->y) * y - 0.5);
}

/* -- weights ------------------------------------------------------------------------- */

/* A triangle over the centres of pixels, which is 1 at its top and 0 beyond its ends;
 * `first` and `last` are the outermost pixels inside it, of a row without ends. */
struct triangle {
	double top, half;
	double first, last;
};

static struct triangle triangle(double from, double scale, int i)
{
	struct triangle t;

	t.top = from + (i + 0.5) * scale - 0.5;
	t.half = fmax(scale, 1);
	t.first = floor(t.top - t.half) + 1;
	t.last = ceil(t.top + t.half) - 1;
	return t;
}

static double height(const struct triangle *t, double j)
{
	return fmax(1 - fabs(j - t->top) / t->half, 0);
}

/* The sum of its heights at a, a + 1, ... b, which are on the same side of its top. */
static double slope_sum(const struct triangle *t, double a, double b)
{
	return a > b ? 0 : (b - a + 1) * (height(t, a) + height(t, b)) / 2;
}

/* The same for any a and b inside it. */
static double sum(const struct triangle *t, double a, double b)
{
	double top = floor(t->top);

	return slope_sum(t, a, fmin(b, top)) + slope_sum(t, fmax(a, top + 1), b);
}

static double clamp(double j, int n)
{
	return fmin(fmax(j, 0), n - 1);
}

static size_t padded(int n)
{
	return ((size_t)n + GROUP - 1) / GROUP * GROUP;
}

/* The pixels at the border of a row of n also have the weights of those beyond it. */
static void set_weights(float *weight, const struct kf_crop_span *s,
	const struct triangle *t)
{
	double a = s->first, b = a + s->n - 1, total = sum(t, t->first, t->last);

	for (int k = 0; k < s->n; k++)
		weight[k] = (float)(height(t, a + k) / total);
	weight[0] += (float)(sum(t, t->first, fmin(t->last, a - 1)) / total);
	weight[s->n - 1] += (float)(sum(t, fmax(t->first, b + 1), t->last) / total);
	memset(weight + s->n, 0, (padded(s->n) - (size_t)s->n) * sizeof *weight);
}

/* Room for n elements of this size, without keeping what was in it; NULL where there is
 * none. */
static void *room_for(void *old, size_t *room, size_t n, size_t size)
{
	if (n <= *room)
		return old;
	free(old);
	old = n > SIZE_MAX / size ? NULL : malloc(n * size);
	*room = old ? n : 0;
	return old;
}

/*
 * Spans and weights of w pixels that show `length` pixels, from `from` on, of n.  A
 * pixel of the photograph has a part in two spans at the most where the crop is smaller,
 * and a span has two or three pixels elsewhere; so this is bounded by w and n.
 */
static int set_axis(struct kf_crop_axis *a, double from, double length, int w, int n,
	struct kf_err *err)
{
	double scale = length / w;
	size_t used = 0;

	a->span = room_for(a->span, &a->spans, (size_t)w, sizeof *a->span);
	if (!a->span)
		return kf_fail_memory(err);
	for (int i = 0; i < w; i++) {
		struct triangle t = triangle(from, scale, i);
		struct kf_crop_span *s = &a->span[i];

		s->first = (int)clamp(t.first, n);
		s->n = (int)clamp(t.last, n) - s->first + 1;
		s->at = used;
		used += padded(s->n);
	}
	a->weight = room_for(a->weight, &a->weights, used, sizeof *a->weight);
	if (!a->weight)
		return kf_fail_memory(err);
	for (int i = 0; i < w; i++) {
		struct triangle t = triangle(from, scale, i);

		set_weights(a->weight + a->span[i].at, &a->span[i], &t);
	}
	return 0;
}

/* -- sums ---------------------------------------------------------------------------- */

/* Sets or adds the weighted sum of four rows, `stride` bytes apart, of n pixels. */
static void sum_rows(float *restrict to, bool add, const uint8_t *restrict from,
	size_t stride, const float weight[4], size_t n)
{
	const uint8_t *r1 = from + stride, *r2 = r1 + stride, *r3 = r2 + stride;
	float w0 = weight[0], w1 = weight[1], w2 = weight[2], w3 = weight[3];

	if (add)
		for (size_t x = 0; x < n; x++)
			to[x] +=
				(w0 * from[x] + w1 * r1[x]) + (w2 * r2[x] + w3 * r3[x]);
	else
		for (size_t x = 0; x < n; x++)
			to[x] = (w0 * from[x] + w1 * r1[x]) + (w2 * r2[x] + w3 * r3[x]);
}

static void sum_row(float *restrict to, bool add, const uint8_t *restrict from,
	float weight, size_t n)
{
	if (add)
		for (size_t x = 0; x < n; x++)
			to[x] += weight * from[x];
	else
		for (size_t x = 0; x < n; x++)
			to[x] = weight * from[x];
}

/* n columns, from column x on, of the rows of a span. */
static void sum_span(float *to, const struct kf_photo *p, const struct kf_crop_span *s,
	const float *weight, int x, size_t n)
{
	size_t stride = (size_t)p->w;
	const uint8_t *from = p->grey + (size_t)s->first * stride + x;
	int k = 0;

	for (; k + 4 <= s->n; k += 4, from += 4 * stride)
		sum_rows(to, k > 0, from, stride, weight + k, n);
	for (; k < s->n; k++, from += stride)
		sum_row(to, k > 0, from, weight[k], n);
}

/* The weighted sum of one span, a multiple of GROUP; in the same order everywhere. */
static float dot(const float *a, const float *b, size_t n)
{
	float part[GROUP] = { 0 };

	for (size_t k = 0; k < n; k += GROUP)
		for (int l = 0; l < GROUP; l++)
			part[l] += a[k + (size_t)l] * b[k + (size_t)l];
	return ((part[0] + part[4]) + (part[2] + part[6])) +
		((part[1] + part[5]) + (part[3] + part[7]));
}

/* A row of the crop from a row of the photograph's width, column x of which is the
 * first in c->row. */
static void sum_columns(const struct kf_cropper *c, int x, int w, uint8_t *to)
{
	for (int i = 0; i < w; i++) {
		const struct kf_crop_span *s = &c->x.span[i];

		to[i] = (uint8_t)(dot(c->row + (s->first - x), c->x.weight + s->at,
					  padded(s->n)) +
			0.5f);
	}
}

/* -- crops --------------------------------------------------------------------------- */

static bool in_bounds(double from, double length)
{
	return fabs(from) <= KF_REGION_MAX && length > 0 && length <= KF_REGION_MAX;
}

int kf_crop(struct kf_cropper *c, const struct kf_photo *p, const struct kf_region *r,
	int w, int h, uint8_t *to, struct kf_err *err)
{
	size_t n;
	int x;

	if (!in_bounds(r->x, r->w) || !in_bounds(r->y, r->h))
		return kf_fail(err, "a region of %g x %g pixels at %g, %g is %s", r->w,
			r->h, r->x, r->y,
			r->w <= 0 || r->h <= 0 ? "empty" : "out of bounds");
	if (set_axis(&c->x, r->x, r->w, w, p->w, err) < 0 ||
		set_axis(&c->y, r->y, r->h, h, p->h, err) < 0)
		return -1;
	x = c->x.span[0].first;
	n = (size_t)(c->x.span[w - 1].first + c->x.span[w - 1].n - x);
	c->row = room_for(c->row, &c->floats, n + GROUP, sizeof *c->row);
	if (!c->row)
		return kf_fail_memory(err);
	memset(c->row + n, 0, GROUP * sizeof *c->row); /* where spans are padded */
	for (int i = 0; i < h; i++) {
		const struct kf_crop_span *s = &c->y.span[i];

		sum_span(c->row, p, s, c->y.weight + s->at, x, n);
		sum_columns(c, x, w, to + (size_t)i * (size_t)w);
	}
	return 0;
}

static void free_axis(struct kf_crop_axis *a)
{
	free(a->span);
	free(a->weight);
}

void kf_cropper_free(struct kf_cropper *c)
{
	free_axis(&c->x);
	free_axis(&c->y);
	free(c->row);
	*c = (struct kf_cropper){ 0 };
}
