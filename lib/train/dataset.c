/* Training data. */
#include "train/dataset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "stream/digest.h"

#define PIECE 1024 /* bytes that become floats at a time */

int kf_check_scaled(const struct kf_schema *s, struct kf_err *err)
{
	if (kf_schema_need_images(s, err) < 0)
		return -1;
	if (!kf_is_scaled(s->x_scale))
		return kf_fail(err,
			"the images are not scaled; pipe through kfkd-scale");
	if (s->columns.n && !kf_is_scaled(s->y_scale[0]))
		return kf_fail(err,
			"the targets are not scaled; pipe through kfkd-scale");
	return 0;
}

static int check_targets(const struct kf_schema *s, bool labels, struct kf_err *err)
{
	if (kf_check_scaled(s, err) < 0)
		return -1;
	if (labels && !s->has_label)
		return kf_fail(err, "the stream has no labels to learn");
	if (!labels && !s->columns.n)
		return kf_fail(err,
			s->has_label ? "the stream has labels, not targets; "
				       "learn them with --loss crossentropy" :
				       "the stream has no targets to learn");
	return 0;
}

/* What rows that validate must have in common with those to train on. */
static struct kf_schema essence(const struct kf_schema *s, bool labels)
{
	struct kf_schema e = { .c = s->c, .h = s->h, .w = s->w, .x_scale = s->x_scale };

	if (labels) {
		e.class_names = s->class_names;
		return e;
	}
	e.columns = s->columns;
	memcpy(e.y_scale, s->y_scale, sizeof e.y_scale);
	return e;
}

static const char *kind_of(const struct kf_schema *s)
{
	return s->dtype == KF_U8 ? "bytes" : "floats";
}

static int check_validation(struct kf_reader *validation, const struct kf_schema *train,
	bool labels, struct kf_err *err)
{
	const struct kf_schema *valid = kf_reader_schema(validation);
	struct kf_schema a = essence(train, labels), b = essence(valid, labels);
	struct kf_difference d;
	struct stat opened;
	const char *name;

	kf_reader_file(validation, &name, &opened);
	if (check_targets(valid, labels, err) < 0)
		return kf_place(err, "'%s', which is to validate", name);
	if (kf_schema_differs(&a, &b, &d))
		return kf_fail(err, "'%s' has %s than the rows to train on%s", name,
			d.what, d.how);
	if (valid->dtype != train->dtype)
		return kf_fail(err,
			"'%s' has %s, and the rows to train on have %s; scale both with "
			"kfkd-scale --bytes, or both without",
			name, kind_of(valid), kind_of(train));
	return 0;
}

/* A NaN or an infinity would spread through all weights unnoticed. */
static int check_finite(const struct kf_chunk *c, const struct kf_schema *s,
	struct kf_err *err)
{
	const float *X = s->dtype == KF_F32 ? c->X : NULL;
	size_t pixels = kf_image_pixels(s), m = (size_t)s->columns.n;

	for (size_t i = 0; i < c->n; i++) {
		float bad = 0; /* stays 0 unless a value is NaN or infinite */

		for (size_t j = 0; X && j < pixels; j++)
			bad += X[i * pixels + j] * 0;
		for (size_t j = 0; j < m; j++)
			bad += isinf(c->y[i * m + j]) ? NAN : 0;
		if (bad != 0 || isnan(bad))
			return kf_fail(err, "row %lld: a pixel or target is not finite",
				(long long)c->id[i]);
	}
	return 0;
}

/* -- memory ------------------------------------------------------------------------ */

/* Batches of a file that are in memory at a time: the one at hand and those to come. */
enum { BUFFERS_MIN = 2, BUFFERS_MAX = 4 };

/* A data set while it is read. */
struct intake {
	struct kf_dataset *d;
	struct kf_reader *r; /* the one at hand */
	const struct kf_dataset_options *options;
	size_t room, image_room; /* rows that there is memory for */
	XXH3_state_t *hash;      /* of the images, if the digest is asked for */
	bool files;              /* whatever is read is a file, that can be kept */
	bool in_memory;          /* the images fit so far */
	bool too_large;          /* even without images: rows are only counted */
};

/* What n rows take but for their images: targets, twice where they are augmented; ids,
 * order in the file and of an epoch, numbers of present targets, and losses; and the list
 * of batches. */
static size_t rows_memory(const struct intake *in, size_t n)
{
	size_t row = 2 * (size_t)in->d->m * sizeof(float) + sizeof(int64_t) +
		6 * sizeof(uint32_t);

	return n * row + (n / (size_t)in->options->batch + 2) * 2 * sizeof(void *);
}

/* What a batch of the images of n rows takes. */
static size_t batch_memory(const struct intake *in, size_t n)
{
	size_t batch = (size_t)in->options->batch;

	return (batch < n ? batch : n) * kf_image_bytes(&in->d->schema);
}

