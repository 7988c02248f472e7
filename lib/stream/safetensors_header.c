/* The header of a safetensors blob, which is not trusted. */
#define _GNU_SOURCE
#include "stream/safetensors.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/filetype.h"
#include "stream/json.h"

#define DATA_MAX ((uint64_t)1 << 48) /* bytes that a header may claim */

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
	if (st->meta.incomplete)
		return kf_fail_memory(err);
	return 0;
}

/* -- tensors ------------------------------------------------------------------ */

/* A tensor and its data_offsets. */
struct entry {
	struct kf_tensor t;
	uint64_t begin, end;
};

/* Sizes that may be 0, and whose product is bounded. */
static int read_shape(struct kf_tensor *t, json_t *shape, struct kf_err *err)
{
	uint64_t bytes = kf_dtype_size(t->dtype);

	t->rank = (int)json_array_size(shape);
	for (int i = 0; i < t->rank; i++) {
		json_t *dim = json_array_get(shape, (size_t)i);

		if (!json_is_integer(dim) || json_integer_value(dim) < 0)
			return kf_fail(err,
				"tensor '%s' has a shape that is no list of sizes",
				t->name);
		t->shape[i] = json_integer_value(dim);
	}
	for (int i = 0; i < t->rank; i++)
		if (__builtin_mul_overflow(bytes, (uint64_t)t->shape[i], &bytes) ||
			bytes > DATA_MAX)
			return kf_fail(err, "tensor '%s' claims too many bytes",
				t->name);
	return 0;
}

static int read_offsets(struct entry *e, json_t *offsets, struct kf_err *err)
{
	json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
	json_int_t b = json_integer_value(begin);

	if (!json_is_integer(begin) || !json_is_integer(end))
		return kf_fail(err, "tensor '%s' has data_offsets that are no integers",
			e->t.name);
	e->begin = (uint64_t)b;
	e->end = (uint64_t)json_integer_value(end);
	if (b < 0 || e->end - e->begin != kf_tensor_bytes(&e->t))
		return kf_fail(err,
			"tensor '%s' has data_offsets that do not fit its shape",
			e->t.name);
	return 0;
}

static int read_entry(struct entry *e, const char *name, json_t *entry,
	struct kf_err *err)
{
	const char *dtype = json_string_value(json_object_get(entry, "dtype"));
	json_t *shape = json_object_get(entry, "shape");
	json_t *offsets = json_object_get(entry, "data_offsets");
	int type;

	if (strlen(name) >= KF_NAME_MAX)
		return kf_fail(err, "tensor name '%.40s...' is too long", name);
	if (!dtype || !json_is_array(shape) || json_array_size(offsets) != 2)
		return kf_fail(err, "tensor '%s' lacks dtype, shape or data_offsets",
			name);
	if (json_array_size(shape) > KF_RANK_MAX)
		return kf_fail(err, "tensor '%s' has %zu dimensions, more than %d",
			name, json_array_size(shape), KF_RANK_MAX);
	type = kf_dtype_find(dtype);
	if (type < 0)
		return kf_fail(err, "tensor '%s' is of type %.10s, not U8, I64 or F32",
			name, dtype);
	e->t = kf_tensor(name, (enum kf_dtype)type, 0, NULL);
	return read_shape(&e->t, shape, err) < 0 ? -1 : read_offsets(e, offsets, err);
}

static int by_offset(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->begin != y->begin)
		return x->begin < y->begin ? -1 : 1;
	return x->end < y->end ? -1 : x->end > y->end;
}

/* Sorts the tensors by their data, which must have no holes. */
static int sort_entries(struct kf_st *st, struct entry *e, struct kf_err *err)
{
	qsort(e, (size_t)st->n, sizeof *e, by_offset);
	for (int i = 0; i < st->n; i++) {
		if (e[i].begin != st->data_bytes)
			return kf_fail(err, "tensor '%s' leaves a hole or overlaps",
				e[i].t.name);
		st->data_bytes = e[i].end;
		st->tensor[i] = e[i].t;
	}
	if (st->data_bytes > DATA_MAX)
		return kf_fail(err, "header claims too many bytes");
	return 0;
}

