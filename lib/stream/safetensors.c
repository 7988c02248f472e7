/* One safetensors blob, read and written front to back. */
#define _GNU_SOURCE
#include "stream/safetensors.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define DATA_MAX ((uint64_t)1 << 48) /* bytes that a header may claim */
#define DIGITS 16
static const char zeros[DIGITS + 1] = "0000000000000000";
static const char digits_key[] = "\"xxh3\":\"";

/* -- metadata ------------------------------------------------------------ */

void kf_meta_set(struct kf_meta *m, const char *key, const char *fmt, ...)
{
	char *value;
	va_list ap;
	int i;

	va_start(ap, fmt);
	if (vasprintf(&value, fmt, ap) < 0)
		abort();
	va_end(ap);
	for (i = 0; i < m->n && strcmp(m->key[i], key); i++)
		;
	if (i == m->n) {
		m->key = realloc(m->key, (size_t)(i + 1) * sizeof *m->key);
		m->value = realloc(m->value, (size_t)(i + 1) * sizeof *m->value);
		if (!m->key || !m->value || !(m->key[i] = strdup(key)))
			abort();
		m->n++;
	} else {
		free(m->value[i]);
	}
	m->value[i] = value;
}

const char *kf_meta_get(const struct kf_meta *m, const char *key)
{
	for (int i = 0; i < m->n; i++)
		if (!strcmp(m->key[i], key))
			return m->value[i];
	return NULL;
}

void kf_meta_free(struct kf_meta *m)
{
	for (int i = 0; i < m->n; i++) {
		free(m->key[i]);
		free(m->value[i]);
	}
	free(m->key);
	free(m->value);
	*m = (struct kf_meta){ 0 };
}

static void print_digest(const XXH3_state_t *hash, char text[DIGITS + 1])
{
	snprintf(text, DIGITS + 1, "%016llx",
		(unsigned long long)XXH3_64bits_digest(hash));
}

/* -- reading --------------------------------------------------------------- */

int kf_st_place(const struct kf_st *st, struct kf_err *err)
{
	return kf_place(err, "'%s', header at byte %llu", st->src->name,
		(unsigned long long)st->start);
}

static int read_metadata(struct kf_st *st, json_t *object, struct kf_err *err)
{
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return kf_fail(err, "metadata is not a JSON object");
	if (json_object_size(object) > KF_META_MAX)
		return kf_fail(err, "metadata of more than %d entries", KF_META_MAX);
	json_object_foreach (object, key, value) {
		if (!json_is_string(value))
			return kf_fail(err, "metadata '%.40s' is not a string", key);
		kf_meta_set(&st->meta, key, "%s", json_string_value(value));
	}
	return 0;
}

/* One entry of the header; begin and end are its data_offsets. */
static int read_entry(const char *name, json_t *entry, struct kf_tensor *t,
	uint64_t *begin, uint64_t *end, struct kf_err *err)
{
	const char *dtype = json_string_value(json_object_get(entry, "dtype"));
	json_t *shape = json_object_get(entry, "shape");
	json_t *offsets = json_object_get(entry, "data_offsets");
	json_int_t b, e;
	uint64_t bytes;

	if (strlen(name) >= KF_NAME_MAX)
		return kf_fail(err, "tensor name '%.40s...' is too long", name);
	if (!dtype || !json_is_array(shape) || json_array_size(offsets) != 2)
		return kf_fail(err, "tensor '%s' lacks dtype, shape or data_offsets",
			name);
	if (json_array_size(shape) > KF_RANK_MAX)
		return kf_fail(err, "tensor '%s' has %zu dimensions, more than %d",
			name, json_array_size(shape), KF_RANK_MAX);
	*t = kf_tensor(name, KF_U8, 0, NULL);
	if (!strcmp(dtype, "U8"))
		t->dtype = KF_U8;
	else if (!strcmp(dtype, "I64"))
		t->dtype = KF_I64;
	else if (!strcmp(dtype, "F32"))
		t->dtype = KF_F32;
	else
		return kf_fail(err, "tensor '%s' is of type %.10s, not U8, I64 or F32",
			name, dtype);
	t->rank = (int)json_array_size(shape);
	bytes = kf_dtype_size(t->dtype);
	for (int i = 0; i < t->rank; i++) {
		json_t *dim = json_array_get(shape, (size_t)i);

		if (!json_is_integer(dim) || json_integer_value(dim) < 0)
			return kf_fail(err,
				"tensor '%s' has a shape that is no list of sizes",
				name);
		t->shape[i] = json_integer_value(dim);
	}
	for (int i = 0; i < t->rank; i++)
		if (__builtin_mul_overflow(bytes, (uint64_t)t->shape[i], &bytes) ||
			bytes > DATA_MAX)
			return kf_fail(err, "tensor '%s' claims too many bytes", name);
	if (!json_is_integer(json_array_get(offsets, 0)) ||
		!json_is_integer(json_array_get(offsets, 1)))
		return kf_fail(err, "tensor '%s' has data_offsets that are no integers",
			name);
	b = json_integer_value(json_array_get(offsets, 0));
	e = json_integer_value(json_array_get(offsets, 1));
	if (b < 0 || e < b || (uint64_t)(e - b) != bytes)
		return kf_fail(err,
			"tensor '%s' has data_offsets that do not fit its shape", name);
	*begin = (uint64_t)b;
	*end = (uint64_t)e;
	return 0;
}

