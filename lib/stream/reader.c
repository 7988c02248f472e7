/* Reading the sequence of chunks. */
#define _GNU_SOURCE
#include "stream/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mapping.h"
#include "stream/header.h"
#include "stream/texts.h"

/* Images of fewer bytes are read sooner than they are mapped. */
#ifndef KF_MAP_BYTES /* see KF_CHUNK_BYTES */
#define KF_MAP_BYTES ((size_t)1 << 18)
#endif

struct kf_reader {
	struct kf_source src;
	struct stat opened; /* the source as it was opened */
	bool adopt, eager;
	struct kf_schema schema;
	struct kf_chunk chunk;
	struct kf_chunk view; /* as it is handed out: the same, or with the images */
	void *mapped;         /* where they lie in the file; else NULL */
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
	bool flowing;      /* the last tensor is still to be read, not in file */
	int64_t images_at; /* of the chunk, in the source; -1: not there */
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

/* -- what is read from where ------------------------------------------------------ */

static bool is_file(const struct kf_reader *r)
{
	return S_ISREG(r->opened.st_mode);
}

int kf_reader_intact(const struct kf_reader *r, struct kf_err *err)
{
	const struct timespec *was = &r->opened.st_mtim, *is;
	struct stat now;

	if (!r->eager || !is_file(r))
		return 0;
	if (fstat(r->src.fd, &now) < 0)
		return kf_fail_errno(err, "cannot read '%s'", r->src.name);
	is = &now.st_mtim;
	if (now.st_size < r->opened.st_size)
		return kf_fail(err, "'%s' became shorter while it was read",
			r->src.name);
	if (was->tv_sec != is->tv_sec || was->tv_nsec != is->tv_nsec)
		return kf_fail(err, "'%s' was changed while it was read", r->src.name);
	if (kf_mapping_lost())
		return kf_fail(err, "cannot read '%s': a part of it is lost",
			r->src.name);
	return 0;
}

/* Where a tensor's rows go in the chunk; its name is known. */
static void *destination(const struct kf_chunk *c, const char *name)
{
	return kf_field_data(kf_field_find(name), c);
}

/* The next bytes of the source, which are a tensor's; NULL where reading is better. */
static void *map(const struct kf_reader *r, const struct kf_tensor *t, size_t bytes)
{
	off_t at = lseek(r->src.fd, 0, SEEK_CUR);

	if (at < 0 || (size_t)at % kf_dtype_size(t->dtype))
		return NULL;
	return kf_map(r->src.fd, (uint64_t)at, bytes);
}

static void unmap(struct kf_reader *r)
{
	if (r->mapped)
		kf_unmap();
	r->mapped = NULL;
}

int64_t kf_reader_images_at(const struct kf_reader *r)
{
	return r->images_at;
}

int kf_reader_file(const struct kf_reader *r, const char **name, struct stat *opened)
{
	*name = r->src.name;
	*opened = r->opened;
	return r->src.fd;
}

/* Notes where a tensor's rows that are read next lie in the file, if they are images. */
static void note_place(struct kf_reader *r, const struct kf_tensor *t, int64_t at)
{
	if (!strcmp(t->name, "X"))
		r->images_at = at;
}

/* The next bytes of a tensor, from the source. */
static int read_tensor(struct kf_reader *r, const struct kf_tensor *t, size_t bytes,
	struct kf_err *err)
{
	note_place(r, t, is_file(r) ? lseek(r->src.fd, 0, SEEK_CUR) : -1);
	if (r->eager && is_file(r) && bytes >= KF_MAP_BYTES && !strcmp(t->name, "X"))
		r->mapped = map(r, t, bytes);
	if (r->mapped)
		return kf_st_skip(&r->st, r->mapped, bytes, err);
	return kf_st_read(&r->st, destination(&r->chunk, t->name), bytes, err);
}

/* -- large blobs ------------------------------------------------------------------ */

/* Copies the blob's data to a temporary file but for the last bytes, checking its
 * digest. */
static int spool(struct kf_reader *r, size_t last, struct kf_err *err)
{
	char piece[1 << 16];

	if (r->spool < 0 && (r->spool = kf_tempfile(err)) < 0)
		return -1;
	if (lseek(r->spool, 0, SEEK_SET) < 0)
		return kf_fail_errno(err, "cannot rewind the " KF_TEMPFILE);
	while (r->st.left > last) {
		uint64_t n = r->st.left - last;

		if (n > sizeof piece)
			n = sizeof piece;

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

/*
 * Makes the data of a large blob readable in slices.  An eager reader does so with all but
 * the images, if these come last, and reads them when their turn comes.
 */
static int start_slices(struct kf_reader *r, struct kf_err *err)
{
	const struct kf_tensor *end = &r->st.tensor[r->st.n - 1];
	size_t last = 0;
	off_t base;

	r->at = 0;
	r->flowing = r->eager && !strcmp(end->name, "X");
	if (r->flowing)
		last = kf_tensor_bytes(end);
	if (is_file(r) && (base = lseek(r->src.fd, 0, SEEK_CUR)) >= 0) {
		r->file = r->src.fd;
		r->base = (uint64_t)base;
		if (kf_st_read(&r->st, NULL, r->st.left - last, err) < 0)
			return -1;
	} else if (spool(r, last, err) < 0) {
		return -1;
	}
	return r->flowing ? 0 : kf_st_finish(&r->st, err);
}

/* Whoever shows a text, or opens a file by it, may rely on it. */
static int check_texts(const struct kf_reader *r, struct kf_err *err)
{
	for (int i = 0; i < KF_FIELDS; i++) {
		const struct kf_field *f = &kf_fields[i];
		size_t width = f->width ? kf_field_bytes(f, &r->schema) : 0, row;

		if (!width)
			continue;
		row = kf_texts_scan(kf_field_data(f, &r->chunk), (int)width,
			r->chunk.n);
		if (row == r->chunk.n)
			continue;
		kf_fail(err, "the row with id %lld: its '%s' is no text",
			(long long)r->chunk.id[row], f->name);
		return kf_source_place(&r->src, err);
	}
	return 0;
}

static void count_ids(struct kf_reader *r, size_t first_row)
{
	if (kf_st_find(&r->st, "id"))
		return;
	for (size_t i = 0; i < r->chunk.n; i++)
		r->chunk.id[i] = (int64_t)(r->all_rows + first_row + i + 1);
}

/* A tensor's bytes from the data of a blob in slices. */
static int read_slice(struct kf_reader *r, const struct kf_tensor *t, size_t bytes,
	uint64_t at, struct kf_err *err)
{
	note_place(r, t, r->file == r->src.fd ? (int64_t)at : -1);
	return kf_pread(r->file, r->src.name, destination(&r->chunk, t->name), bytes,
		at, err);
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
		bool flows = r->flowing && i == r->st.n - 1;

		if (flows && read_tensor(r, t, c->n * row, err) < 0)
			return -1;
		if (!flows &&
			read_slice(r, t, c->n * row, begin + r->at * row, err) < 0)
			return -1;
		begin += kf_tensor_bytes(t);
	}
	count_ids(r, r->at);
	r->at += c->n;
	return r->flowing && r->at == r->n ? kf_st_finish(&r->st, err) : 0;
}

static int read_whole(struct kf_reader *r, struct kf_err *err)
{
	struct kf_chunk *c = &r->chunk;

	c->n = r->n;
	if (kf_chunk_reserve(c, &r->schema, c->n, err) < 0)
		return -1;
	for (int i = 0; i < r->st.n; i++) {
		const struct kf_tensor *t = &r->st.tensor[i];

		if (read_tensor(r, t, kf_tensor_bytes(t), err) < 0)
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
static int fill_chunk(struct kf_reader *r, struct kf_err *err)
{
	for (;;) {
		int rc = r->pending ? 1 : further_header(r, err);
		bool slices;

		if (rc <= 0)
			return rc;
		slices = in_slices(r);
		if (slices && r->file < 0 && start_slices(r, err) < 0)
			return -1;
		if ((slices ? next_slice(r, err) : read_whole(r, err)) < 0 ||
			check_texts(r, err) < 0)
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

/* The same; what was changed meanwhile may look damaged, but that is not the reason. */
static int next_rows(struct kf_reader *r, struct kf_err *err)
{
	int rc;

	unmap(r);
	rc = fill_chunk(r, err);
	return kf_reader_intact(r, err) < 0 ? -1 : rc;
}

/*
 * Reads the first rows too: a schema must not be used before its checksum has
 * been verified, unless the reader is eager.
 */
static struct kf_reader *start(struct kf_st *st, bool adopt, bool eager,
	struct kf_err *err)
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
	r->eager = eager;
	if (fstat(r->src.fd, &r->opened) < 0)
		r->opened = (struct stat){ 0 };
	r->file = r->spool = -1;
	r->images_at = -1;
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

struct kf_reader *kf_reader_from(struct kf_st *st, bool adopt, struct kf_err *err)
{
	return start(st, adopt, false, err);
}

static struct kf_reader *open_reader(int fd, const char *name, bool adopt, bool eager,
	struct kf_err *err)
{
	struct kf_source src = { .fd = fd, .name = name };
	struct kf_st st;
	int rc = kf_st_open(&st, &src, err);

	if (rc == 0)
		kf_fail(err, "'%s' is empty: there is no stream in it", name);
	return rc > 0 ? start(&st, adopt, eager, err) : NULL;
}

struct kf_reader *kf_reader_open(int fd, const char *name, bool adopt,
	struct kf_err *err)
{
	return open_reader(fd, name, adopt, false, err);
}

struct kf_reader *kf_reader_open_eager(int fd, const char *name, struct kf_err *err)
{
	return open_reader(fd, name, false, true, err);
}

int kf_reader_next(struct kf_reader *r, struct kf_chunk **chunk, struct kf_err *err)
{
	int rc = r->ready ? 1 : next_rows(r, err);

	r->ready = false;
	r->view = r->chunk;
	if (r->mapped)
		r->view.X = r->mapped;
	*chunk = &r->view;
	return rc;
}

void kf_reader_close(struct kf_reader *r)
{
	if (!r)
		return;
	if (r->pending)
		kf_st_free(&r->st);
	unmap(r);
	if (r->spool >= 0)
		close(r->spool);
	kf_chunk_free(&r->chunk);
	kf_schema_free(&r->schema);
	free(r);
}
