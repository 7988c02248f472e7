/*
 * Feeds arbitrary data to kfkd-load's readers: they must end in a clean error or at
 * a clean end, the same for reads of any size; and the two ways to read a row of a
 * CSV must agree.
 */
#define _GNU_SOURCE
#include "fuzz.h"

#include <xxhash.h>

#include "formats/idx.h"
#include "formats/loader.h"

/* The result: a digest of the rows, and the error. */
struct outcome {
	uint64_t rows;
	struct kf_err err;
};

static void digest(struct outcome *o, const void *data, size_t n)
{
	if (n)
		o->rows = XXH3_64bits_withSeed(data, n, o->rows);
}

static struct outcome read_all(int fd, const struct kf_load_options *options,
	size_t piece)
{
	struct outcome o = { 0, { .msg = "" } };
	const struct kf_schema *s;
	const struct kf_chunk *c;
	struct kf_loader *loader;
	struct kf_input in;

	if (lseek(fd, 0, SEEK_SET) != 0 || kf_input_open(&in, fd, "fuzz", &o.err) < 0)
		abort();
	in.piece = piece;
	loader = kf_loader_open(&in, options, &o.err);
	while (loader && kf_loader_next(loader, &c, &o.err) > 0) {
		s = kf_loader_schema(loader);
		digest(&o, c->X, c->n * kf_image_bytes(s));
		digest(&o, c->name, c->n * (size_t)s->name_width);
		digest(&o, c->id, c->n * sizeof *c->id);
		digest(&o, c->y, c->n * sizeof *c->y * (size_t)s->columns.n);
		digest(&o, c->label, s->has_label ? c->n * sizeof *c->label : 0);
	}
	kf_loader_close(loader);
	kf_input_close(&in);
	return o;
}

/* The first byte of the data says how the rest is read. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static uint8_t label[3] = { 3, 0, 255 };
	static const struct kf_labels labels = { "labels", 3, label, 256 };
	struct kf_load_options how = { 0 };
	struct outcome fast, slow;
	int fd;

	if (n == 0)
		return 0;
	fd = fuzz_file(data + 1, n - 1);
	if (data[0] % 4 == 1)
		how.w = 3, how.h = 2;
	if (data[0] % 4 == 2)
		how.labels = &labels;
	fast = read_all(fd, &how, data[0] > 3 ? data[0] : KF_INPUT_PIECE);
	how.libcsv_only = true;
	slow = read_all(fd, &how, KF_INPUT_PIECE);
	if (fast.rows != slow.rows || strcmp(fast.err.msg, slow.err.msg))
		abort();
	return 0;
}