/* Metadata and tensors; e has room for as many as root has. */
static int read_entries(struct kf_st *st, json_t *root, struct entry *e,
	struct kf_err *err)
{
	const char *name;
	json_t *value;

	json_object_foreach (root, name, value) {
		if (!strcmp(name, "__metadata__")) {
			if (read_metadata(st, value, err) < 0)
				return -1;
		} else if (read_entry(&e[st->n++], name, value, err) < 0) {
			return -1;
		}
	}
	return sort_entries(st, e, err);
}

static int read_root(struct kf_st *st, json_t *root, struct kf_err *err)
{
	size_t n = json_object_size(root);
	struct entry *e;
	int rc = -1;

	if (n > KF_TENSORS_MAX)
		return kf_fail(err, "more than %d tensors", KF_TENSORS_MAX - 1);
	e = calloc(n + 1, sizeof *e);
	st->tensor = calloc(n + 1, sizeof *st->tensor);
	if (e && st->tensor)
		rc = read_entries(st, root, e, err);
	else
		kf_fail_memory(err);
	free(e);
	return rc;
}

/* -- the header --------------------------------------------------------------- */

/* Starts the digest over prefix and header, with its own digits as zeros. */
static int start_digest(struct kf_st *st, const unsigned char *prefix, char *text,
	size_t len, struct kf_err *err)
{
	const char *want = kf_meta_get(&st->meta, KF_DIGEST_KEY);
	char *digits = kf_digest_find(text, len);
	size_t n = strlen(KF_DIGEST_ZEROS);

	if (!want || !digits || strlen(want) != n || memcmp(digits, want, n))
		return kf_fail(err, "the checksum '%s' is missing", KF_DIGEST_KEY);
	memcpy(st->digest.text, want, sizeof st->digest.text);
	memcpy(digits, KF_DIGEST_ZEROS, n);
	st->hash = XXH3_createState();
	if (!st->hash)
		return kf_fail_memory(err);
	XXH3_64bits_reset(st->hash);
	XXH3_64bits_update(st->hash, prefix, 8);
	XXH3_64bits_update(st->hash, text, len);
	return 0;
}

/* Whether the tensors are in the order of safetensors' own library: by the size of
 * their types, the largest first, then by name. */
static bool in_library_order(const struct kf_st *st)
{
	for (int i = 1; i < st->n; i++) {
		const struct kf_tensor *a = &st->tensor[i - 1], *b = &st->tensor[i];
		size_t x = kf_dtype_size(a->dtype), y = kf_dtype_size(b->dtype);

		if (x < y || (x == y && strcmp(a->name, b->name) > 0))
			return false;
	}
	return true;
}

/*
 * Metadata first, between its version and the digest; data on a multiple of 64; and
 * another order than that library's, apart from streams of bytes without predictions, and
 * of those that have neither images nor both targets and predictions.
 */
static bool has_own_layout(const struct kf_st *st, const char *text, size_t len)
{
	static const char start[] = "{\"__metadata__\":{\"kfkd\":";
	const struct kf_meta *m = &st->meta;
	const struct kf_tensor *X = kf_st_find(st, "X"), *p = kf_st_find(st, "p");
	bool either_order = X ? X->dtype == KF_U8 && !p :
				kf_st_find(st, "id") && !(p && kf_st_find(st, "y"));

	return (8 + len) % 64 == 0 && len >= sizeof start &&
		!memcmp(text, start, sizeof start - 1) &&
		!strcmp(m->key[m->n - 1], KF_DIGEST_KEY) &&
		(either_order || !in_library_order(st));
}

