/* One blob: what is written is read back, and whatever is wrong is refused. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream/safetensors.h"
#include "tap.h"

/* A source that holds these bytes. */
static struct kf_source source(const void *bytes, size_t n)
{
	struct kf_err err;
	struct kf_source src = { .fd = kf_tempfile(&err), .name = "x" };

	if (src.fd < 0 || kf_write(src.fd, "x", bytes, n, &err) < 0 ||
		lseek(src.fd, 0, SEEK_SET) < 0)
		abort();
	return src;
}

/* Opens, reads to the end: 0, or -1 with the message in err. */
static int read_all(const void *bytes, size_t n, struct kf_err *err)
{
	struct kf_source src = source(bytes, n);
	struct kf_st st;
	int rc = kf_st_open(&st, &src, err);

	if (rc == 0)
		rc = kf_fail(err, "empty");
	if (rc > 0) {
		rc = kf_st_finish(&st, err);
		kf_st_free(&st);
	}
	close(src.fd);
	return rc;
}

/* A blob of this header and n bytes of data; returns its size. */
static size_t make_blob(char *blob, const char *header, size_t n)
{
	size_t len = strlen(header);

	for (int i = 0; i < 8; i++)
		blob[i] = (char)(len >> (8 * i));
	memcpy(blob + 8, header, len);
	memset(blob + 8 + len, 7, n);
	return 8 + len + n;
}

/* -- round trip ------------------------------------------------------------ */

static float weight[6] = { 1, -2, 3, -4, 5, -6 };
static int64_t number[3] = { 1, -1, INT64_MAX };

/* Writes a scalar, an empty tensor, floats, integers; returns the bytes. */
static size_t write_sample(char *blob, size_t room)
{
	int64_t two_three[] = { 2, 3 }, three = 3, none[] = { 0, 5 };
	struct kf_meta meta = { 0 };
	struct kf_tensor t[4];
	struct kf_err err;
	int fd = kf_tempfile(&err);
	ssize_t n;

	t[0] = kf_tensor("scalar", KF_U8, 0, NULL);
	t[0].data = "\x2a";
	t[1] = kf_tensor("none", KF_F32, 2, none);
	t[2] = kf_tensor("weight", KF_F32, 2, two_three);
	t[2].data = weight;
	t[3] = kf_tensor("number", KF_I64, 1, &three);
	t[3].data = number;
	kf_meta_set(&meta, "text", "a \"quoted\" \\ word, \xc3\xa9 and %d", 7);
	kf_meta_set(&meta, "twice", "old");
	kf_meta_set(&meta, "twice", "new");
	ok(kf_st_write(fd, "x", &meta, t, 4, NULL, &err) == 0, "a blob is written");
	kf_meta_free(&meta);
	n = pread(fd, blob, room, 0);
	close(fd);
	return n < 0 ? 0 : (size_t)n;
}

static void test_round_trip(const char *blob, size_t n)
{
	struct kf_source src = source(blob, n);
	struct kf_err err;
	struct kf_st st;
	float w[6] = { 0 };
	int64_t v[3] = { 0 };
	char scalar = 0;
	const struct kf_tensor *t;

	if (!ok(kf_st_open(&st, &src, &err) == 1, "its header is read"))
		return;
	ok(!st.foreign && st.n == 4, "it is ours and has 4 tensors");
	ok(!strcmp(kf_meta_get(&st.meta, "text"),
		   "a \"quoted\" \\ word, \xc3\xa9 and 7"),
		"metadata survives");
	ok(!strcmp(kf_meta_get(&st.meta, "twice"), "new"), "set twice: the later");
	ok(!kf_meta_get(&st.meta, "nothing"), "no such metadata: NULL");
	ok(st.data_offset % 64 == 0, "data starts on a multiple of 64");
	t = kf_st_find(&st, "weight");
	ok(t && t->dtype == KF_F32 && t->rank == 2 && t->shape[0] == 2 &&
			t->shape[1] == 3,
		"type and shape");
	t = kf_st_find(&st, "none");
	ok(t && t->shape[0] == 0 && kf_tensor_bytes(t) == 0, "an empty tensor");
	ok(!kf_st_find(&st, "weigh"), "no such tensor: NULL");
	ok(kf_st_read(&st, &scalar, 1, &err) == 0 && scalar == 42, "a scalar");
	ok(kf_st_read(&st, w, sizeof w, &err) == 0 && !memcmp(w, weight, sizeof w),
		"floats");
	ok(kf_st_read(&st, v, sizeof v, &err) == 0 && !memcmp(v, number, sizeof v),
		"integers");
	ok(kf_st_read(&st, v, 1, &err) < 0, "no reading past the end");
	ok(kf_st_finish(&st, &err) == 0, "the checksum fits");
	kf_st_free(&st);
	ok(kf_st_open(&st, &src, &err) == 0, "then the input ends");
	close(src.fd);
}

