/*
 * Feeds damaged streams to the reader: it must end in a clean error or at a clean
 * end.  As a plain program it changes a stream of its own:
 *
 *     fuzz_stream [ROUNDS [SEED]]
 *
 * Half of the changed streams get a valid checksum again, so that the change
 * reaches the code after the check.
 */
#define _GNU_SOURCE
#define FUZZ_OWN_MAIN
#define FUZZ_SAFETENSORS
#include "fuzz.h"

#include <xxhash.h>

#include "stream/reader.h"
#include "stream/writer.h"

static volatile uint8_t sink; /* else nothing would need to be read */

/* Reads each byte here and not in a library, so that the sanitizer sees it. */
static void touch(const void *data, size_t n)
{
	const uint8_t *byte = data;

	for (size_t i = 0; i < n; i++)
		sink = byte[i];
}

/* The rows that a reader hands out; a chunk of many is cut into slices. */
static void touch_rows(const struct kf_chunk *c, const struct kf_schema *s)
{
	for (int i = 0; i < KF_FIELDS; i++)
		touch(kf_field_data(&kf_fields[i], c),
			c->n * kf_field_bytes(&kf_fields[i], s));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct kf_reader *r;
	struct kf_chunk *c;
	struct kf_err err;
	int fd = fuzz_file(data, n);

	for (int how = 0; how < 3; how++) { /* plainly, adopting, and eagerly */
		lseek(fd, 0, SEEK_SET);
		r = how < 2 ? kf_reader_open(fd, "fuzz", how == 1, &err) :
			      kf_reader_open_eager(fd, "fuzz", &err);
		while (r && kf_reader_next(r, &c, &err) > 0)
			touch_rows(c, kf_reader_schema(r));
		kf_reader_close(r);
	}
	return 0;
}

#ifndef KF_LIBFUZZER

static uint64_t state = 1; /* the generator's; a whole test of randomness */

static uint64_t draw(uint64_t bound)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % bound;
}

static size_t sample(uint8_t *data, size_t room)
{
	struct kf_schema s = { .has_label = true,
		.dtype = KF_U8,
		.c = 1,
		.h = 3,
		.w = 3,
		.map = { 1, 2, 1 } };
	struct kf_chunk c = { 0 };
	struct kf_writer *w;
	struct kf_err err;
	int fd = memfd_create("sample", MFD_CLOEXEC);
	ssize_t n;

	kf_names_add(&s.columns, "a_x");
	kf_names_add(&s.p_columns, "a_x");
	s.classes = 3;
	if (kf_chunk_reserve(&c, &s, 2, &err) < 0)
		abort();
	c.n = 2;
	memset(c.id, 1, 2 * sizeof *c.id);
	memset(c.label, 1, 2 * sizeof *c.label);
	c.y[0] = c.y[1] = c.p[0] = c.p[1] = 1;
	memset(c.map, 1, 2 * 2 * sizeof *c.map);
	memset(c.X, 1, 2 * 9);
	w = kf_writer_open(fd, "sample", &s, &err);
	if (!w || kf_writer_write(w, &c, &err) < 0 || kf_writer_end(w, &err) < 0)
		abort();
	kf_writer_close(w);
	kf_chunk_free(&c);
	kf_schema_free(&s);
	n = pread(fd, data, room, 0);
	close(fd);
	return n < 0 ? 0 : (size_t)n;
}

/* One change: a byte, some bytes cut or doubled, or a digit put into a number. */
static size_t change(uint8_t *data, size_t n, size_t room)
{
	size_t at = draw(n), len = 1 + draw(8);
	static const char pieces[][12] = { "9", "0", "-1", "\"", "[", "{", "4611686",
		"X", "y", ",", "1e9", "\\u0001" };

	if (at + len > n || n + 16 > room)
		len = n - at;
	switch (draw(4)) {
	case 0: data[at] = (uint8_t)draw(256); return n;
	case 1:
		memmove(data + at, data + at + len, n - at - len);
		return n > len ? n - len : 1;
	case 2: {
		const char *p = pieces[draw(sizeof pieces / sizeof *pieces)];

		if (n + 16 > room)
			return n;
		memmove(data + at + strlen(p), data + at, n - at);
		memcpy(data + at, p, strlen(p));
		return n + strlen(p);
	}
	default: data[at] ^= (uint8_t)(1 << draw(8)); return n;
	}
}

/* Sets the length and the checksum of the first chunk to match its contents. */
static void mend(uint8_t *data, size_t n)
{
	static const char key[] = "\"xxh3\":\"";
	uint8_t *brace = memmem(data, n, "}}", 2), *digits, *data_end = data + n;
	char text[17];
	size_t len;

	if (n < 16 || !brace)
		return;
	len = (size_t)(brace + 2 - (data + 8) + 63 - 8) / 64 * 64 + 56;
	if (len > n - 8)
		len = n - 8;
	for (int i = 0; i < 8; i++)
		data[i] = (uint8_t)(len >> (8 * i));
	digits = memmem(data, 8 + len, key, strlen(key));
	if (!digits || digits + strlen(key) + 16 > data + 8 + len)
		return;
	digits += strlen(key);
	/* the data of the sample: 2 rows of id, label, y, p, map, X */
	if (8 + len + 82 < n)
		data_end = data + 8 + len + 82;
	memcpy(digits, "0000000000000000", 16);
	snprintf(text, sizeof text, "%016llx",
		(unsigned long long)XXH3_64bits(data, (size_t)(data_end - data)));
	memcpy(digits, text, 16);
}

int main(int argc, char **argv)
{
	long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 20000;
	static uint8_t whole[4096], data[8192];
	size_t n = sample(whole, sizeof whole);

	state = argc > 2 ? strtoull(argv[2], NULL, 10) | 1 : 1;
	for (long i = 0; i < rounds; i++) {
		size_t m = n, changes = 1 + draw(4);

		memcpy(data, whole, n);
		while (changes--)
			m = change(data, m, sizeof data);
		if (draw(2))
			mend(data, m);
		LLVMFuzzerTestOneInput(data, m);
	}
	printf("%ld changed streams read\n", rounds);
	return 0;
}

#endif
