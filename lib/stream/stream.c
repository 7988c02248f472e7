/* Reading and writing the sequence of chunks. */
#define _GNU_SOURCE
#include "stream/stream.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "stream/safetensors.h"

#define TENSORS 5                     /* id, label, y, p, X */
#define SIDE_MAX 16384                /* of an image */
#define PIXELS_MAX ((int64_t)1 << 28) /* of an image, all channels */
#define PIPE_BYTES (1 << 20)          /* as much as a user may ask for */

/* The tensors of a chunk of n rows, with data where the chunk has it. */
static int list_tensors(const struct kf_schema *s, const struct kf_chunk *c, size_t n,
	struct kf_tensor t[TENSORS])
{
	int64_t rows = (int64_t)n, y[] = { rows, s->columns.n },
		p[] = { rows, s->p_columns.n }, X[] = { rows, s->c, s->h, s->w };
	int count = 0;

	t[count] = kf_tensor("id", KF_I64, 1, &rows);
	t[count++].data = c->id;
	if (s->has_label) {
		t[count] = kf_tensor("label", KF_I64, 1, &rows);
		t[count++].data = c->label;
	}
	if (s->columns.n) {
		t[count] = kf_tensor("y", KF_F32, 2, y);
		t[count++].data = c->y;
	}
	if (s->p_columns.n) {
		t[count] = kf_tensor("p", KF_F32, 2, p);
		t[count++].data = c->p;
	}
	t[count] = kf_tensor("X", s->dtype, 4, X);
	t[count++].data = c->X;
	return count;
}

/* -- schema as metadata ------------------------------------------------------ */

static void set_scale(struct kf_meta *m, const char *key, const struct kf_scale *s,
	int n)
{
	char text[160];

	if (s[0].factor == 0)
		return;
	kf_scales_print(s, n, text, sizeof text);
	kf_meta_set(m, key, "%s", text);
}

static void set_names(struct kf_meta *m, const char *key, const struct kf_names *names)
{
	char *text = kf_names_join(names);

	if (names->n)
		kf_meta_set(m, key, "%s", text);
	free(text);
}

static struct kf_meta schema_to_meta(const struct kf_schema *s)
{
	struct kf_meta m = { 0 };

	set_names(&m, "columns", &s->columns);
	set_names(&m, "p.columns", &s->p_columns);
	set_scale(&m, "X.scale", &s->x_scale, 1);
	set_scale(&m, "y.scale", s->y_scale, 2);
	set_scale(&m, "p.scale", s->p_scale, 2);
	if (s->classes)
		kf_meta_set(&m, "classes", "%s", s->classes);
	return m;
}

static int get_scale(const struct kf_st *st, const char *key, struct kf_scale *s, int n,
	struct kf_err *err)
{
	const char *text = kf_meta_get(&st->meta, key);

	if (text && kf_scales_parse(s, n, text) < 0)
		return kf_fail(err, "metadata '%s' is no scale: '%.60s'", key, text);
	return 0;
}

/* The names of the columns of a tensor of shape (n, m), if it is there. */
static int get_names(const struct kf_st *st, const char *tensor, const char *key,
	struct kf_names *names, struct kf_err *err)
{
	const struct kf_tensor *t = kf_st_find(st, tensor);
	const char *text = kf_meta_get(&st->meta, key);
	char made[32];

	if (!t)
		return 0;
	if (t->dtype != KF_F32 || t->rank != 2 || t->shape[1] < 1 ||
		t->shape[1] > KF_COLUMNS_MAX)
		return kf_fail(err,
			"tensor '%s' is not F32 of shape (rows, columns), "
			"with at most %d columns",
			tensor, KF_COLUMNS_MAX);
	if (text) {
		if (kf_names_split(names, text, err) < 0)
			return -1;
	} else if (st->foreign) {
		for (int i = 0; i < t->shape[1]; i++) {
			snprintf(made, sizeof made, "%s%d", tensor, i + 1);
			kf_names_add(names, made);
		}
	}
	if (names->n != t->shape[1])
		return kf_fail(err,
			"tensor '%s' has %lld columns and '%s' has %d names", tensor,
			(long long)t->shape[1], key, names->n);
	return 0;
}