/* The least that n rows take whose images stay in the file. */
static size_t least_memory(const struct intake *in, size_t n)
{
	return rows_memory(in, n) + kf_image_file_memory(in->d->file) +
		BUFFERS_MIN * batch_memory(in, n);
}

/* Makes room for the targets and ids of n rows, by doubling. */
static int make_room(struct intake *in, size_t n, struct kf_err *err)
{
	struct kf_dataset *d = in->d;
	size_t m = (size_t)d->m, want = in->room;
	float *y;
	int64_t *id;

	if (n <= in->room)
		return 0;
	while (want < n)
		want = want ? 2 * want : 1024;
	if ((y = realloc(d->y, want * m * sizeof *y)))
		d->y = y;
	if ((id = realloc(d->id, want * sizeof *id)))
		d->id = id;
	if (!y || !id || n > UINT32_MAX)
		return kf_fail(err, "out of memory for %zu rows", n);
	in->room = want;
	return 0;
}

/* Whether n rows do with all their images, while the reader has those of a chunk, too. */
static bool fits(const struct intake *in, size_t n, size_t chunk)
{
	size_t images = (n + chunk) * kf_image_bytes(&in->d->schema);

	return images + rows_memory(in, n) <= in->options->memory;
}

/*
 * Makes room for the images of n rows, by doubling within the bound: pages take no memory
 * until they are written.  False where that cannot be.
 */
static bool make_image_room(struct intake *in, size_t n)
{
	size_t image = kf_image_bytes(&in->d->schema), want = in->image_room;
	size_t most = in->options->memory / image;
	void *X;

	if (n <= in->image_room)
		return true;
	while (want < n)
		want = want ? 2 * want : 1024;
	if (want > most)
		want = most;
	X = realloc(in->d->X, want * image);
	if (!X) /* such as by a limit of the process */
		X = realloc(in->d->X, (want = n) * image);
	if (!X)
		return false;
	in->d->X = X;
	in->image_room = want;
	return true;
}

/* -- images ------------------------------------------------------------------------ */

/* The number of rows that a file of so many bytes has, or a few more. */
static size_t count_rows(const struct kf_schema *s, uint64_t bytes)
{
	size_t row = 0;

	for (int i = 0; i < KF_FIELDS; i++)
		row += kf_field_bytes(&kf_fields[i], s);
	return bytes / row;
}

/* Rows of the file that a reader has. */
static size_t rows_of_file(const struct kf_reader *r)
{
	struct stat opened;
	const char *name;

	kf_reader_file(r, &name, &opened);
	return count_rows(kf_reader_schema(r), (uint64_t)opened.st_size);
}

/* Where the images of files lie is kept from the start on, should they not fit; if so, the
 * files' sizes tell. */
static void look_at_files(struct intake *in, const struct kf_reader *train,
	const struct kf_reader *validation)
{
	size_t rows;

	in->files = kf_reader_images_at(train) >= 0 &&
		(!validation || kf_reader_images_at(validation) >= 0);
	if (!in->files)
		return;
	rows = rows_of_file(train) + (validation ? rows_of_file(validation) : 0);
	in->in_memory = fits(in, rows, 0);
}

/* What comes next is of the reader's file. */
static int open_file(struct intake *in, struct kf_err *err)
{
	struct kf_dataset *d = in->d;
	struct stat opened;
	const char *name;
	int fd = kf_reader_file(in->r, &name, &opened);

	if (!in->files)
		return 0;
	if (d->file)
		kf_image_file_also(d->file, fd, name, &opened);
	else
		d->file = kf_image_file_open(fd, name, &opened,
			kf_image_bytes(&d->schema), err);
	return d->file ? 0 : -1;
}

/* Those in memory do not fit: they go to a temporary file unless they are in one. */
static int leave_memory(struct intake *in, struct kf_err *err)
{
	struct kf_dataset *d = in->d;
	struct kf_err why;
	int rc = 0;

	if (!d->file) {
		d->file = kf_image_file_new(kf_image_bytes(&d->schema), &why);
		rc = d->file ? kf_image_file_write(d->file, 0, d->n, d->X, &why) : -1;
	}
	free(d->X);
	d->X = NULL;
	in->in_memory = false;
	return rc < 0 ?
		kf_fail(err, "the images do not fit into memory, and %s", why.msg) :
		0;
}

static int keep_images(struct intake *in, const struct kf_chunk *c, struct kf_err *err)
{
	struct kf_dataset *d = in->d;
	size_t image = kf_image_bytes(&d->schema);
	int64_t at = in->files ? kf_reader_images_at(in->r) : -1;

	if (at >= 0 && kf_image_file_add(d->file, d->n, c->n, (uint64_t)at, err) < 0)
		return -1;
	if (in->in_memory && fits(in, d->n + c->n, c->n) &&
		make_image_room(in, d->n + c->n)) {
		memcpy((char *)d->X + d->n * image, c->X, c->n * image);
		return 0;
	}
	if (in->in_memory && leave_memory(in, err) < 0)
		return -1;
	return at >= 0 ? 0 : kf_image_file_write(d->file, d->n, c->n, c->X, err);
}