struct entry {
	struct kf_tensor t;
	uint64_t begin, end;
};

static int by_offset(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->begin != y->begin)
		return x->begin < y->begin ? -1 : 1;
	return x->end < y->end ? -1 : x->end > y->end;
}

/* All entries, sorted by their data, which must have no holes. */
static int read_entries(struct kf_st *st, json_t *root, struct kf_err *err)
{
	size_t n = json_object_size(root);
	struct entry *e = calloc(n + 1, sizeof *e);
	const char *name;
	json_t *value;
	int rc = -1;

	st->tensor = calloc(n + 1, sizeof *st->tensor);
	if (!e || !st->tensor) {
		kf_fail(err, "out of memory");
		goto out;
	}
	if (n > KF_TENSORS_MAX) {
		kf_fail(err, "more than %d tensors", KF_TENSORS_MAX - 1);
		goto out;
	}
	json_object_foreach (root, name, value) {
		struct entry *x = &e[st->n];

		if (!strcmp(name, "__metadata__")) {
			if (read_metadata(st, value, err) < 0)
				goto out;
			continue;
		}
		if (read_entry(name, value, &x->t, &x->begin, &x->end, err) < 0)
			goto out;
		st->n++;
	}
	qsort(e, (size_t)st->n, sizeof *e, by_offset);
	for (int i = 0; i < st->n; i++) {
		if (e[i].begin != st->data_bytes) {
			kf_fail(err, "tensor '%s' leaves a hole or overlaps",
				e[i].t.name);
			goto out;
		}
		st->data_bytes = e[i].end;
		st->tensor[i] = e[i].t;
	}
	if (st->data_bytes > DATA_MAX) {
		kf_fail(err, "header claims too many bytes");
		goto out;
	}
	rc = 0;
out:
	free(e);
	return rc;
}

/* Starts the digest over prefix and header, the digits taken as zeros. */
static int start_digest(struct kf_st *st, const unsigned char *prefix, char *text,
	size_t len, struct kf_err *err)
{
	const char *want = kf_meta_get(&st->meta, "xxh3");
	char *digits = memmem(text, len, digits_key, strlen(digits_key));

	if (digits)
		digits += strlen(digits_key);
	if (!want || !digits || strlen(want) != DIGITS ||
		(size_t)(text + len - digits) < DIGITS || memcmp(digits, want, DIGITS))
		return kf_fail(err, "the checksum 'xxh3' is missing");
	memcpy(st->digest, want, sizeof st->digest);
	memcpy(digits, zeros, DIGITS);
	st->hash = XXH3_createState();
	if (!st->hash)
		return kf_fail(err, "out of memory");
	XXH3_64bits_reset(st->hash);
	XXH3_64bits_update(st->hash, prefix, 8);
	XXH3_64bits_update(st->hash, text, len);
	return 0;
}

static int parse_header(struct kf_st *st, const unsigned char *prefix, char *text,
	size_t len, struct kf_err *err)
{
	const char *version;
	json_error_t json_err;
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &json_err);
	int rc = -1;

	if (!json_is_object(root))
		kf_fail(err,
			"not a kfkd stream or model: the header is not "
			"a JSON object%s%.100s",
			root ? "" : ": ", root ? "" : json_err.text);
	else if (read_entries(st, root, err) == 0)
		rc = 0;
	json_decref(root);
	if (rc < 0)
		return -1;
	version = kf_meta_get(&st->meta, "kfkd");
	st->foreign = !version && !kf_meta_get(&st->meta, "xxh3");
	if (st->foreign)
		return 0;
	if (!version)
		return kf_fail(err, "the format version 'kfkd' is missing");
	if (strcmp(version, KF_FORMAT_VERSION))
		return kf_fail(err,
			"format version '%.20s' is not the one known here, %s", version,
			KF_FORMAT_VERSION);
	return start_digest(st, prefix, text, len, err);
}

