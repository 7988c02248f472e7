/* Points of photographs, taken to images and back. */
#include <math.h>
#include <string.h>

#include "random64.h"
#include "rows/filter.h"
#include "rows/original.h"
#include "tap.h"

#define ROWS 2000
#define POINTS 5
#define FAR 20000.0 /* pixels: as far as a photograph reaches */

static double uniform(double low, double high)
{
	return low + (high - low) * (double)(random64() >> 11) * 0x1p-53;
}

static struct kf_names names(const char *text)
{
	struct kf_names n = { 0 };
	struct kf_err err;

	if (kf_names_split(&n, text, &err) < 0)
		note("%s", err.msg);
	return n;
}

static struct kf_schema schema_of(const char *columns)
{
	return (struct kf_schema){ .c = 1,
		.h = 48,
		.w = 96,
		.columns = names(columns),
		.p_columns = names(columns),
		.has_transform = true };
}

/* -- there and back -------------------------------------------------------------- */

/* A crop around a centre, which may leave the picture: its half side and an angle. */
struct crop {
	double x, y, half, angle;
	bool mirrored;
};

static struct crop random_crop(bool turned)
{
	struct crop c = { uniform(0, FAR), uniform(0, FAR), 0, 0, false };

	c.half = exp(uniform(log(20), log(FAR / 2)));
	if (turned) {
		c.angle = uniform(-3.2, 3.2);
		c.mirrored = random64() % 2;
	}
	return c;
}

/* The transform that brings it to the middle of an image of 96 x 48. */
static void set_transform(const struct crop *c, float t[6])
{
	double sx = 48 / c->half * (c->mirrored ? -1 : 1), sy = 24 / c->half;
	double co = cos(c->angle), si = sin(c->angle);

	t[0] = (float)(sx * co);
	t[1] = (float)(sx * si);
	t[2] = (float)(47.5 - sx * (co * c->x + si * c->y));
	t[3] = (float)(-sy * si);
	t[4] = (float)(sy * co);
	t[5] = (float)(23.5 - sy * (co * c->y - si * c->x));
	if (c->angle == 0)
		t[1] = t[3] = 0;
}

/* Points inside a crop, as far as a photograph reaches; v gets their places in the image,
 * with y's before x's. */
static void set_points(const struct crop *c, const float t[6], double *photo, float *v)
{
	for (int i = 0; i < POINTS; i++) {
		double x = fmin(c->x + uniform(-0.7, 0.7) * c->half, FAR);
		double y = fmin(c->y + uniform(-0.7, 0.7) * c->half, FAR);

		photo[2 * i] = y;
		photo[2 * i + 1] = x;
		v[2 * i] = (float)(t[3] * x + t[4] * y + t[5]);
		v[2 * i + 1] = (float)(t[0] * x + t[1] * y + t[2]);
	}
}

static double farthest(const double *want, const float *got, size_t n)
{
	double most = 0;

	for (size_t i = 0; i < n; i++)
		most = fmax(most, fabs(want[i] - got[i]));
	return most;
}

static int convert(const struct kf_schema *in, struct kf_chunk *c, struct kf_err *err)
{
	struct kf_original o;
	struct kf_schema out;
	int rc;

	if (kf_original_open(&o, in, &out, err) < 0)
		return -1;
	rc = kf_original_rows(&o, c, err);
	if (kf_schema_is_scaled(&out) || !out.no_images)
		rc = kf_fail(err, "the schema is not that of the photograph");
	kf_original_free(&o);
	kf_schema_free(&out);
	return rc;
}