/* -- rows -------------------------------------------------------------------------- */

static int keep_values(struct intake *in, const struct kf_chunk *c, struct kf_err *err)
{
	struct kf_dataset *d = in->d;
	size_t m = (size_t)d->m, n = d->n + c->n;

	/* of memory that is short, images may give some back */
	if (make_room(in, n, err) < 0 &&
		(!in->in_memory || leave_memory(in, err) < 0 ||
			make_room(in, n, err) < 0))
		return -1;
	memcpy(d->id + d->n, c->id, c->n * sizeof *d->id);
	if (!in->options->labels)
		memcpy(d->y + d->n * m, c->y, c->n * m * sizeof *d->y);
	for (size_t i = 0; in->options->labels && i < c->n; i++)
		d->y[d->n + i] = (float)c->label[i];
	return 0;
}

/* Hashes values, or the floats that bytes stand for. */
static void hash_images(XXH3_state_t *hash, const void *X, enum kf_dtype dtype,
	size_t values)
{
	const uint8_t *bytes = X;
	float piece[PIECE];

	if (dtype == KF_F32) {
		XXH3_64bits_update(hash, X, values * sizeof(float));
		return;
	}
	for (size_t at = 0, more; at < values; at += more) {
		more = values - at < PIECE ? values - at : PIECE;
		kf_scale_bytes(bytes + at, piece, more);
		XXH3_64bits_update(hash, piece, more * sizeof *piece);
	}
}

static int take_chunk(struct intake *in, const struct kf_chunk *c, struct kf_err *err)
{
	struct kf_dataset *d = in->d;
	const struct kf_schema *s = &d->schema;

	if (check_finite(c, kf_reader_schema(in->r), err) < 0)
		return -1;
	if (in->too_large) {
		d->n += c->n;
		return 0;
	}
	if (in->hash)
		hash_images(in->hash, c->X, s->dtype, c->n * kf_image_pixels(s));
	if (keep_values(in, c, err) < 0 || keep_images(in, c, err) < 0)
		return -1;
	d->n += c->n;
	in->too_large = !in->in_memory && least_memory(in, d->n) > in->options->memory;
	return 0;
}

static int start(struct intake *in, struct kf_err *err)
{
	if (!in->options->digest)
		return 0;
	in->hash = XXH3_createState();
	if (!in->hash)
		return kf_fail_memory(err);
	XXH3_64bits_reset(in->hash);
	return 0;
}

static uint64_t digest(const struct intake *in)
{
	const struct kf_dataset *d = in->d;
	uint64_t parts[3];

	parts[0] = XXH3_64bits_digest(in->hash);
	parts[1] = XXH3_64bits(d->y, d->n * (size_t)d->m * sizeof *d->y);
	parts[2] = XXH3_64bits(d->id, d->n * sizeof *d->id);
	return XXH3_64bits(parts, sizeof parts);
}

/* Once all rows are there. */
static int finish(struct intake *in, struct kf_err *err)
{
	size_t memory = in->options->memory, left;
	struct kf_dataset *d = in->d;

	if (in->too_large)
		return kf_fail(err,
			"%zu rows take at least %zu KiB even where their images stay in "
			"a file, and --memory is %zu KiB; a smaller --batch takes less",
			d->n, (least_memory(in, d->n) >> 10) + 1, memory >> 10);
	if (in->hash)
		d->digest = digest(in);
	if (in->in_memory) {
		kf_image_file_close(d->file);
		d->file = NULL;
		return 0;
	}
	left = memory - least_memory(in, d->n);
	d->buffers = BUFFERS_MIN;
	while (d->buffers < BUFFERS_MAX && left >= batch_memory(in, d->n)) {
		left -= batch_memory(in, d->n);
		d->buffers++;
	}
	return 0;
}

/* All rows of a reader. */
static int take_rows(struct intake *in, struct kf_reader *r, struct kf_err *err)
{
	size_t before = in->d->n;
	struct stat opened;
	struct kf_chunk *c;
	const char *name;
	int rc;

	in->r = r;
	if (open_file(in, err) < 0)
		return -1;
	while ((rc = kf_reader_next(r, &c, err)) > 0)
		if (take_chunk(in, c, err) < 0)
			return -1;
	if (rc < 0 || in->d->n > before)
		return rc;
	kf_fail(err, "the stream has no rows");
	kf_reader_file(r, &name, &opened);
	return r == in->options->validation ? kf_place(err, "'%s'", name) : -1;
}

