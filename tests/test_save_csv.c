/* Saving as CSV and loading it again gives the same rows. */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "formats/loader.h"
#include "formats/save_csv.h"
#include "random64.h"
#include "tap.h"

#define ROWS 3000
#define COLUMNS 7

/* Any float but an infinity; a missing value has the bits that kfkd-load gives. */
static float random_float(void)
{
	uint32_t bits = (uint32_t)(random64() >> 16);
	float v = (float)(random64() % 960000) / 10000;

	if (bits % 3)
		memcpy(&v, &bits, sizeof v);
	if (bits % 7 == 0)
		v = (float)(bits % 1000) * 1e-42f; /* denormal */
	return isinf(v) ? -0.0f : isnan(v) ? NAN : v;
}

static void fill(struct kf_chunk *c, const struct kf_schema *s)
{
	static const float special[COLUMNS] = { 0.0f, -0.0f, 1e-45f, 3.4028235e38f,
		-1.17549435e-38f, NAN, 16777216.0f };

	for (size_t i = 0; i < c->n; i++)
		c->id[i] = (int64_t)(i ? random64() >> 1 : INT64_MAX) | 1;
	for (size_t i = 0; i < c->n * COLUMNS; i++)
		c->y[i] = i < COLUMNS ? special[i] : random_float();
	for (size_t i = 0; i < c->n * kf_image_bytes(s); i++)
		((uint8_t *)c->X)[i] =
			i < 256 ? (uint8_t)i : (uint8_t)(random64() >> 9);
}

static bool round_trip(const struct kf_schema *s, const struct kf_chunk *rows)
{
	struct kf_load_options how = { .w = s->w, .h = s->h };
	int fd = memfd_create("csv", MFD_CLOEXEC);
	struct kf_save save = { .file = fdopen(dup(fd), "w"),
		.name = "csv",
		.schema = s,
		.ids = KF_IDS_ALWAYS };
	struct kf_input in;
	const struct kf_chunk *c;
	struct kf_loader *csv;
	struct kf_err err;
	bool same;

	if (!save.file || kf_save_header(&save, &err) < 0 ||
		kf_save_rows(&save, rows, &err) < 0 || fclose(save.file) ||
		lseek(fd, 0, SEEK_SET) || kf_input_open(&in, fd, "csv", &err) < 0)
		abort();
	kf_save_free(&save);
	csv = kf_loader_open(&in, &how, &err);
	if (!csv || kf_loader_next(csv, &c, &err) != 1) {
		note("%s", err.msg);
		return false;
	}
	same = kf_names_equal(&kf_loader_schema(csv)->columns, &s->columns) &&
		c->n == rows->n && !memcmp(c->id, rows->id, c->n * sizeof *c->id) &&
		!memcmp(c->y, rows->y, c->n * COLUMNS * sizeof *c->y) &&
		!memcmp(c->X, rows->X, c->n * kf_image_bytes(s));
	kf_loader_close(csv);
	kf_input_close(&in);
	close(fd);
	return same;
}

/* What one value is written as. */
static const char *written(const struct kf_schema *s, struct kf_chunk *c, float v)
{
	static char text[1000];
	struct kf_save save = { .file = fmemopen(text, sizeof text, "w"),
		.name = "csv",
		.schema = s,
		.ids = KF_IDS_NEVER };
	struct kf_err err;
	char *field;

	c->n = 1;
	c->y[0] = v;
	if (kf_save_header(&save, &err) < 0 || kf_save_rows(&save, c, &err) < 0)
		snprintf(text, sizeof text, "\n%s,", err.msg);
	kf_save_free(&save);
	fclose(save.file);
	field = strchr(text, '\n') + 1; /* behind the header */
	*strchr(field, ',') = '\0';
	return field;
}

int main(void)
{
	static const char *const names[COLUMNS] = { "a_x", "b \"c\"_y", "\"", " d ",
		"\xef\xbb\xbf\xc3\xa9", "'e'", "f;g" };
	static const struct {
		float v;
		const char *text;
	} shortest[] = { { 0.1f, "0.1" }, { 39.0f, "39" }, { -0.0f, "-0" },
		{ 66.0335639098f, "66.03356" }, { 16777216.0f, "16777216" },
		{ 1e10f, "1e+10" }, { NAN, "" }, { 1.0f / 3, "0.33333334" },
		/* 7.038531e-26 reads as the first, but by way of a double as the other */
		{ 0x1.5c87fap-84f, "7.0385307e-26" },
		{ 0x1.5c87fcp-84f, "7.0385313e-26" } };
	struct kf_schema s = { .dtype = KF_U8, .c = 1, .h = 3, .w = 5 };
	struct kf_chunk c = { 0 };
	struct kf_err err;

	for (int i = 0; i < COLUMNS; i++)
		kf_names_add(&s.columns, names[i]);
	if (kf_chunk_reserve(&c, &s, ROWS, &err) < 0)
		return 1;
	c.n = ROWS;
	fill(&c, &s);
	ok(round_trip(&s, &c), "random floats, ids and pixels come back bit for bit");
	for (size_t i = 0; i < sizeof shortest / sizeof *shortest; i++) {
		const char *text = written(&s, &c, shortest[i].v);

		if (!ok(!strcmp(text, shortest[i].text), "%g is written as '%s'",
			    shortest[i].v, shortest[i].text))
			note("'%s'", text);
	}
	ok(strstr(written(&s, &c, INFINITY), "row 1"), "an infinity is an error");
	kf_chunk_free(&c);
	kf_schema_free(&s);
	return done_testing();
}