/* -- damage ---------------------------------------------------------------- */

static void test_every_byte(char *blob, size_t n)
{
	struct kf_err err;
	int missed = 0;

	for (size_t i = 0; i < n; i++)
		for (int bit = 0; bit < 8; bit++) {
			blob[i] ^= (char)(1 << bit);
			if (read_all(blob, n, &err) == 0) {
				note("byte %zu, bit %d", i, bit);
				missed++;
			}
			blob[i] ^= (char)(1 << bit);
		}
	/* Foreign blobs have no checksum; to become one takes two bytes. */
	ok(missed == 0, "each of %zu flipped bits is noticed", n * 8);
	missed = 0;
	for (size_t i = 0; i < n; i++)
		missed += read_all(blob, i, &err) == 0;
	ok(missed == 0, "each of %zu cuts is noticed", n);
}

/* -- hostile headers ------------------------------------------------------- */

#define T(shape, offsets) \
	"{\"a\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":" offsets "}}"

static const struct {
	const char *what, *header;
	size_t data;
	const char *message; /* NULL: it is fine */
} headers[] = {
	{ "plain", T("[2]", "[0,8]"), 8, NULL },
	{ "no tensors", "{}", 0, NULL },
	{ "spaces around", "  " T("[2]", "[0,8]") "  ", 8, NULL },
	{ "an empty tensor", T("[0,4611686018427387903]", "[0,0]"), 0, NULL },
	{ "2^60 rows", T("[1152921504606846976]", "[0,4611686018427387904]"), 8,
		"claims too many bytes" },
	{ "a product that overflows to 0", T("[4294967296,4294967296]", "[0,0]"), 0,
		"claims too many bytes" },
	{ "a product that overflows to 8", T("[4611686018427387906,1]", "[0,8]"), 8,
		"claims too many bytes" },
	{ "negative size", T("[-2]", "[0,8]"), 8, "no list of sizes" },
	{ "fractional size", T("[2.0]", "[0,8]"), 8, "no list of sizes" },
	{ "size beyond 64 bits", T("[99999999999999999999]", "[0,8]"), 8, "JSON" },
	{ "rank 5", T("[1,1,1,1,2]", "[0,8]"), 8, "5 dimensions" },
	{ "offsets short", T("[2]", "[0,7]"), 8, "do not fit its shape" },
	{ "offsets long", T("[2]", "[0,9]"), 9, "do not fit its shape" },
	{ "offsets backwards", T("[2]", "[8,0]"), 8, "do not fit its shape" },
	{ "negative offset", T("[2]", "[-8,0]"), 8, "do not fit its shape" },
	{ "offsets as text", T("[2]", "[\"0\",\"8\"]"), 8, "no integers" },
	{ "one offset", T("[2]", "[8]"), 8, "lacks" },
	{ "a hole at the start", T("[2]", "[8,16]"), 16, "hole" },
	{ "an unknown type",
		"{\"a\":{\"dtype\":\"F99\",\"shape\":[2],"
		"\"data_offsets\":[0,8]}}",
		8, "type F99" },
	{ "no type", "{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "lacks" },
	{ "no object", "{\"a\":3}", 0, "lacks" },
	{ "a list", "[]", 0, "not a JSON object" },
	{ "no JSON", "{\"a\":", 0, "not a JSON object: " },
	{ "something behind the JSON", "{}{}", 0, "not a JSON object: " },
	{ "a zero byte's escape", "{\"__metadata__\":{\"a\":\"\\u0000\"}}", 0,
		"not a JSON object: " },
	{ "a name twice",
		"{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":"
		"[0,0]},\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}",
		0, "duplicate" },
	{ "overlapping tensors",
		"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],"
		"\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"U8\",\"shape\":[4],"
		"\"data_offsets\":[2,6]}}",
		6, "hole or overlaps" },
	{ "a hole between tensors",
		"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],"
		"\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"U8\",\"shape\":[4],"
		"\"data_offsets\":[5,9]}}",
		9, "hole or overlaps" },
	{ "tensors in another order than their data",
		"{\"a\":{\"dtype\":\"U8\","
		"\"shape\":[4],\"data_offsets\":[4,8]},\"b\":{\"dtype\":\"U8\","
		"\"shape\":[4],\"data_offsets\":[0,4]}}",
		8, NULL },
	{ "a long name",
		"{\"0123456789012345678901234567890123456789"
		"012345678901234567890123456789\":{}}",
		0, "too long" },
	{ "metadata that is no object", "{\"__metadata__\":[]}", 0, "metadata" },
	{ "metadata that is no string", "{\"__metadata__\":{\"a\":1}}", 0,
		"not a string" },
	{ "another version", "{\"__metadata__\":{\"kfkd\":\"2\"}}", 0, "version '2'" },
	{ "a version without checksum", "{\"__metadata__\":{\"kfkd\":\"1\"}}", 0,
		"'xxh3' is missing" },
	{ "a checksum without version",
		"{\"__metadata__\":{\"xxh3\":\"0000000000000000\"}}", 0,
		"'kfkd' is missing" },
	{ "a short checksum",
		"{\"__metadata__\":{\"kfkd\":\"1\",\"xxh3\":\"000000000000000\"}}", 0,
		"'xxh3' is missing" },
	{ "a wrong checksum",
		"{\"__metadata__\":{\"kfkd\":\"1\",\"xxh3\":\"0000000000000000\"}}", 0,
		"damaged" },
	{ "data missing", T("[2]", "[0,8]"), 5, "truncated: 3 bytes" },
};

static void test_headers(void)
{
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
		struct kf_err err = { .msg = "" };
		char blob[1000];
		size_t n = make_blob(blob, headers[i].header, headers[i].data);
		int rc = read_all(blob, n, &err);

		if (!headers[i].message)
			ok(rc == 0, "accepted: %s", headers[i].what);
		else
			ok(rc < 0 && strstr(err.msg, headers[i].message) &&
					strstr(err.msg, "'x', "),
				"refused: %s", headers[i].what);
		if (*err.msg)
			note("%s", err.msg);
	}
}

