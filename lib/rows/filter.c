/* Dropping incomplete rows; scaling, and undoing it. */
#include "rows/filter.h"

#include <math.h>
#include <string.h>

/* -- dropping ------------------------------------------------------------------ */

bool kf_row_is_complete(const struct kf_schema *s, const struct kf_chunk *c, size_t row)
{
	const float *y = c->y + row * (size_t)s->columns.n;

	for (int j = 0; j < s->columns.n; j++)
		if (isnan(y[j]))
			return false;
	return true;
}

void kf_drop_missing(struct kf_chunk *c, const struct kf_schema *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->n; i++) {
		if (!kf_row_is_complete(s, c, i))
			continue;
		if (kept != i)
			kf_chunk_copy_row(c, kept, c, i, s);
		kept++;
	}
	c->n = kept;
}

/* -- scaling ------------------------------------------------------------------- */

static int check_axes(const struct kf_names *names, struct kf_err *err)
{
	for (int i = 0; i < names->n; i++)
		if (kf_axis(names->name[i]) < 0)
			return kf_fail(err,
				"cannot scale column '%s': its name ends "
				"neither in _x nor in _y",
				names->name[i]);
	return 0;
}

int kf_scale_schema(const struct kf_schema *in, bool bytes, struct kf_schema *out,
	struct kf_err *err)
{
	struct kf_scale half[2] = { { (float)in->w / 2, (float)in->w / 2 },
		{ (float)in->h / 2, (float)in->h / 2 } };

	if (kf_schema_is_scaled(in))
		return kf_fail(err, "the stream is scaled already");
	if (check_axes(&in->columns, err) < 0 || check_axes(&in->p_columns, err) < 0)
		return -1;
	if (kf_schema_copy(out, in, err) < 0)
		return -1;
	out->dtype = bytes ? KF_U8 : KF_F32;
	out->x_scale = kf_pixel_scale;
	if (in->columns.n)
		memcpy(out->y_scale, half, sizeof half);
	if (in->p_columns.n)
		memcpy(out->p_scale, half, sizeof half);
	return 0;
}

int kf_unscale_schema(const struct kf_schema *in, struct kf_schema *out,
	struct kf_err *err)
{
	static const struct kf_scale none[2];

	if (!kf_schema_is_scaled(in))
		return kf_fail(err, "the stream is not scaled");
	if (kf_schema_copy(out, in, err) < 0)
		return -1;
	if (kf_is_scaled(in->x_scale))
		out->dtype = KF_U8;
	out->x_scale = none[0];
	memcpy(out->y_scale, none, sizeof none);
	memcpy(out->p_scale, none, sizeof none);
	return 0;
}

bool kf_looks_scaled(const struct kf_schema *s, const struct kf_chunk *c)
{
	size_t count = c->n * kf_image_pixels(s), ones = 0;
	const uint8_t *u = c->X;
	const float *x = c->X;

	if (s->no_images || kf_is_scaled(s->x_scale))
		return false;
	for (size_t i = 0; i < count; i++) {
		float v = s->dtype == KF_U8 ? u[i] : x[i];

		if (!(v >= 0 && v <= 1))
			return false;
		ones += v > 0;
	}
	return ones > 0;
}

/* Scales n rows of the named columns, or undoes that. */
static void scale_columns(const struct kf_names *names, const struct kf_scale *s,
	bool undo, const float *v /* (n, names.n) */, float *out, size_t n)
{
	for (int j = 0; j < names->n; j++) {
		struct kf_scale a = s[kf_axis(names->name[j]) == 1];

		for (size_t i = 0; i < n; i++) {
			size_t at = i * (size_t)names->n + (size_t)j;

			out[at] = (float)(undo ? kf_unscale(v[at], a) :
						 kf_scaled(v[at], a));
		}
	}
}

/* What scaling leaves alone: neither pixels nor columns. */
static int copy_rest(const struct kf_chunk *from, struct kf_chunk *to,
	const struct kf_schema *out, struct kf_err *err)
{
	if (kf_chunk_reserve(to, out, from->n, err) < 0)
		return -1;
	to->n = from->n;
	if (from->n == 0)
		return 0; /* nothing may be allocated */
	for (int i = 0; i < KF_FIELDS; i++) {
		const struct kf_field *f = &kf_fields[i];
		size_t bytes = kf_field_bytes(f, out);

		if (bytes && !f->image && !f->columns)
			memcpy(kf_field_data(f, to), kf_field_data(f, from),
				from->n * bytes);
	}
	return 0;
}

static void scale_floats(const float *v, float *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (float)(v[i] / 255.0);
}

/* Rows of floats as the same numbers in bytes. */
static int narrow(const struct kf_schema *in, const struct kf_chunk *from, uint8_t *out,
	struct kf_err *err)
{
	size_t image = kf_image_pixels(in);
	const float *v = from->X;

	for (size_t i = 0; i < from->n * image; i++) {
		if (!(v[i] >= 0 && v[i] <= 255 && v[i] == floorf(v[i])))
			return kf_fail(err,
				"row %lld: pixel %zu is %.9g, and bytes are whole "
				"numbers from 0 to 255",
				(long long)from->id[i / image], i % image + 1, v[i]);
		out[i] = (uint8_t)v[i];
	}
	return 0;
}

static void copy_bytes(const struct kf_chunk *from, struct kf_chunk *to, size_t image)
{
	if (from->n > 0) /* else nothing may be allocated */
		memcpy(to->X, from->X, from->n * image);
}

int kf_scale_rows(const struct kf_schema *in, struct kf_chunk *from,
	const struct kf_schema *out, struct kf_chunk *to, struct kf_err *err)
{
	size_t count = from->n * kf_image_pixels(in);

	if (copy_rest(from, to, out, err) < 0)
		return -1;
	scale_columns(&in->columns, out->y_scale, false, from->y, to->y, from->n);
	scale_columns(&in->p_columns, out->p_scale, false, from->p, to->p, from->n);
	if (in->no_images)
		return 0;
	if (in->dtype == KF_F32 && out->dtype == KF_U8)
		return narrow(in, from, to->X, err);
	if (in->dtype == KF_F32)
		scale_floats(from->X, to->X, count);
	else if (out->dtype == KF_F32)
		kf_scale_bytes(from->X, to->X, count);
	else
		copy_bytes(from, to, kf_image_bytes(in));
	return 0;
}

int kf_unscale_rows(const struct kf_schema *in, struct kf_chunk *from,
	const struct kf_schema *out, struct kf_chunk *to, struct kf_err *err)
{
	size_t image = kf_image_pixels(in);
	const float *x = from->X;
	uint8_t *u;

	if (copy_rest(from, to, out, err) < 0)
		return -1;
	scale_columns(&in->columns, in->y_scale, true, from->y, to->y, from->n);
	scale_columns(&in->p_columns, in->p_scale, true, from->p, to->p, from->n);
	if (in->no_images)
		return 0;
	u = to->X;
	if (in->dtype == out->dtype) { /* pixels that are not scaled, or bytes */
		copy_bytes(from, to, kf_image_bytes(in));
		return 0;
	}
	for (size_t i = 0; i < from->n * image; i++) {
		/* what kf_unscale gives, but without its detour to double */
		float v = x[i] * in->x_scale.factor + in->x_scale.offset;

		if (!(v > -0.5f && v < 255.5f))
			return kf_fail(err, "row %lld: pixel %zu is %.9g, not 0 to 255",
				(long long)from->id[i / image], i % image + 1, v);
		u[i] = (uint8_t)(v + 0.5f);
	}
	return 0;
}