/* Reads and parses a header of len bytes, all that follows its prefix. */
static int read_header(struct kf_st *st, const unsigned char *prefix, size_t len,
	struct kf_err *err)
{
	char *text = malloc(len);
	ssize_t got;
	int rc = -1;

	if (!text)
		return kf_fail(err, "out of memory");
	got = kf_read(st->src, text, len, err);
	if (got >= 0 && (size_t)got < len) {
		kf_fail(err, "truncated: the input ends inside a header");
		kf_source_place(st->src, err);
	} else if (got >= 0) {
		rc = parse_header(st, prefix, text, len, err);
	}
	free(text);
	return rc;
}

int kf_st_open(struct kf_st *st, struct kf_source *src, struct kf_err *err)
{
	unsigned char prefix[8];
	uint64_t len = 0;
	ssize_t got = kf_read(src, prefix, sizeof prefix, err);

	*st = (struct kf_st){ .src = src };
	if (got > 0)
		st->start = src->offset - (uint64_t)got;
	if (got <= 0)
		return (int)got;
	if (got < 8) {
		kf_fail(err, "truncated: the input ends inside a header");
		return kf_source_place(src, err);
	}
	for (int i = 7; i >= 0; i--)
		len = len << 8 | prefix[i];
	if (len < 2 || len > KF_HEADER_MAX) {
		src->offset -= 8;
		kf_fail(err, "not a kfkd stream or model (header length %llu)",
			(unsigned long long)len);
		return kf_source_place(src, err);
	}
	if (read_header(st, prefix, len, err) < 0) {
		kf_st_place(st, err);
		kf_st_free(st);
		return -1;
	}
	st->left = st->data_bytes;
	st->data_offset = src->offset;
	return 1;
}

/* The next n bytes of data, at most a piece; to is never NULL. */
static int read_piece(struct kf_st *st, void *to, size_t n, struct kf_err *err)
{
	ssize_t got = kf_read(st->src, to, n, err);

	if (got < 0)
		return -1;
	if ((size_t)got < n)
		return kf_fail(err, "truncated: %llu bytes of data are missing",
			(unsigned long long)(st->left - (uint64_t)got));
	if (st->hash)
		XXH3_64bits_update(st->hash, to, n);
	st->left -= n;
	return 0;
}

int kf_st_read(struct kf_st *st, void *dst, size_t n, struct kf_err *err)
{
	char scratch[1 << 16], *to = dst ? dst : scratch;

	if (n > st->left) {
		kf_fail(err, "read past the end of a blob");
		return kf_source_place(st->src, err);
	}
	while (n > 0) {
		/* in pieces, so that they are hashed while in the cache */
		size_t piece = n < sizeof scratch ? n : sizeof scratch;

		if (read_piece(st, to, piece, err) < 0)
			return kf_source_place(st->src, err);
		if (dst)
			to += piece;
		n -= piece;
	}
	return 0;
}

int kf_st_finish(struct kf_st *st, struct kf_err *err)
{
	char digest[DIGITS + 1];

	if (kf_st_read(st, NULL, st->left, err) < 0)
		return -1;
	if (!st->hash)
		return 0;
	print_digest(st->hash, digest);
	if (!strcmp(digest, st->digest))
		return 0;
	kf_fail(err, "damaged: the checksum of what begins at byte %llu does not fit",
		(unsigned long long)st->start);
	return kf_source_place(st->src, err);
}

void kf_st_free(struct kf_st *st)
{
	kf_meta_free(&st->meta);
	free(st->tensor);
	XXH3_freeState(st->hash);
	*st = (struct kf_st){ 0 };
}

const struct kf_tensor *kf_st_find(const struct kf_st *st, const char *name)
{
	for (int i = 0; i < st->n; i++)
		if (!strcmp(st->tensor[i].name, name))
			return &st->tensor[i];
	return NULL;
}

/* -- writing --------------------------------------------------------------- */