static int take_all(struct intake *in, struct kf_reader *r, struct kf_err *err)
{
	struct kf_reader *validation = in->options->validation;

	look_at_files(in, r, validation);
	if (start(in, err) < 0 || (validation && take_rows(in, validation, err) < 0))
		return -1;
	in->d->n_valid = in->d->n;
	return take_rows(in, r, err) < 0 ? -1 : finish(in, err);
}

int kf_dataset_read(struct kf_dataset *d, struct kf_reader *r,
	const struct kf_dataset_options *options, struct kf_err *err)
{
	struct intake in = { .d = d, .options = options, .in_memory = true };
	const struct kf_schema *s = kf_reader_schema(r);
	int rc;

	*d = (struct kf_dataset){ 0 };
	if (check_targets(s, options->labels, err) < 0)
		return -1;
	if (options->validation &&
		check_validation(options->validation, s, options->labels, err) < 0)
		return -1;
	if (kf_schema_copy(&d->schema, s, err) < 0)
		return -1;
	d->m = options->labels ? 1 : d->schema.columns.n;
	rc = take_all(&in, r, err);
	XXH3_freeState(in.hash);
	if (rc < 0)
		kf_dataset_free(d);
	return rc;
}

/* -- order ------------------------------------------------------------------------- */

/*
 * Moves row from[i] to i, for rows of `bytes`, in place along the cycles of the
 * permutation.  done (n) marks the rows in place; spare has room for one row.
 */
static void permute(void *rows, size_t bytes, const uint32_t *from, size_t n,
	char *done, void *spare)
{
	char *at = rows;

	memset(done, 0, n);
	for (size_t start = 0; start < n; start++) {
		size_t i = start;

		if (done[start])
			continue;
		memcpy(spare, at + start * bytes, bytes);
		for (; from[i] != start; i = from[i]) {
			memcpy(at + i * bytes, at + from[i] * bytes, bytes);
			done[i] = 1;
		}
		memcpy(at + i * bytes, spare, bytes);
		done[i] = 1;
	}
}

/* The rows of a file are numbered as they came. */
static int number_rows(struct kf_image_file *f, size_t n, struct kf_err *err)
{
	if (f->order)
		return 0;
	f->order = malloc(n * sizeof *f->order);
	if (!f->order)
		return kf_fail(err, "out of memory for %zu rows", n);
	for (size_t i = 0; i < n; i++)
		f->order[i] = (uint32_t)i;
	return 0;
}

/* Row from[i] (n) becomes row i. */
static int reorder(struct kf_dataset *d, const uint32_t *from, struct kf_err *err)
{
	size_t image = d->file ? sizeof *d->file->order : kf_image_bytes(&d->schema);
	size_t targets = (size_t)d->m * sizeof *d->y;
	void *spare = malloc(image + targets + sizeof *d->id);
	char *done = malloc(d->n);
	int rc = 0;

	if (!spare || !done)
		rc = kf_fail(err, "out of memory for %zu rows", d->n);
	else if (d->file)
		rc = number_rows(d->file, d->n, err);
	if (rc == 0) {
		permute(d->file ? d->file->order : d->X, image, from, d->n, done,
			spare);
		permute(d->y, targets, from, d->n, done, spare);
		permute(d->id, sizeof *d->id, from, d->n, done, spare);
	}
	free(spare);
	free(done);
	return rc;
}

int kf_dataset_set_aside(struct kf_dataset *d, const bool *taken, struct kf_err *err)
{
	uint32_t *from = malloc(d->n * sizeof *from);
	size_t n = 0;
	int rc;

	if (!from)
		return kf_fail(err, "out of memory for %zu rows", d->n);
	for (size_t i = 0; i < d->n; i++)
		if (taken[i])
			from[n++] = (uint32_t)i;
	d->n_valid = n;
	for (size_t i = 0; i < d->n; i++)
		if (!taken[i])
			from[n++] = (uint32_t)i;
	rc = reorder(d, from, err);
	free(from);
	return rc;
}

int kf_dataset_shuffle(struct kf_dataset *d, uint32_t seed, struct kf_err *err)
{
	uint32_t *from = malloc(d->n * sizeof *from);
	size_t first = d->n_valid;
	int rc;

	if (!from)
		return kf_fail(err, "out of memory for %zu rows", d->n);
	kf_shuffle(from + first, (uint32_t)(d->n - first), seed);
	for (size_t i = 0; i < d->n; i++)
		from[i] = i < first ? (uint32_t)i : from[i] + (uint32_t)first;
	rc = reorder(d, from, err);
	free(from);
	return rc;
}

void kf_dataset_free(struct kf_dataset *d)
{
	free(d->X);
	free(d->y);
	free(d->id);
	kf_image_file_close(d->file);
	kf_schema_free(&d->schema);
	*d = (struct kf_dataset){ 0 };
}
