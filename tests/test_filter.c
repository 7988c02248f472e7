/* Dropping incomplete rows; scaling and back. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rows/filter.h"
#include "tap.h"

/* Images of 3 x 2 x 4 pixels, two targets, one prediction, labels. */
static struct kf_schema sample_schema(void)
{
	struct kf_schema s = { .has_label = true,
		.dtype = KF_U8,
		.c = 3,
		.h = 2,
		.w = 4 };

	kf_names_add(&s.columns, "nose_x");
	kf_names_add(&s.columns, "nose_y");
	kf_names_add(&s.p_columns, "nose_y");
	return s;
}

static struct kf_chunk sample_chunk(const struct kf_schema *s, size_t n)
{
	struct kf_chunk c = { 0 };
	struct kf_err err;
	size_t image = kf_image_bytes(s);

	if (kf_chunk_reserve(&c, s, n, &err) < 0)
		abort();
	c.n = n;
	for (size_t i = 0; i < n; i++) {
		c.id[i] = (int64_t)i + 1;
		c.label[i] = (int64_t)i * 2;
		c.y[2 * i] = (float)i;
		c.y[2 * i + 1] = (float)i / 4;
		c.p[i] = (float)i + 100;
		for (size_t j = 0; j < image; j++)
			((uint8_t *)c.X)[i * image + j] = (uint8_t)(i * image + j);
	}
	return c;
}

static void test_drop(void)
{
	struct kf_schema s = sample_schema();
	struct kf_chunk c = sample_chunk(&s, 6), none = { 0 };
	size_t image = kf_image_bytes(&s);

	c.y[0] = NAN; /* row 1 */
	c.y[7] = NAN; /* row 4 */
	c.y[10] = c.y[11] = NAN;
	c.p[1] = NAN; /* a prediction is no target */
	kf_drop_missing(&c, &s);
	ok(c.n == 3, "three of six rows are complete");
	ok(c.id[0] == 2 && c.id[1] == 3 && c.id[2] == 5, "their ids");
	ok(c.label[0] == 2 && c.label[1] == 4 && c.label[2] == 8, "labels");
	ok(c.y[4] == 4 && c.y[5] == 1, "targets");
	ok(isnan(c.p[0]) && c.p[2] == 104, "predictions");
	ok(((uint8_t *)c.X)[2 * image] == 4 * image &&
			((uint8_t *)c.X)[3 * image - 1] == 5 * image - 1,
		"images");
	for (size_t i = 0; i < c.n; i++)
		c.y[2 * i] = NAN;
	kf_drop_missing(&c, &s);
	ok(c.n == 0, "all rows dropped");
	kf_drop_missing(&none, &s);
	ok(none.n == 0, "nothing to drop");
	kf_chunk_free(&c);
	kf_schema_free(&s);
}