static json_t *header_json(const struct kf_meta *meta, const struct kf_tensor *t, int n)
{
	json_t *root = json_object(), *strings = json_object();
	uint64_t at = 0;
	int bad = 0; /* a string is not UTF-8 */

	json_object_set_new(strings, "kfkd", json_string(KF_FORMAT_VERSION));
	for (int i = 0; i < meta->n; i++)
		if (strcmp(meta->key[i], "kfkd") && strcmp(meta->key[i], "xxh3"))
			bad |= json_object_set_new(strings, meta->key[i],
				json_string(meta->value[i]));
	json_object_set_new(strings, "xxh3", json_string(zeros));
	json_object_set_new(root, "__metadata__", strings);
	for (int i = 0; i < n; i++) {
		uint64_t end = at + kf_tensor_bytes(&t[i]);
		json_t *shape = json_array();

		for (int d = 0; d < t[i].rank; d++)
			json_array_append_new(shape, json_integer(t[i].shape[d]));
		json_object_set_new(root, t[i].name,
			json_pack("{s:s, s:o, s:[I, I]}", "dtype",
				kf_dtype_name(t[i].dtype), "shape", shape,
				"data_offsets", (json_int_t)at, (json_int_t)end));
		at = end;
	}
	if (bad) {
		json_decref(root);
		return NULL;
	}
	return root;
}

/*
 * Prefix and header as bytes, padded with spaces so that the data starts on
 * a multiple of 64.
 */
static char *header_bytes(const struct kf_meta *meta, const struct kf_tensor *t, int n,
	size_t *bytes)
{
	json_t *root = header_json(meta, t, n);
	size_t len = root ? json_dumpb(root, NULL, 0, JSON_COMPACT) : 0;
	size_t padded = (8 + len + 63) / 64 * 64;
	char *b = len ? malloc(padded) : NULL;

	if (b) {
		memset(b, ' ', padded);
		json_dumpb(root, b + 8, len, JSON_COMPACT);
		for (int i = 0; i < 8; i++)
			b[i] = (char)((padded - 8) >> (8 * i));
	}
	json_decref(root);
	*bytes = padded;
	return b;
}

/* Hands the bytes of a tensor, in pieces, to write (fd >= 0) or to the hash. */
static int each_piece(const struct kf_tensor *t, int file, int fd, const char *name,
	XXH3_state_t *hash, struct kf_err *err)
{
	size_t bytes = kf_tensor_bytes(t);
	char piece[1 << 16];

	for (size_t at = 0; at < bytes;) {
		size_t n = t->data ? bytes : sizeof piece;
		const char *p = t->data ? t->data : piece;

		if (n > bytes - at)
			n = bytes - at;
		if (!t->data && kf_pread(file, "temporary file", piece, n, at, err) < 0)
			return -1;
		if (fd < 0)
			XXH3_64bits_update(hash, p, n);
		else if (kf_write(fd, name, p, n, err) < 0)
			return -1;
		at += n;
	}
	return 0;
}

int kf_st_write(int fd, const char *name, const struct kf_meta *meta,
	const struct kf_tensor *t, int n, const int *files, struct kf_err *err)
{
	size_t bytes;
	char *header = header_bytes(meta, t, n, &bytes), hex[DIGITS + 1];
	XXH3_state_t *hash = XXH3_createState();
	int rc = -1;

	if (!header || !hash) {
		kf_fail(err, header ? "out of memory" : "metadata is not UTF-8");
		goto out;
	}
	if (bytes - 8 > KF_HEADER_MAX) {
		kf_fail(err, "cannot write '%s': a header of more than %d bytes", name,
			KF_HEADER_MAX);
		goto out;
	}
	XXH3_64bits_reset(hash);
	XXH3_64bits_update(hash, header, bytes);
	for (int i = 0; i < n; i++)
		if (each_piece(&t[i], files ? files[i] : -1, -1, name, hash, err) < 0)
			goto out;
	print_digest(hash, hex);
	memcpy((char *)memmem(header, bytes, digits_key, strlen(digits_key)) +
			strlen(digits_key),
		hex, DIGITS);
	if (kf_write(fd, name, header, bytes, err) < 0)
		goto out;
	for (int i = 0; i < n; i++)
		if (each_piece(&t[i], files ? files[i] : -1, fd, name, NULL, err) < 0)
			goto out;
	rc = 0;
out:
	XXH3_freeState(hash);
	free(header);
	return rc;
}
