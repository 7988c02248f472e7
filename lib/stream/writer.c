/* Writing the sequence of chunks. */
#define _GNU_SOURCE
#include "stream/writer.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "stream/header.h"

#define PIPE_BYTES (1 << 20) /* the most that an ordinary user may ask for */

struct kf_writer {
	int fd;
	const char *name;
	struct kf_schema schema;
	struct kf_meta meta;
	uint64_t rows;
	bool single;
	int file[KF_FIELDS]; /* temporary, when single */
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
		kf_fail_memory(err);
		return NULL;
	}
	if (kf_schema_copy(&w->schema, s, err) < 0) {
		free(w);
		return NULL;
	}
	/* lets the programs of a pipeline wait less for each other, if it
	 * succeeds */
	fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES);
	w->fd = fd;
	w->name = name;
	w->meta = kf_header_meta(s);
	for (int i = 0; i < KF_FIELDS; i++)
		w->file[i] = -1;
	return w;
}

struct kf_writer *kf_writer_open_single(int fd, const char *name,
	const struct kf_schema *s, struct kf_err *err)
{
	struct kf_writer *w = kf_writer_open(fd, name, s, err);

	for (int i = 0; w && i < KF_FIELDS; i++)
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
	struct kf_tensor t[KF_FIELDS];
	int n = kf_chunk_tensors(chunk, &w->schema, chunk->n, t);

	w->rows += chunk->n;
	if (chunk->n == 0)
		return 0;
	if (!w->single)
		return kf_st_write(w->fd, w->name, &w->meta, t, n, NULL, err);
	for (int i = 0; i < n; i++)
		if (kf_write(w->file[i], KF_TEMPFILE, t[i].data, kf_tensor_bytes(&t[i]),
			    err) < 0)
			return -1;
	return 0;
}

int kf_writer_end(struct kf_writer *w, struct kf_err *err)
{
	struct kf_chunk none = { 0 };
	struct kf_tensor t[KF_FIELDS];
	int n = kf_chunk_tensors(&none, &w->schema, w->single ? w->rows : 0, t);

	kf_meta_set(&w->meta, "rows", "%llu", (unsigned long long)w->rows);
	return kf_st_write(w->fd, w->name, &w->meta, t, n, w->file, err);
}

void kf_writer_close(struct kf_writer *w)
{
	if (!w)
		return;
	for (int i = 0; i < KF_FIELDS; i++)
		if (w->file[i] >= 0)
			close(w->file[i]);
	kf_meta_free(&w->meta);
	kf_schema_free(&w->schema);
	free(w);
}
