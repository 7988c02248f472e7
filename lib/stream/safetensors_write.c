/* One safetensors blob, written front to back. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "stream/digest.h"
#include "stream/json.h"
#include "stream/safetensors.h"

/* NULL when out of memory, or where a string is not UTF-8. */
static json_t *header_json(const struct kf_meta *meta, const struct kf_tensor *t, int n)
{
	json_t *root = json_object(), *strings = json_object();
	uint64_t at = 0;
	int bad = 0;

	bad |= json_object_set_new(strings, "kfkd", json_string(KF_FORMAT_VERSION));
	for (int i = 0; i < meta->n; i++)
		if (strcmp(meta->key[i], "kfkd") && strcmp(meta->key[i], KF_DIGEST_KEY))
			bad |= json_object_set_new(strings, meta->key[i],
				json_string(meta->value[i]));
	bad |= json_object_set_new(strings, KF_DIGEST_KEY,
		json_string(KF_DIGEST_ZEROS));
	bad |= json_object_set_new(root, "__metadata__", strings);
	for (int i = 0; i < n; i++) {
		uint64_t end = at + kf_tensor_bytes(&t[i]);
		json_t *shape = json_array();

		for (int d = 0; d < t[i].rank; d++)
			bad |= json_array_append_new(shape,
				json_integer(t[i].shape[d]));
		bad |= json_object_set_new(root, t[i].name,
			json_pack("{s:s, s:o, s:[I, I]}", "dtype",
				kf_dtype_name(t[i].dtype), "shape", shape,
				"data_offsets", (json_int_t)at, (json_int_t)end));
		at = end;
	}
	if (bad || meta->incomplete) {
		json_decref(root);
		return NULL;
	}
	return root;
}

/*
 * Prefix and header as bytes, padded with spaces so that the data starts on
 * a multiple of 64.  NULL on failure.
 */
static char *header_bytes(const struct kf_meta *meta, const struct kf_tensor *t, int n,
	size_t *bytes, struct kf_err *err)
{
	size_t len, padded;
	json_t *root;
	char *b;

	kf_json_begin();
	root = header_json(meta, t, n);
	len = root ? json_dumpb(root, NULL, 0, JSON_COMPACT) : 0;
	padded = (8 + len + 63) / 64 * 64;
	b = malloc(padded);
	if (b && len && json_dumpb(root, b + 8, len, JSON_COMPACT) == len) {
		memset(b + 8 + len, ' ', padded - 8 - len);
		for (int i = 0; i < 8; i++)
			b[i] = (char)((padded - 8) >> (8 * i));
	} else {
		if (!b || meta->incomplete || kf_json_ran_out())
			kf_fail_memory(err);
		else
			kf_fail(err, "metadata is not UTF-8");
		free(b);
		b = NULL;
	}
	json_decref(root);
	*bytes = padded;
	return b;
}

/* Passes the bytes of a tensor, in pieces, to write (fd >= 0) or to the hash. */
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
		if (!t->data && kf_pread(file, KF_TEMPFILE, piece, n, at, err) < 0)
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
	char *header = header_bytes(meta, t, n, &bytes, err);
	XXH3_state_t *hash = XXH3_createState();
	int rc = -1;

	if (!header)
		goto out;
	if (!hash) {
		kf_fail_memory(err);
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
	memcpy(kf_digest_find(header, bytes), kf_digest_of(hash).text,
		strlen(KF_DIGEST_ZEROS));
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