static void test_round_trip(bool turned, bool scaled)
{
	static double y[ROWS * 2 * POINTS], p[ROWS * 2 * POINTS];
	struct kf_schema s = schema_of("a_y,a_x,b_y,b_x,c_y,c_x,d_y,d_x,e_y,e_x");
	struct kf_schema scaled_schema = { 0 };
	struct kf_chunk c = { 0 }, to = { 0 };
	struct kf_err err = { .msg = "" };
	int rc;

	if (kf_chunk_reserve(&c, &s, ROWS, &err) < 0)
		return;
	memset(c.X, 9, ROWS * kf_image_bytes(&s));
	c.n = ROWS;
	for (size_t i = 0; i < ROWS; i++) {
		struct crop crop = random_crop(turned);

		c.id[i] = (int64_t)i;
		set_transform(&crop, c.transform + 6 * i);
		set_points(&crop, c.transform + 6 * i, y + 2 * POINTS * i,
			c.y + 2 * POINTS * i);
		set_points(&crop, c.transform + 6 * i, p + 2 * POINTS * i,
			c.p + 2 * POINTS * i);
	}
	if (scaled) {
		rc = kf_scale_schema(&s, false, &scaled_schema, &err);
		if (rc == 0)
			rc = kf_scale_rows(&s, &c, &scaled_schema, &to, &err);
		ok(rc == 0 && convert(&scaled_schema, &to, &err) == 0,
			"scaled rows go back %s", err.msg);
	} else
		ok(convert(&s, &c, &err) == 0, "rows go back %s", err.msg);
	if (scaled) {
		struct kf_chunk swap = c;

		c = to;
		to = swap;
	}
	rc = farthest(y, c.y, ROWS * 2 * POINTS) < 0.01 &&
		farthest(p, c.p, ROWS * 2 * POINTS) < 0.01;
	ok(rc, "... %s crops to 0.01 pixels: %.4f and %.4f",
		turned ? "turned" : "upright", farthest(y, c.y, ROWS * 2 * POINTS),
		farthest(p, c.p, ROWS * 2 * POINTS));
	kf_chunk_free(&c);
	kf_chunk_free(&to);
	kf_schema_free(&s);
	kf_schema_free(&scaled_schema);
}

/* -- single rows ----------------------------------------------------------------- */

/* One row of columns a_x,a_y,b_y,age: its values become those wanted. */
static void test_values(const char *what, const float t[6], const float v[4],
	const float want[4])
{
	struct kf_schema s = schema_of("a_x,a_y,b_y,age");
	float transform[6], y[4], p[4];
	int64_t id[] = { 7 };
	struct kf_chunk c = { .n = 1,
		.id = id,
		.transform = transform,
		.y = y,
		.p = p };
	struct kf_err err = { .msg = "" };
	bool same = true;

	memcpy(transform, t, sizeof transform);
	memcpy(y, v, sizeof y);
	memcpy(p, v, sizeof p);
	ok(convert(&s, &c, &err) == 0, "%s %s", what, err.msg);
	for (int i = 0; i < 4; i++)
		same = same && (isnan(want[i]) ? isnan(y[i]) : y[i] == want[i]) &&
			(isnan(want[i]) ? isnan(p[i]) : p[i] == want[i]);
	ok(same, "... %g %g %g %g", y[0], y[1], y[2], y[3]);
	kf_schema_free(&s);
}

/* The same of a row with columns a_y and a_x alone, in two axes that depend on another. */
static void test_pair(const char *what, float a_y, float a_x, float want_y,
	float want_x)
{
	struct kf_schema s = schema_of("a_y,a_x");
	/* a quarter turn, to half the size: x' = y / 2 + 10, y' = -x / 2 + 20 */
	float transform[] = { 0, 0.5F, 10, -0.5F, 0, 20 };
	float y[] = { a_y, a_x }, p[] = { a_y, a_x };
	int64_t id[] = { 7 };
	struct kf_chunk c = { .n = 1,
		.id = id,
		.transform = transform,
		.y = y,
		.p = p };
	struct kf_err err = { .msg = "" };
	bool done = convert(&s, &c, &err) == 0;

	ok(done && (isnan(want_y) ? isnan(p[0]) : p[0] == want_y) &&
			(isnan(want_x) ? isnan(p[1]) : p[1] == want_x) &&
			!memcmp(y, p, sizeof y),
		"%s: %g %g %s", what, y[0], y[1], err.msg);
	kf_schema_free(&s);
}

