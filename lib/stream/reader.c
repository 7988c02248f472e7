/* Reading the sequence of chunks. */
#define _GNU_SOURCE
#include "stream/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "stream/header.h"

struct kf_reader {
	struct kf_source src;
	bool adopt;
	struct kf_schema schema;
	struct kf_chunk chunk;
	struct kf_st st;
	bool ready;        /* the chunk holds rows not handed out yet */
	bool pending;      /* st holds a header whose data has not been read */
	size_t n;          /* rows of the blob in st */
	bool ended;        /* the last chunk of a stream was read */
	uint64_t rows;     /* of this stream so far */
	uint64_t all_rows; /* of this and earlier streams */
	int file;          /* while the blob is handed out in slices: its data, */
	int spool;         /* either the source itself or this temporary file, */
	uint64_t base;     /* from this offset; else file is -1 */
	size_t at;         /* rows of the blob handed out */
};

/* Checks the header in st; frees st when it is refused. */
static int take_header(struct kf_reader *r, struct kf_schema *s, struct kf_err *err)
{
	int rc;

	r->st.adopt = r->adopt;
	if (r->st.foreign && !r->adopt)
		rc = kf_fail(err,
			"plain safetensors, not a kfkd stream; "
			"pass it through kfkd-cat");
	else
		rc = kf_header_schema(&r->st, s, &r->n, err);
	if (rc < 0) {
		kf_st_place(&r->st, err);
		kf_st_free(&r->st);
		return -1;
	}
	r->pending = true;
	return 1;
}

/* Reads a header: 1, 0 at the end of the input, -1. */
static int next_header(struct kf_reader *r, struct kf_schema *s, struct kf_err *err)
{
	int rc = kf_st_open(&r->st, &r->src, err);

	return rc <= 0 ? rc : take_header(r, s, err);
}

const struct kf_schema *kf_reader_schema(const struct kf_reader *r)
{
	return &r->schema;
}

/* The header of a further chunk, which must look like the first. */
static int further_header(struct kf_reader *r, struct kf_err *err)
{
	struct kf_schema s;
	struct kf_difference d;
	bool differs;
	int rc = next_header(r, &s, err);

	if (rc == 0 && !r->ended)
		return kf_fail(err,
			"'%s' is truncated: it ends after %llu rows "
			"without its last chunk",
			r->src.name, (unsigned long long)r->rows);
	if (rc <= 0)
		return rc;
	differs = kf_schema_differs(&r->schema, &s, &d);
	kf_schema_free(&s);
	if (differs) {
		kf_fail(err, "%s: %s than before%s",
			r->ended ? "a second stream" : "a chunk", d.what, d.how);
		return kf_st_place(&r->st, err);
	}
	r->ended = false;
	return 1;
}

/* Copies the blob's data to a temporary file, checking its digest. */
static int spool(struct kf_reader *r, struct kf_err *err)
{
	char piece[1 << 16];

	if (r->spool < 0 && (r->spool = kf_tempfile(err)) < 0)
		return -1;
	if (lseek(r->spool, 0, SEEK_SET) < 0)
		return kf_fail_errno(err, "cannot rewind the " KF_TEMPFILE);
	while (r->st.left > 0) {
		size_t n = r->st.left < sizeof piece ? r->st.left : sizeof piece;

		if (kf_st_read(&r->st, piece, n, err) < 0 ||
			kf_write(r->spool, KF_TEMPFILE, piece, n, err) < 0)
			return -1;
	}
	r->file = r->spool;
	r->base = 0;
	return 0;
}

/*
 * A blob with many more rows than a full chunk is read in slices.  A few more
 * are allowed: columns added since it was written make a full chunk smaller.
 */
static bool in_slices(const struct kf_reader *r)
{
	size_t full = kf_chunk_rows(&r->schema);

	return r->n > full + full / 2;
}

/* Makes the data of a large blob readable in slices. */
static int start_slices(struct kf_reader *r, struct kf_err *err)
{
	struct stat sb;
	off_t base;

	r->at = 0;
	if (fstat(r->src.fd, &sb) == 0 && S_ISREG(sb.st_mode) &&
		(base = lseek(r->src.fd, 0, SEEK_CUR)) >= 0) {
		if (kf_st_finish(&r->st, err) < 0)
			return -1;
		r->file = r->src.fd;
		r->base = (uint64_t)base;
		return 0;
	}
	if (spool(r, err) < 0)
		return -1;
	return kf_st_finish(&r->st, err);
}

/* Where a tensor's rows go in the chunk; its name is known. */
static void *destination(const struct kf_chunk *c, const char *name)
{
	return kf_field_data(kf_field_find(name), c);
}