static void test_scale(void)
{
	struct kf_schema s = sample_schema(), scaled, back;
	struct kf_chunk c = sample_chunk(&s, 11), to = { 0 }, again = { 0 };
	struct kf_difference d;
	struct kf_err err;
	const float *x;
	bool exact = true;

	ok(kf_scale_schema(&s, false, &scaled, &err) == 0, "a schema is scaled");
	ok(scaled.dtype == KF_F32 && scaled.x_scale.factor == 255 &&
			scaled.x_scale.offset == 0,
		"pixels by 255");
	ok(scaled.y_scale[0].factor == 2 && scaled.y_scale[0].offset == 2 &&
			scaled.y_scale[1].factor == 1,
		"targets by half the width and height");
	ok(kf_scale_schema(&scaled, false, &back, &err) < 0, "not twice: %s", err.msg);
	c.y[4] = NAN;
	ok(kf_scale_rows(&s, &c, &scaled, &to, &err) == 0 && to.n == 11,
		"rows are scaled");
	x = to.X;
	ok(x[0] == 0 && x[255] == 1 && x[51] == 0.2f, "pixels 0, 255, 51");
	ok(to.y[0] == -1 && to.y[1] == -1 && to.y[2 * 4] == 1 && to.y[2 * 4 + 1] == 0,
		"targets of rows 1 and 5");
	ok(isnan(to.y[4]), "a missing target stays missing");
	ok(to.p[10] == 109, "predictions like targets");
	ok(kf_unscale_schema(&scaled, &back, &err) == 0 &&
			!kf_schema_differs(&s, &back, &d),
		"the schema's way back");
	ok(kf_unscale_rows(&scaled, &to, &back, &again, &err) == 0 && again.n == 11,
		"rows' way back");
	ok(!memcmp(again.X, c.X, 11 * kf_image_bytes(&s)), "pixels are the same");
	for (int i = 0; i < 22; i++)
		exact &= i == 4 ? isnan(again.y[i]) : fabsf(again.y[i] - c.y[i]) < 1e-6;
	ok(exact, "targets are the same");
	ok(!memcmp(again.p, c.p, 11 * sizeof *c.p), "predictions are the same");
	((float *)to.X)[24 + 3] = 1.01f;
	ok(kf_unscale_rows(&scaled, &to, &back, &again, &err) < 0 &&
			strstr(err.msg, "row 2: pixel 4"),
		"no pixel: %s", err.msg);
	((float *)to.X)[24 + 3] = 255.6f / 255;
	ok(kf_unscale_rows(&scaled, &to, &back, &again, &err) < 0,
		"nor half a level above 255: %s", err.msg);
	((float *)to.X)[24 + 3] = -0.6f / 255;
	ok(kf_unscale_rows(&scaled, &to, &back, &again, &err) < 0,
		"nor half a level below 0: %s", err.msg);
	((float *)to.X)[24 + 3] = 255.50002f / 255;
	ok(kf_unscale_rows(&scaled, &to, &back, &again, &err) < 0 &&
			strstr(err.msg, "is 255.50001"),
		"however little: %s", err.msg);
	((float *)to.X)[24 + 3] = 255.4f / 255;
	ok(kf_unscale_rows(&scaled, &to, &back, &again, &err) == 0 &&
			((uint8_t *)again.X)[24 + 3] == 255,
		"less is rounded");
	((float *)to.X)[24 + 3] = NAN;
	ok(kf_unscale_rows(&scaled, &to, &back, &again, &err) < 0, "no number: %s",
		err.msg);
	ok(kf_unscale_schema(&s, &back, &err) < 0, "nothing to undo: %s", err.msg);

	c.n = to.n = 0;
	ok(kf_scale_rows(&s, &c, &scaled, &to, &err) == 0 && to.n == 0 &&
			kf_unscale_rows(&scaled, &to, &s, &again, &err) == 0,
		"no rows at all");
	kf_chunk_free(&c);
	kf_chunk_free(&to);
	kf_chunk_free(&again);
	to = again = (struct kf_chunk){ 0 };
	ok(kf_scale_rows(&s, &c, &scaled, &to, &err) == 0 &&
			kf_unscale_rows(&scaled, &to, &s, &again, &err) == 0,
		"nor memory for any");
	kf_schema_free(&scaled);
	kf_schema_free(&back);
	kf_schema_free(&s);
}

/* Floats that are almost bytes. */
static void test_narrow(void)
{
	struct kf_schema s = { .dtype = KF_F32, .c = 1, .h = 1, .w = 2 }, scaled;
	struct kf_chunk c = { 0 }, to = { 0 };
	struct kf_err err;

	if (kf_scale_schema(&s, true, &scaled, &err) < 0 ||
		kf_chunk_reserve(&c, &s, 1, &err) < 0)
		abort();
	c.n = 1;
	c.id[0] = 5;
	((float *)c.X)[0] = 255;
	((float *)c.X)[1] = 17;
	ok(kf_scale_rows(&s, &c, &scaled, &to, &err) == 0 &&
			!memcmp(to.X, "\377\21", 2),
		"whole numbers become bytes");
	((float *)c.X)[1] = 254.99998f;
	ok(kf_scale_rows(&s, &c, &scaled, &to, &err) < 0 &&
			strstr(err.msg, "row 5: pixel 2 is 254.99998"),
		"others do not: %s", err.msg);
	kf_chunk_free(&c);
	kf_chunk_free(&to);
	kf_schema_free(&scaled);
}

static void test_axes(void)
{
	struct kf_schema s = sample_schema(), scaled;
	struct kf_err err;

	ok(kf_axis("nose_tip_x") == 0 && kf_axis("y_y") == 1, "axes");
	ok(kf_axis("nose") < 0 && kf_axis("x") < 0 && kf_axis("") < 0 &&
			kf_axis("nosex") < 0,
		"names without an axis");
	kf_names_add(&s.columns, "age");
	ok(kf_scale_schema(&s, false, &scaled, &err) < 0 && strstr(err.msg, "'age'"),
		"a column without an axis: %s", err.msg);
	kf_schema_free(&s);
}

int main(void)
{
	test_drop();
	test_scale();
	test_narrow();
	test_axes();
	return done_testing();
}
