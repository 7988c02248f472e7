/* JSON lines have every value of a stream, to the bit. */
#define _GNU_SOURCE
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formats/save_json.h"
#include "random64.h"
#include "tap.h"

#define ROWS 3000
#define COLUMNS 8

/* Any float but an infinity; half of them are pixels. */
static float random_float(void)
{
	uint32_t bits = (uint32_t)(random64() >> 16);
	float v = (float)(random64() % 960000) / 10000;

	if (bits % 2)
		memcpy(&v, &bits, sizeof v);
	return isinf(v) ? -0.0f : v;
}

/* Columns, and where their values are found in a row's object. */
static const struct {
	const char *column, *point, *axis;
} place[COLUMNS] = {
	{ "nose_x", "nose", "x" },
	{ "mouth_x", "mouth", "x" },
	{ "nose_y", "nose", "y" },
	{ "age", "age", NULL },
	{ "b \"c\"\\_y", "b \"c\"\\", "y" },
	{ "\xc3\xa9_x", "\xc3\xa9", "x" },
	{ "</script>", "</script>", NULL },
	{ "_x", "", "x" },
};

static bool same_value(const json_t *got, float want)
{
	float v;

	if (isnan(want))
		return json_is_null(got);
	v = (float)json_real_value(got);
	return json_is_real(got) && !memcmp(&v, &want, sizeof v);
}

static bool same_values(const json_t *object, const float *want)
{
	for (int i = 0; i < COLUMNS; i++) {
		const json_t *value = json_object_get(object, place[i].point);

		if (place[i].axis)
			value = json_object_get(value, place[i].axis);
		if (!same_value(value, want[i]))
			return false;
	}
	return json_object_size(object) == COLUMNS - 1; /* the nose has two */
}

/* What all rows become, which is the caller's to free; NULL on failure. */
static char *save(struct kf_save *how, const struct kf_chunk *c, struct kf_err *err)
{
	struct kf_save_json *json;
	char *text = NULL;
	size_t size;
	int rc = -1;

	how->file = open_memstream(&text, &size);
	how->name = "json";
	json = kf_save_json_open(how, err);
	if (json)
		rc = kf_save_json_rows(json, c, err);
	kf_save_json_free(json);
	fclose(how->file);
	if (rc == 0)
		return text;
	free(text);
	return NULL;
}

static bool comes_back(const char *text, const struct kf_chunk *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const char *end = strchr(text, '\n');
		json_t *row =
			end ? json_loadb(text, (size_t)(end - text), 0, NULL) : NULL;
		bool same = row &&
			json_integer_value(json_object_get(row, "id")) == c->id[i] &&
			json_integer_value(json_object_get(row, "label")) ==
				c->label[i] &&
			same_values(json_object_get(row, "points"),
				c->y + i * COLUMNS) &&
			same_values(json_object_get(row, "predictions"),
				c->p + i * COLUMNS) &&
			json_object_size(row) == 4;

		json_decref(row);
		if (!same) {
			note("line %zu: %.*s", i + 1, (int)strcspn(text, "\n"), text);
			return false;
		}
		text = end + 1;
	}
	return *text == '\0';
}

static void fill(struct kf_chunk *c)
{
	/* the last but one has a text of 7 digits, which is another's once it is a double */
	static const float special[COLUMNS] = { 0.0f, -0.0f, 1e-45f, 3.4028235e38f,
		-1.17549435e-38f, NAN, 0x1.5c87fap-84f, 1.0f / 3 };

	c->n = ROWS;
	for (size_t i = 0; i < ROWS; i++) {
		c->id[i] = i ? (int64_t)random64() : INT64_MIN;
		c->label[i] = (int64_t)random64();
	}
	for (size_t i = 0; i < ROWS * COLUMNS; i++) {
		c->y[i] = i < COLUMNS ? special[i] : random_float();
		c->p[i] = random_float();
	}
}

/* Messages for what JSON does not hold. */
static void test_refusals(struct kf_schema *s, struct kf_chunk *c)
{
	struct kf_save how = { .schema = s };
	struct kf_err err;
	char *text;

	c->n = 1;
	c->p[3] = INFINITY;
	ok(!save(&how, c, &err) && strstr(err.msg, "row 1, column 'age': an infinity"),
		"an infinity: %s", err.msg);
	c->y[3] = -INFINITY;
	c->p[3] = 0;
	how.predictions = true;
	text = save(&how, c, &err);
	ok(text != NULL, "... which is left out is none");
	free(text);
	kf_names_add(&s->columns, "nose");
	ok(!save(&how, c, &err) && strstr(err.msg, "'nose' and 'nose_x'"),
		"a name of a point and of a column: %s", err.msg);
}

int main(void)
{
	struct kf_schema s = { .dtype = KF_U8,
		.c = 1,
		.h = 1,
		.w = 1,
		.no_images = true,
		.has_label = true };
	struct kf_chunk c = { 0 };
	struct kf_save how = { .schema = &s };
	struct kf_err err;
	char *text;

	for (int i = 0; i < COLUMNS; i++)
		if (kf_names_add(&s.columns, place[i].column) < 0 ||
			kf_names_add(&s.p_columns, place[i].column) < 0)
			return 1;
	if (kf_chunk_reserve(&c, &s, ROWS, &err) < 0)
		return 1;
	fill(&c);
	text = save(&how, &c, &err);
	ok(text && comes_back(text, &c), "random floats, ids and labels come back");
	free(text);
	test_refusals(&s, &c);
	kf_chunk_free(&c);
	kf_schema_free(&s);
	return done_testing();
}
