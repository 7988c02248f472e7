/*
 * Reads names of classes, logs of training, and tables of groups and of what to join, and
 * joins that to two rows.
 */
#define _GNU_SOURCE
#include "fuzz.h"

#include "formats/class_names.h"
#include "formats/groups.h"
#include "formats/history.h"
#include "formats/join.h"

static void groups(int fd)
{
	struct kf_groups g;
	struct kf_err err;
	uint64_t group;

	if (kf_groups_read(&g, fd, "fuzz", &err) < 0)
		return;
	kf_groups_find(&g,
		&(struct kf_key){ .id = 1, .text = g.by == KF_BY_ID ? NULL : "a" },
		&group);
	kf_groups_free(&g);
}

static void join(int fd, const struct kf_schema *schema, const struct kf_chunk *chunk)
{
	struct kf_join j = { .keep = true };
	const struct kf_names all = { 0 };
	struct kf_schema joined;
	struct kf_chunk rows;
	struct kf_err err;

	if (kf_join_read(&j, fd, "fuzz", &all, &err) == 0 &&
		kf_join_schema(&j, schema, &joined, &err) == 0) {
		if (kf_join_rows(&j, schema, chunk, &joined, &rows, &err) == 0 &&
			(rows.n != chunk->n || rows.id[1] != chunk->id[1]))
			abort();
		kf_schema_free(&joined);
	}
	kf_join_free(&j);
}

/* What is read can be metadata. */
static void class_names(int fd)
{
	struct kf_names names = { 0 }, again;
	struct kf_err err;
	char *text;

	if (kf_class_names_read(&names, fd, "fuzz", &err) < 0)
		return;
	text = kf_names_join(&names);
	if (!text || kf_names_split(&again, text, &err) < 0 ||
		!kf_names_equal(&names, &again))
		abort();
	kf_names_free(&again);
	kf_names_free(&names);
	free(text);
}

static void history(int fd)
{
	struct kf_history h;
	struct kf_err err;
	double last = 0;

	if (kf_history_claims(fd, "fuzz", &err) <= 0 ||
		kf_history_read(&h, fd, "fuzz", &err) < 0)
		return;
	if (h.epochs < 1 || h.epochs > KF_HISTORY_EPOCHS)
		abort();
	for (int i = 0; i < h.epochs; i++)
		last += h.train[i] + h.valid[i] + h.seconds[i];
	(void)last;
	kf_history_free(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct kf_schema schema = { .dtype = KF_U8,
		.c = 1,
		.h = 1,
		.w = 1,
		.name_width = 64,
		.file_width = 64 };
	static struct kf_chunk chunk;
	struct kf_err err;

	if (!chunk.n) {
		kf_names_add(&schema.columns, "a_x");
		if (kf_chunk_reserve(&chunk, &schema, 2, &err) < 0)
			abort();
		chunk.n = 2;
		memcpy(chunk.id, (const int64_t[]){ 1, 2 }, 2 * sizeof *chunk.id);
		memcpy(chunk.y, (const float[]){ 1, 2.5f }, 2 * sizeof *chunk.y);
		for (size_t i = 0; i < 2; i++) {
			kf_texts_set(chunk.name, 64, i, "a");
			kf_texts_set(chunk.file, 64, i, i ? "" : "b.jpg");
		}
		memcpy(chunk.X, "\1\2", 2);
	}
	class_names(fuzz_file(data, n));
	groups(fuzz_file(data, n));
	history(fuzz_file(data, n));
	join(fuzz_file(data, n), &schema, &chunk);
	return 0;
}
