/* One safetensors blob, read front to back; safetensors_header.c opens it. */
#define _GNU_SOURCE
#include "stream/safetensors.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int kf_st_place(const struct kf_st *st, struct kf_err *err)
{
	return kf_place(err, "'%s', header at byte %llu", st->src->name,
		(unsigned long long)st->start);
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

static int check_left(const struct kf_st *st, size_t n, struct kf_err *err)
{
	if (n <= st->left)
		return 0;
	kf_fail(err, "read past the end of a blob");
	return kf_source_place(st->src, err);
}

int kf_st_skip(struct kf_st *st, const void *bytes, size_t n, struct kf_err *err)
{
	if (check_left(st, n, err) < 0)
		return -1;
	if (lseek(st->src->fd, (off_t)n, SEEK_CUR) < 0)
		return kf_fail_errno(err, "cannot read '%s'", st->src->name);
	if (st->hash)
		XXH3_64bits_update(st->hash, bytes, n);
	st->src->offset += n;
	st->left -= n;
	return 0;
}

int kf_st_read(struct kf_st *st, void *dst, size_t n, struct kf_err *err)
{
	char scratch[1 << 16], *to = dst ? dst : scratch;

	if (check_left(st, n, err) < 0)
		return -1;
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
	if (kf_st_read(st, NULL, st->left, err) < 0)
		return -1;
	if (!st->hash)
		return 0;
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
	return 0; /* so that changes reach what follows */
#endif
	if (!strcmp(kf_digest_of(st->hash).text, st->digest.text))
		return 0;
	if (st->adopt && !st->own_layout) {
		st->foreign = true;
		return 0;
	}
	if (st->own_layout)
		kf_fail(err,
			"damaged: the checksum of what begins at byte %llu does not "
			"fit",
			(unsigned long long)st->start);
	else
		kf_fail(err,
			"the checksum does not fit: another program saved it again, or "
			"it is damaged; to take it as it is, pass it through kfkd-cat");
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