static int get_image(const struct kf_st *st, struct kf_schema *s, struct kf_err *err)
{
	const struct kf_tensor *X = kf_st_find(st, "X");
	int64_t c = 1, h, w;

	if (!X)
		return kf_fail(err, "there is no tensor 'X' (is it a model?)");
	if ((X->rank != 4 && !(st->foreign && X->rank == 3)) || X->dtype == KF_I64)
		return kf_fail(err,
			"tensor 'X' is not U8 or F32 of shape "
			"(rows, channels, height, width)");
	if (X->rank == 4)
		c = X->shape[1];
	h = X->shape[X->rank - 2];
	w = X->shape[X->rank - 1];
	if (c < 1 || h < 1 || w < 1 || c > SIDE_MAX || h > SIDE_MAX || w > SIDE_MAX ||
		c * h > PIXELS_MAX || c * h * w > PIXELS_MAX)
		return kf_fail(err, "images of %lld x %lld x %lld are out of bounds",
			(long long)c, (long long)h, (long long)w);
	s->dtype = X->dtype;
	s->c = (int)c;
	s->h = (int)h;
	s->w = (int)w;
	return 0;
}

/* All tensors must be known and have the same number of rows. */
static int count_rows(const struct kf_st *st, size_t *rows, struct kf_err *err)
{
	static const char known[] = " id label y p X ";
	const struct kf_tensor *X = kf_st_find(st, "X");
	char word[KF_NAME_MAX + 2];

	for (int i = 0; i < st->n; i++) {
		const struct kf_tensor *t = &st->tensor[i];

		snprintf(word, sizeof word, " %s ", t->name);
		if (strchr(t->name, ' ') || !strstr(known, word))
			return kf_fail(err, "tensor '%s' is none of id, label, y, p, X",
				t->name);
		if (t->rank < 1 || t->shape[0] != X->shape[0])
			return kf_fail(err, "tensor '%s' has not as many rows as 'X'",
				t->name);
		if ((t->name[0] == 'i' || t->name[0] == 'l') &&
			(t->dtype != KF_I64 || t->rank != 1))
			return kf_fail(err, "tensor '%s' is not I64 of shape (rows)",
				t->name);
	}
	if (!st->foreign && !kf_st_find(st, "id"))
		return kf_fail(err, "there is no tensor 'id'");
	*rows = (size_t)X->shape[0];
	return 0;
}

static int schema_from_st(const struct kf_st *st, struct kf_schema *s, size_t *rows,
	struct kf_err *err)
{
	const char *classes = kf_meta_get(&st->meta, "classes");

	*s = (struct kf_schema){ 0 };
	if (get_image(st, s, err) < 0 || count_rows(st, rows, err) < 0 ||
		get_names(st, "y", "columns", &s->columns, err) < 0 ||
		get_names(st, "p", "p.columns", &s->p_columns, err) < 0 ||
		get_scale(st, "X.scale", &s->x_scale, 1, err) < 0 ||
		get_scale(st, "y.scale", s->y_scale, 2, err) < 0 ||
		get_scale(st, "p.scale", s->p_scale, 2, err) < 0) {
		kf_schema_free(s);
		return -1;
	}
	if (s->x_scale.factor != 0 && s->dtype != KF_F32) {
		kf_schema_free(s);
		return kf_fail(err, "there is an 'X.scale', but 'X' is not F32");
	}
	s->has_label = kf_st_find(st, "label") != NULL;
	if (classes && !(s->classes = strdup(classes)))
		abort();
	return 0;
}

/* -- reading ----------------------------------------------------------------- */

struct kf_reader {
	struct kf_source src;
	bool adopt;
	struct kf_schema schema;
	struct kf_chunk chunk;
	struct kf_st st;
	bool ready;        /* the chunk holds rows that were not handed out */
	bool pending;      /* st holds a header whose data was not read */
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

	if (r->st.foreign && !r->adopt)
		rc = kf_fail(err,
			"plain safetensors, not a kfkd stream; "
			"pass it through kfkd-cat");
	else
		rc = schema_from_st(&r->st, s, &r->n, err);
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
	const char *what;
	int rc = next_header(r, &s, err);