/* A header of many small entries, or of one length that it has not. */
static void test_large_headers(void)
{
	size_t room = KF_HEADER_MAX + 100, n = 0;
	char *text = malloc(room), *blob = malloc(room + 8);
	struct kf_err err;

	if (!text || !blob)
		abort();
	for (int i = 0; n < KF_HEADER_MAX - 40; i++)
		n += (size_t)sprintf(text + n, "%s\"%x\":\"\"",
			i ? "," : "{\"__metadata__\":{", i);
	strcpy(text + n, "}}");
	ok(read_all(blob, make_blob(blob, text, 0), &err) < 0 &&
			strstr(err.msg, "more than"),
		"refused: 100,000 metadata entries");
	n = 0;
	for (int i = 0; n < KF_HEADER_MAX - 40; i++)
		n += (size_t)sprintf(text + n, "%s\"%x\":0", i ? "," : "{", i);
	strcpy(text + n, "}");
	ok(read_all(blob, make_blob(blob, text, 0), &err) < 0 &&
			strstr(err.msg, "more than"),
		"refused: 100,000 tensors");
	memset(text, '[', KF_HEADER_MAX);
	text[KF_HEADER_MAX] = '\0';
	ok(read_all(blob, make_blob(blob, text, 0), &err) < 0,
		"refused: a million brackets");
	ok(read_all("\1\0\20\0\0\0\0\0{}", 10, &err) < 0 &&
			strstr(err.msg, "header length 1048577"),
		"refused: a long header");
	ok(read_all("\377\377\377\377\377\377\377\377{}", 10, &err) < 0 &&
			strstr(err.msg, "byte 0: not a kfkd"),
		"refused: a length of 2^64 - 1");
	ok(read_all("\1\0\0\0\0\0\0\0{", 9, &err) < 0, "refused: a length of 1");
	ok(read_all("id,x,y\n", 7, &err) < 0, "refused: text");
	free(text);
	free(blob);
}

static void test_writing(void)
{
	struct kf_meta meta = { 0 };
	struct kf_err err;
	int fd = kf_tempfile(&err);
	char *text = malloc(KF_HEADER_MAX + 1);

	if (!text)
		abort();
	kf_meta_set(&meta, "a", "\xff\xfe");
	ok(kf_st_write(fd, "x", &meta, NULL, 0, NULL, &err) < 0 &&
			strstr(err.msg, "UTF-8"),
		"not written: text that is not UTF-8");
	memset(text, 'a', KF_HEADER_MAX);
	text[KF_HEADER_MAX] = '\0';
	kf_meta_set(&meta, "a", "%s", text);
	ok(kf_st_write(fd, "x", &meta, NULL, 0, NULL, &err) < 0 &&
			strstr(err.msg, "header"),
		"not written: a header too long to read");
	kf_meta_free(&meta);
	ok(lseek(fd, 0, SEEK_END) == 0, "... nor a part of it");
	close(fd);
	fd = open("/dev/full", O_WRONLY);
	ok(kf_st_write(fd, "x", &meta, NULL, 0, NULL, &err) < 0 &&
			strstr(err.msg, "cannot write 'x': No space left"),
		"a full disk");
	close(fd);
	free(text);
}

int main(void)
{
	static char blob[4096];
	size_t n = write_sample(blob, sizeof blob);

	test_round_trip(blob, n);
	test_every_byte(blob, n);
	test_headers();
	test_large_headers();
	test_writing();
	return done_testing();
}