static void test_rows(void)
{
	static const float t[] = { 0.5F, 0, 10, 0, -0.25F, 20 };

	test_values("each axis on its own", t, (float[]){ 5, 30, 20, 3 },
		(float[]){ -10, -40, 0, 3 });
	test_values("... so that one may be missing", t, (float[]){ NAN, 30, NAN, NAN },
		(float[]){ NAN, -40, NAN, NAN });
	test_values("... and an infinity stays", t, (float[]){ INFINITY, 30, 20, 3 },
		(float[]){ INFINITY, -40, 0, 3 });
	test_pair("a quarter turn", 5, 40, 60, 30);
	test_pair("... of half a point", 5, NAN, NAN, NAN);
	test_pair("... of the other half", NAN, 5, NAN, NAN);
	test_pair("... an infinity is no missing value", 5, INFINITY, INFINITY,
		INFINITY);
}

/* What is neither _x nor _y loses its scaling, as kfkd-scale --undo has it. */
static void test_other_column(void)
{
	struct kf_schema s = schema_of("age");
	float transform[] = { 2, 0, 3, 0, 2, 3 }, y[] = { 0.5F }, p[] = { 0.5F };
	int64_t id[] = { 7 };
	struct kf_chunk c = { .n = 1,
		.id = id,
		.transform = transform,
		.y = y,
		.p = p };
	struct kf_err err = { .msg = "" };
	bool done;

	s.y_scale[0] = s.y_scale[1] = (struct kf_scale){ 48, 48 };
	done = convert(&s, &c, &err) == 0;
	ok(done && y[0] == 72 && p[0] == 0.5F, "no place: %g %g %s", y[0], p[0],
		err.msg);
	kf_schema_free(&s);
}

/* -- what it refuses ------------------------------------------------------------- */

static void test_refusals(void)
{
	static const struct {
		float t[6];
		const char *columns, *says;
	} cases[] = {
		{ { NAN, 0, 0, 0, 1, 0 }, "a_x", "7: its transform is not finite" },
		{ { 1, 0, INFINITY, 0, 1, 0 }, "a_x",
			"7: its transform is not finite" },
		{ { 1, 0, 0, 0, 0, 0 }, "a_x", "7: its transform has no inverse" },
		{ { 0, 0, 0, 0, 0, 0 }, "", "7: its transform has no inverse" },
		/* the second row is three times the first, but for rounding */
		{ { 0.1F, 0.7F, 0, 0.3F, 2.1F, 0 }, "a_x,a_y", "has no inverse" },
		{ { 1, 0.1F, 0, -0.1F, 1, 0 }, "a_x,b_x,b_y",
			"7: its transform turns or shears, and column 'a_x' lacks "
			"its '_y'" },
		{ { 1, 0, 0, -0.1F, 1, 0 }, "b_x,b_y,c_y", "'c_y' lacks its '_x'" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct kf_schema s = schema_of(cases[i].columns);
		float transform[6], y[3] = { 0 }, p[3] = { 0 };
		int64_t id[] = { 7 };
		struct kf_chunk c = { .n = 1,
			.id = id,
			.transform = transform,
			.y = y,
			.p = p };
		struct kf_err err = { .msg = "" };

		memcpy(transform, cases[i].t, sizeof transform);
		ok(convert(&s, &c, &err) < 0 && strstr(err.msg, cases[i].says) &&
				!strncmp(err.msg, "the row with id 7: ", 19),
			"refuses: %s", err.msg);
		kf_schema_free(&s);
	}
}

static void test_no_transform(void)
{
	struct kf_schema s = schema_of("a_x"), out;
	struct kf_original o;
	struct kf_err err = { .msg = "" };

	s.has_transform = false;
	ok(kf_original_open(&o, &s, &out, &err) < 0 &&
			strstr(err.msg, "not loaded from photographs"),
		"refuses: %s", err.msg);
	kf_schema_free(&s);
}

int main(void)
{
	for (int turned = 0; turned < 2; turned++)
		for (int scaled = 0; scaled < 2; scaled++)
			test_round_trip(turned, scaled);
	test_rows();
	test_other_column();
	test_refusals();
	test_no_transform();
	return done_testing();
}