static int parse_header(struct kf_st *st, const unsigned char *prefix, char *text,
	size_t len, struct kf_err *err)
{
	const char *version;
	json_error_t json_err;
	json_t *root;
	int rc = -1;

	kf_json_begin();
	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &json_err);
	if (kf_json_ran_out())
		kf_fail_memory(err);
	else if (!json_is_object(root))
		kf_fail(err,
			"not a kfkd stream or model: the header is not "
			"a JSON object%s%.100s",
			root ? "" : ": ", root ? "" : json_err.text);
	else if (read_root(st, root, err) == 0)
		rc = 0;
	json_decref(root);
	if (rc < 0)
		return -1;
	version = kf_meta_get(&st->meta, "kfkd");
	st->foreign = !version && !kf_meta_get(&st->meta, KF_DIGEST_KEY);
	if (st->foreign)
		return 0;
	if (!version)
		return kf_fail(err, "the format version 'kfkd' is missing");
	if (strcmp(version, KF_FORMAT_VERSION))
		return kf_fail(err,
			"format version '%.20s' is not the one known here, %s", version,
			KF_FORMAT_VERSION);
	st->own_layout = has_own_layout(st, text, len);
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
		return kf_fail_memory(err);
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

/*
 * Whether all of the data is there, which the length of a file tells: so no memory is
 * taken for what a header only claims.
 */
static int check_length(struct kf_st *st, struct kf_err *err)
{
	off_t at = lseek(st->src->fd, 0, SEEK_CUR);
	struct stat sb;
	uint64_t there;

	if (at < 0 || fstat(st->src->fd, &sb) < 0 || !S_ISREG(sb.st_mode) ||
		sb.st_size < at)
		return 0;
	there = (uint64_t)(sb.st_size - at);
	if (there >= st->data_bytes)
		return 0;
	st->src->offset += there;
	kf_fail(err, "truncated: %llu bytes of data are missing",
		(unsigned long long)(st->data_bytes - there));
	return kf_source_place(st->src, err);
}

/* What kfkd-load would read: text, netpbm's formats included, or IDX. */
static bool is_for_load(const unsigned char *first, size_t n)
{
	size_t i = 0;

	if (!memcmp(first, "P5", 2) ||
		(first[0] == 0 && first[1] == 0 && first[2] == 8))
		return true;
	while (i < n && (first[i] >= ' ' || memchr("\t\n\r", first[i], 3)))
		i++;
	return i == n;
}

/* Refuses what begins with these 8 bytes; what it is, some more of them may tell. */
static int no_header(struct kf_source *src, const unsigned char *prefix, uint64_t len,
	struct kf_err *err)
{
	unsigned char first[KF_FILETYPE_BYTES];
	struct kf_source at = *src;
	const struct kf_filetype *type;
	ssize_t more;

	memcpy(first, prefix, 8);
	at.offset -= 8;
	more = kf_read(src, first + 8, sizeof first - 8, err);
	if (more < 0)
		return -1;
	type = kf_filetype_of(first, 8 + (size_t)more);
	if (type)
		kf_fail(err, "not a kfkd stream or model, but %s; %s", type->what,
			type->advice);
	else if (at.offset == 0 && is_for_load(first, 8 + (size_t)more))
		kf_fail(err,
			"not a kfkd stream or model; if it is CSV, PGM or IDX, pass it "
			"through kfkd-load");
	else
		kf_fail(err, "not a kfkd stream or model (header length %llu)",
			(unsigned long long)len);
	return kf_source_place(&at, err);
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
	/* without a time, gzip's first bytes look like a length */
	if (len < 2 || len > KF_HEADER_MAX || !memcmp(prefix, "\x1f\x8b\x08", 3))
		return no_header(src, prefix, len, err);
	if (read_header(st, prefix, len, err) < 0 || check_length(st, err) < 0) {
		kf_st_place(st, err);
		kf_st_free(st);
		return -1;
	}
	st->left = st->data_bytes;
	st->data_offset = src->offset;
	return 1;
}
