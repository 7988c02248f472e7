/* Reads lookup tables and writes submissions of two images with two columns. */
#define _GNU_SOURCE
#include "fuzz.h"

#include "formats/submission.h"

static struct kf_schema make_schema(void)
{
	struct kf_schema s = { .dtype = KF_U8, .c = 1, .h = 4, .w = 4 };

	kf_names_add(&s.p_columns, "left_eye_center_x");
	kf_names_add(&s.p_columns, "left_eye_center_y");
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct kf_schema schema;
	static struct kf_chunk chunk;
	struct kf_submission *s;
	struct kf_err err;
	char *text = NULL;
	size_t size;
	FILE *to;

	if (!chunk.n) {
		schema = make_schema();
		if (kf_chunk_reserve(&chunk, &schema, 2, &err) < 0)
			abort();
		chunk.n = 2;
		memcpy(chunk.id, (const int64_t[]){ 1, 2 }, 2 * sizeof *chunk.id);
		memcpy(chunk.p, (const float[]){ 1, 2.5f, -1, 9 }, 4 * sizeof *chunk.p);
	}
	s = kf_submission_open(fuzz_file(data, n), "fuzz", &schema, &err);
	if (!s)
		return 0;
	to = open_memstream(&text, &size);
	if (!to)
		abort();
	if (kf_submission_add(s, &chunk, &err) == 0)
		kf_submission_write(s, to, "fuzz", &err);
	fclose(to);
	free(text);
	kf_submission_free(s);
	return 0;
}