	if (rc == 0 && !r->ended)
		return kf_fail(err,
			"'%s' is truncated: it ends after %llu rows "
			"without its last chunk",
			r->src.name, (unsigned long long)r->rows);
	if (rc <= 0)
		return rc;
	what = kf_schema_differs(&r->schema, &s);
	kf_schema_free(&s);
	if (what) {
		kf_fail(err, "%s: another %s than before",
			r->ended ? "a second stream" : "a chunk", what);
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
		return kf_fail_errno(err, "cannot rewind a temporary file");
	while (r->st.left > 0) {
		size_t n = r->st.left < sizeof piece ? r->st.left : sizeof piece;

		if (kf_st_read(&r->st, piece, n, err) < 0 ||
			kf_write(r->spool, "temporary file", piece, n, err) < 0)
			return -1;
	}
	r->file = r->spool;
	r->base = 0;
	return 0;
}

/*
 * A blob with many more rows than a full chunk is read in slices.  Some more
 * are let pass: columns that were added since make a full chunk smaller.
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

/* Where a tensor's rows go in the chunk. */
static void *destination(struct kf_chunk *c, const char *name)
{
	return !strcmp(name, "id")     ? (void *)c->id :
		!strcmp(name, "label") ? (void *)c->label :
		!strcmp(name, "y")     ? (void *)c->y :
		!strcmp(name, "p")     ? (void *)c->p :
					 c->X;
}

static void count_ids(struct kf_reader *r)
{
	if (kf_st_find(&r->st, "id"))
		return;
	for (size_t i = 0; i < r->chunk.n; i++)
		r->chunk.id[i] = (int64_t)(r->all_rows + i + 1);
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
	count_ids(r);
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
	count_ids(r);
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
	if (rows && strcmp(rows, count)) {
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
 * The first rows are read here: a schema is not to be used before its checksum
 * was found to fit.
 */
struct kf_reader *kf_reader_from(struct kf_st *st, bool adopt, struct kf_err *err)
{
	struct kf_reader *r = calloc(1, sizeof *r);
	int rc;

	if (!r) {
		kf_st_free(st);
		kf_fail(err, "out of memory");
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

/* -- writing ----------------------------------------------------------------- */

struct kf_writer {
	int fd;
	const char *name;
	struct kf_schema schema;
	struct kf_meta meta;
	uint64_t rows;
	bool single;
	int file[TENSORS]; /* temporary, when single */
};

struct kf_writer *kf_writer_open(int fd, const char *name, const struct kf_schema *s,
	struct kf_err *err)
{
	struct kf_writer *w;

	if (s->columns.n > KF_COLUMNS_MAX || s->p_columns.n > KF_COLUMNS_MAX) {
		kf_fail(err, "more than %d columns", KF_COLUMNS_MAX);
		return NULL;
	}
	w = calloc(1, sizeof *w);
	if (!w) {
		kf_fail(err, "out of memory");
		return NULL;
	}
	/* programs of a pipeline wait less for one another; else as it was */
	fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES);
	w->fd = fd;
	w->name = name;
	w->schema = kf_schema_copy(s);
	w->meta = schema_to_meta(s);
	for (int i = 0; i < TENSORS; i++)
		w->file[i] = -1;
	return w;
}

struct kf_writer *kf_writer_open_single(int fd, const char *name,
	const struct kf_schema *s, struct kf_err *err)
{
	struct kf_writer *w = kf_writer_open(fd, name, s, err);

	for (int i = 0; w && i < TENSORS; i++)
		if ((w->file[i] = kf_tempfile(err)) < 0) {
			kf_writer_close(w);
			w = NULL;
		}
	if (w)
		w->single = true;
	return w;
}

int kf_writer_write(struct kf_writer *w, const struct kf_chunk *chunk,
	struct kf_err *err)
{
	struct kf_tensor t[TENSORS];
	int n = list_tensors(&w->schema, chunk, chunk->n, t);

	w->rows += chunk->n;
	if (chunk->n == 0)
		return 0;
	if (!w->single)
		return kf_st_write(w->fd, w->name, &w->meta, t, n, NULL, err);
	for (int i = 0; i < n; i++)
		if (kf_write(w->file[i], "temporary file", t[i].data,
			    kf_tensor_bytes(&t[i]), err) < 0)
			return -1;
	return 0;
}

int kf_writer_end(struct kf_writer *w, struct kf_err *err)
{
	struct kf_chunk none = { 0 };
	struct kf_tensor t[TENSORS];
	int n = list_tensors(&w->schema, &none, w->single ? w->rows : 0, t);

	kf_meta_set(&w->meta, "rows", "%llu", (unsigned long long)w->rows);
	return kf_st_write(w->fd, w->name, &w->meta, t, n, w->file, err);
}

void kf_writer_close(struct kf_writer *w)
{
	if (!w)
		return;
	for (int i = 0; i < TENSORS; i++)
		if (w->file[i] >= 0)
			close(w->file[i]);
	kf_meta_free(&w->meta);
	kf_schema_free(&w->schema);
	free(w);
}