static void count_ids(struct kf_reader *r, size_t first_row)
{
	if (kf_st_find(&r->st, "id"))
		return;
	for (size_t i = 0; i < r->chunk.n; i++)
		r->chunk.id[i] = (int64_t)(r->all_rows + first_row + i + 1);
}

static int next_slice(struct kf_reader *r, struct kf_err *err)
{
	struct kf_chunk *c = &r->chunk;
	uint64_t begin = r->base;

	c->n = r->n - r->at;
	if (c->n > kf_chunk_rows(&r->schema))
		c->n = kf_chunk_rows(&r->schema);
	if (kf_chunk_reserve(c, &r->schema, c->n, err) < 0)
		return -1;
	for (int i = 0; i < r->st.n; i++) {
		const struct kf_tensor *t = &r->st.tensor[i];
		size_t row = kf_tensor_bytes(t) / r->n;

		if (kf_pread(r->file, r->src.name, destination(c, t->name), c->n * row,
			    begin + r->at * row, err) < 0)
			return -1;
		begin += kf_tensor_bytes(t);
	}
	count_ids(r, r->at);
	r->at += c->n;
	return 0;
}

static int read_whole(struct kf_reader *r, struct kf_err *err)
{
	struct kf_chunk *c = &r->chunk;

	c->n = r->n;
	if (kf_chunk_reserve(c, &r->schema, c->n, err) < 0)
		return -1;
	for (int i = 0; i < r->st.n; i++) {
		const struct kf_tensor *t = &r->st.tensor[i];

		if (kf_st_read(&r->st, destination(c, t->name), kf_tensor_bytes(t),
			    err) < 0)
			return -1;
	}
	count_ids(r, 0);
	return kf_st_finish(&r->st, err);
}

/* After a blob's data: is it the last, and does its count fit? */
static int finish_blob(struct kf_reader *r, struct kf_err *err)
{
	const char *rows = kf_meta_get(&r->st.meta, "rows");
	char count[32];

	r->rows += r->n;
	r->all_rows += r->n;
	snprintf(count, sizeof count, "%llu", (unsigned long long)r->rows);
	if (rows && !r->st.foreign && strcmp(rows, count)) {
		kf_fail(err, "the stream should have %.20s rows, and has %s", rows,
			count);
		return kf_source_place(&r->src, err);
	}
	if (rows || r->st.foreign) {
		r->ended = true;
		r->rows = 0;
	}
	r->pending = false;
	kf_st_free(&r->st);
	return 0;
}

/* Fills the chunk: 1, 0 at the end, -1. */
static int next_rows(struct kf_reader *r, struct kf_err *err)
{
	for (;;) {
		int rc = r->pending ? 1 : further_header(r, err);
		bool slices;

		if (rc <= 0)
			return rc;
		slices = in_slices(r);
		if (slices && r->file < 0 && start_slices(r, err) < 0)
			return -1;
		if ((slices ? next_slice(r, err) : read_whole(r, err)) < 0)
			return -1;
		if (!slices || r->at == r->n) {
			r->file = -1;
			if (finish_blob(r, err) < 0)
				return -1;
		}
		if (r->chunk.n > 0)
			return 1;
	}
}

struct kf_reader *kf_reader_open(int fd, const char *name, bool adopt,
	struct kf_err *err)
{
	struct kf_source src = { .fd = fd, .name = name };
	struct kf_st st;
	int rc = kf_st_open(&st, &src, err);

	if (rc == 0)
		kf_fail(err, "'%s' is empty: there is no stream in it", name);
	return rc > 0 ? kf_reader_from(&st, adopt, err) : NULL;
}

/*
 * Reads the first rows too: a schema must not be used before its checksum has
 * been verified.
 */
struct kf_reader *kf_reader_from(struct kf_st *st, bool adopt, struct kf_err *err)
{
	struct kf_reader *r = calloc(1, sizeof *r);
	int rc;

	if (!r) {
		kf_st_free(st);
		kf_fail_memory(err);
		return NULL;
	}
	r->src = *st->src;
	r->st = *st;
	r->st.src = &r->src;
	r->adopt = adopt;
	r->file = r->spool = -1;
	rc = take_header(r, &r->schema, err);
	if (rc > 0)
		rc = next_rows(r, err);
	if (rc < 0) {
		kf_reader_close(r);
		return NULL;
	}
	r->ready = rc > 0;
	return r;
}

int kf_reader_next(struct kf_reader *r, struct kf_chunk **chunk, struct kf_err *err)
{
	*chunk = &r->chunk;
	if (r->ready) {
		r->ready = false;
		return 1;
	}
	return next_rows(r, err);
}

void kf_reader_close(struct kf_reader *r)
{
	if (!r)
		return;
	if (r->pending)
		kf_st_free(&r->st);
	if (r->spool >= 0)
		close(r->spool);
	kf_chunk_free(&r->chunk);
	kf_schema_free(&r->schema);
	free(r);
}
