/* Streams: what is written is read back; what is cut or changed is refused. */
#define _GNU_SOURCE
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/signals.h"
#include "stream/safetensors.h"
#include "stream/reader.h"
#include "stream/texts.h"
#include "stream/writer.h"
#include "tap.h"

/* A stream as bytes. */
struct bytes {
	char *data;
	size_t n;
};

static int file_of(const char *data, size_t n)
{
	struct kf_err err;
	int fd = kf_tempfile(&err);

	if (fd < 0 || kf_write(fd, "x", data, n, &err) < 0 ||
		lseek(fd, 0, SEEK_SET) < 0)
		abort();
	return fd;
}

static struct bytes bytes_of(int fd)
{
	struct bytes b = { NULL, (size_t)lseek(fd, 0, SEEK_END) };

	b.data = malloc(b.n + 1);
	if (!b.data || pread(fd, b.data, b.n, 0) != (ssize_t)b.n)
		abort();
	return b;
}

/* -- the table ------------------------------------------------------------- */

/* What a schema has of the tensors, as "name:bytes of a row ". */
static void list(const struct kf_schema *s, char *text, size_t size)
{
	struct kf_tensor t[KF_FIELDS];
	struct kf_chunk c = { 0 };
	struct kf_err err;
	int n;

	if (kf_chunk_reserve(&c, s, 3, &err) < 0)
		abort();
	n = kf_chunk_tensors(&c, s, 3, t);
	for (int i = 0; i < n; i++) {
		const struct kf_field *f = kf_field_find(t[i].name);
		int used = snprintf(text, size, "%s:%zu ", t[i].name,
			kf_field_bytes(f, s));

		if (!t[i].data || t[i].data != kf_field_data(f, &c) ||
			kf_tensor_bytes(&t[i]) != 3 * kf_field_bytes(f, s))
			abort();
		text += used;
		size -= (size_t)used;
	}
	kf_chunk_free(&c);
}

static void test_fields(void)
{
	struct kf_schema s = { .dtype = KF_F32, .c = 3, .h = 2, .w = 5 };
	char text[100];

	list(&s, text, sizeof text);
	ok(!strcmp(text, "id:8 X:120 "), "an image and its id: %s", text);
	s.has_label = true;
	s.dtype = KF_U8;
	kf_names_add(&s.p_columns, "a");
	list(&s, text, sizeof text);
	ok(!strcmp(text, "id:8 label:8 p:4 X:30 "), "... label and p: %s", text);
	kf_names_add(&s.columns, "a");
	kf_names_add(&s.columns, "b");
	list(&s, text, sizeof text);
	ok(!strcmp(text, "id:8 label:8 y:8 p:4 X:30 "), "... and y: %s", text);
	s.name_width = 5;
	s.file_width = 64;
	s.has_face = s.has_transform = true;
	list(&s, text, sizeof text);
	ok(!strcmp(text,
		   "id:8 label:8 name:5 file:64 face:8 transform:24 y:8 p:4 X:30 "),
		"... names and the way back: %s", text);
	kf_schema_free(&s);
	s = (struct kf_schema){ .dtype = KF_U8,
		.c = 1,
		.h = 2,
		.w = 2,
		.map = { 3, 2, 5 } };
	list(&s, text, sizeof text);
	ok(!strcmp(text, "id:8 map:120 X:4 "), "... and a map: %s", text);
	ok(!kf_field_find("z") && !kf_field_find(""), "there are no others");
	kf_schema_free(&s);
}

/* -- samples --------------------------------------------------------------- */

/* Everything that a stream can have. */
static struct kf_schema sample_schema(int side)
{
	struct kf_schema s = { .has_label = true,
		.dtype = KF_U8,
		.c = 1,
		.h = side,
		.w = side,
		.y_scale = { { 48, 48 }, { 40, 40.5f } },
		.name_width = 3,
		.file_width = 9,
		.has_face = true,
		.has_transform = true,
		.map = { 2, 1, 3 } };
	static const char *const digits[] = { "0", "1", "2", "3", "4", "5", "6", "7",
		"8", "neun" };

	kf_names_add(&s.columns, "eye_x");
	kf_names_add(&s.columns, "eye_y");
	kf_names_add(&s.p_columns, "eye_y");
	s.classes = 10;
	for (int i = 0; i < s.classes; i++)
		kf_names_add(&s.class_names, digits[i]);
	return s;
}

static const char *const names[] = { "ada", "", "\u00f6" };

/* Row i of any chunk has the values that follow from its id, which is i + 1. */
static void fill(struct kf_chunk *c, const struct kf_schema *s, size_t first, size_t n)
{
	size_t image = kf_image_bytes(s);
	struct kf_err err;

	if (kf_chunk_reserve(c, s, n, &err) < 0)
		abort();
	c->n = n;
	for (size_t i = 0; i < n; i++) {
		size_t row = first + i;

		c->id[i] = (int64_t)row + 1;
		c->label[i] = (int64_t)row % 10;
		c->y[2 * i] = (float)row / 3;
		c->y[2 * i + 1] = row % 2 ? NAN : -1;
		c->p[i] = (float)row;
		kf_texts_set(c->name, s->name_width, i, names[row % 3]);
		kf_texts_set(c->file, s->file_width, i,
			row % 2 ? "photo.jpg" : "a.png");
		c->face[i] = (int64_t)row + 2;
		for (int k = 0; k < 6; k++)
			c->transform[6 * i + (size_t)k] = (float)row + (float)k / 4;
		for (int k = 0; k < 6; k++)
			c->map[6 * i + (size_t)k] = (float)k - (float)row;
		memset((char *)c->X + i * image, (int)(row % 251), image);
	}
}

/* The same of what a row says of where it is from. */
static bool source_fits(const struct kf_chunk *c, const struct kf_schema *s, size_t i)
{
	size_t row = (size_t)c->id[i] - 1;
	char name[KF_TEXT_MAX + 1], file[KF_TEXT_MAX + 1];

	kf_texts_get(c->name, s->name_width, i, name);
	kf_texts_get(c->file, s->file_width, i, file);
	return !strcmp(name, names[row % 3]) &&
		!strcmp(file, row % 2 ? "photo.jpg" : "a.png") &&
		c->face[i] == (int64_t)row + 2 && c->transform[6 * i] == (float)row &&
		c->transform[6 * i + 5] == (float)row + 1.25f;
}

static bool row_fits(const struct kf_chunk *c, const struct kf_schema *s, size_t i)
{
	size_t row = (size_t)c->id[i] - 1, image = kf_image_bytes(s);
	const uint8_t *X = (const uint8_t *)c->X + i * image;

	return c->label[i] == (int64_t)row % 10 && c->y[2 * i] == (float)row / 3 &&
		(row % 2 ? isnan(c->y[2 * i + 1]) : c->y[2 * i + 1] == -1) &&
		c->p[i] == (float)row && c->map[6 * i] == -(float)row &&
		c->map[6 * i + 5] == 5 - (float)row && X[0] == row % 251 &&
		X[image - 1] == row % 251 && source_fits(c, s, i);
}

typedef struct kf_writer *(
	*open_function)(int, const char *, const struct kf_schema *, struct kf_err *);

/* Writes chunks of these sizes, 0 ending the list, as rows first, first + 1 ... */
static struct bytes sample(open_function open, const struct kf_schema *s, size_t first,
	const size_t *sizes)
{
	struct kf_err err;
	int fd = kf_tempfile(&err);
	struct kf_writer *w = open(fd, "x", s, &err);
	struct kf_chunk c = { 0 };
	struct bytes b;

	if (fd < 0 || !w)
		abort();
	for (; *sizes; first += *sizes++) {
		fill(&c, s, first, *sizes);
		if (kf_writer_write(w, &c, &err) < 0)
			abort();
	}
	if (kf_writer_end(w, &err) < 0)
		abort();
	kf_writer_close(w);
	kf_chunk_free(&c);
	b = bytes_of(fd);
	close(fd);
	return b;
}

enum how { PLAIN, ADOPT, EAGER };

static struct kf_reader *open_reader(int fd, enum how how, struct kf_err *err)
{
	return how == EAGER ? kf_reader_open_eager(fd, "x", err) :
			      kf_reader_open(fd, "x", how == ADOPT, err);
}

/*
 * Reads fd to the end: the number of rows, or -1.  Rows that lack the values
 * of fill(), or that do not count up from 1, are a failure too.
 */
static long read_fd(int fd, enum how how, struct kf_err *err, size_t *chunks)
{
	struct kf_reader *r = open_reader(fd, how, err);
	struct kf_chunk *c;
	long rows = 0;
	int rc = -1;

	*chunks = 0;
	while (r && (rc = kf_reader_next(r, &c, err)) > 0) {
		for (size_t i = 0; i < c->n; i++)
			if (c->id[i] != ++rows || !row_fits(c, kf_reader_schema(r), i))
				rc = kf_fail(err, "row %ld has wrong values", rows);
		++*chunks;
		if (rc < 0)
			break;
	}
	kf_reader_close(r);
	return rc < 0 ? -1 : rows;
}

/* An eager reader must come to the same. */
static long read_bytes(const char *data, size_t n, struct kf_err *err)
{
	int fd = file_of(data, n);
	size_t chunks;
	long eager = read_fd(fd, EAGER, err, &chunks), rows;

	lseek(fd, 0, SEEK_SET);
	rows = read_fd(fd, PLAIN, err, &chunks);
	if (rows != eager) {
		kf_fail(err, "an eager reader reads another number of rows");
		rows = -2;
	}
	close(fd);
	return rows;
}

static struct bytes join(struct bytes a, struct bytes b)
{
	struct bytes c = { malloc(a.n + b.n), a.n + b.n };

	if (!c.data)
		abort();
	memcpy(c.data, a.data, a.n);
	memcpy(c.data + a.n, b.data, b.n);
	return c;
}

/* -- tests ----------------------------------------------------------------- */

static void test_round_trip(const struct kf_schema *s)
{
	struct bytes b = sample(kf_writer_open, s, 0, (size_t[]){ 3, 1, 2, 0 });
	int fd = file_of(b.data, b.n);
	struct kf_err err;
	struct kf_reader *r = kf_reader_open(fd, "x", false, &err);
	struct kf_difference d;
	struct kf_chunk *c;
	size_t sizes[] = { 3, 1, 2 };

	ok(r && !kf_schema_differs(s, kf_reader_schema(r), &d), "the schema survives");
	for (int i = 0; r && i < 3; i++)
		ok(kf_reader_next(r, &c, &err) == 1 && c->n == sizes[i] &&
				row_fits(c, s, 0),
			"chunk %d of %zu rows", i + 1, sizes[i]);
	ok(kf_reader_next(r, &c, &err) == 0, "the end");
	kf_reader_close(r);
	close(fd);
	free(b.data);

	b = sample(kf_writer_open, s, 0, (size_t[]){ 0 });
	ok(read_bytes(b.data, b.n, &err) == 0, "a stream without rows");
	free(b.data);
}

/* Every strict part of a stream must be refused, and every flipped byte. */
static void test_damage(const struct kf_schema *s)
{
	struct bytes b = sample(kf_writer_open, s, 0, (size_t[]){ 2, 1, 0 });
	struct kf_err err;
	int missed = 0;

	for (size_t i = 0; i < b.n; i++)
		missed += read_bytes(b.data, i, &err) >= 0;
	ok(missed == 0, "each of %zu cuts is noticed", b.n);
	missed = 0;
	for (size_t i = 0; i < b.n; i++) {
		b.data[i] ^= 0x20; /* the bit that lower and upper case differ in */
		missed += read_bytes(b.data, b.n, &err) >= 0;
		b.data[i] ^= 0x20;
	}
	ok(missed == 0, "each of %zu flipped bytes is noticed", b.n);
	ok(read_bytes(b.data, b.n, &err) == 3, "the whole is fine");
	ok(read_bytes(b.data, 0, &err) < 0 && strstr(err.msg, "empty"),
		"an empty input: %s", err.msg);
	free(b.data);
}

static void test_sequences(const struct kf_schema *s)
{
	struct kf_schema other;
	struct bytes a = sample(kf_writer_open, s, 0, (size_t[]){ 2, 1, 0 });
	struct bytes b = sample(kf_writer_open, s, 3, (size_t[]){ 2, 0 });
	struct bytes c, d = sample(kf_writer_open_single, s, 3, (size_t[]){ 2, 0 });
	struct bytes junk = { "junk at the end", 15 }, zero = { "\0", 1 };
	struct kf_err err;

	kf_schema_copy(&other, s, &err);
	c = join(a, b);
	ok(read_bytes(c.data, c.n, &err) == 5, "one stream after another");
	free(c.data);
	c = join(a, d);
	ok(read_bytes(c.data, c.n, &err) == 5, "a single file after a stream");
	free(c.data);
	c = join(a, junk);
	ok(read_bytes(c.data, c.n, &err) < 0, "text behind: %s", err.msg);
	free(c.data);
	c = join(a, zero);
	ok(read_bytes(c.data, c.n, &err) < 0, "a byte behind: %s", err.msg);
	free(c.data);
	free(b.data);

	kf_names_free(&other.columns);
	kf_names_add(&other.columns, "eye_x");
	kf_names_add(&other.columns, "ear_y");
	b = sample(kf_writer_open, &other, 3, (size_t[]){ 2, 0 });
	c = join(a, b);
	ok(read_bytes(c.data, c.n, &err) < 0 && strstr(err.msg, "second stream"),
		"another schema behind: %s", err.msg);
	free(c.data);
	free(a.data);
	free(b.data);
	free(d.data);
	kf_schema_free(&other);
}

/* Feeds bytes through a pipe. */
static void *feed(void *argument)
{
	struct bytes *b = argument;
	int fd = *(int *)b->data;
	struct kf_err err;

	kf_write(fd, "pipe", b->data + sizeof fd, b->n, &err);
	close(fd);
	return NULL;
}

static long read_piped(struct bytes b, enum how how, struct kf_err *err, size_t *chunks)
{
	struct bytes job = { malloc(b.n + sizeof(int)), b.n };
	pthread_t thread;
	int fd[2];
	long rows;

	if (!job.data || pipe(fd) < 0)
		abort();
	memcpy(job.data, &fd[1], sizeof fd[1]);
	memcpy(job.data + sizeof fd[1], b.data, b.n);
	if (pthread_create(&thread, NULL, feed, &job))
		abort();
	rows = read_fd(fd[0], how, err, chunks);
	pthread_join(thread, NULL);
	close(fd[0]);
	free(job.data);
	return rows;
}

/* A single file larger than a chunk comes back in slices. */
static void test_slices(enum how how)
{
	struct kf_schema s = sample_schema(64);
	size_t full = kf_chunk_rows(&s), n = 2 * full + 5, chunks;
	struct bytes b, c, d;
	struct kf_err err;
	int fd;

	b = sample(kf_writer_open_single, &s, 0, (size_t[]){ 7, n - 7, 0 });
	fd = file_of(b.data, b.n);
	ok(read_fd(fd, how, &err, &chunks) == (long)n && chunks == 3,
		"%zu rows in 3 slices from a file%s", n,
		how == EAGER ? ", eagerly" : "");
	close(fd);
	ok(read_piped(b, how, &err, &chunks) == (long)n && chunks == 3,
		"the same from a pipe");
	d = sample(kf_writer_open, &s, n, (size_t[]){ 3, full, 0 });
	c = join(b, d);
	fd = file_of(c.data, c.n);
	ok(read_fd(fd, how, &err, &chunks) == (long)(n + 3 + full) && chunks == 5,
		"a stream behind it, from a file");
	close(fd);
	ok(read_piped(c, how, &err, &chunks) == (long)(n + 3 + full) && chunks == 5,
		"a stream behind it, from a pipe");
	b.data[b.n - 1] ^= 1;
	ok(read_bytes(b.data, b.n, &err) == -1 && strstr(err.msg, "damaged"),
		"damage in a large file: %s", err.msg);
	ok(read_piped(b, how, &err, &chunks) < 0 && strstr(err.msg, "damaged") &&
			chunks == (how == EAGER ? 2 : 0),
		"damage from a pipe, %s",
		how == EAGER ? "after two slices" :
			       "before any row of it is passed on");
	b.n--;
	ok(read_bytes(b.data, b.n, &err) == -1 && strstr(err.msg, "truncated"),
		"a large file cut: %s", err.msg);
	free(b.data);
	free(c.data);
	free(d.data);
	kf_schema_free(&s);
}

/* -- files that change while they are read --------------------------------- */

/* Opens it eagerly where its first rows lie in the file, which seems to be old. */
static struct kf_reader *open_old(int fd, struct kf_chunk **c)
{
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	struct kf_reader *r;
	struct kf_err err;

	if (futimens(fd, old) < 0 || lseek(fd, 0, SEEK_SET) < 0 ||
		!(r = kf_reader_open_eager(fd, "x", &err)) ||
		kf_reader_next(r, c, &err) < 1)
		abort();
	ok(kf_reader_intact(r, &err) == 0, "a file that is left alone is intact");
	return r;
}

struct look {
	const struct kf_chunk *c;
	const struct kf_schema *s;
	bool fits;
};

static void *look_at_last(void *argument)
{
	struct look *look = argument;

	kf_signal_stack();
	look->fits = row_fits(look->c, look->s, look->c->n - 1);
	return NULL;
}

/* Another thread looks at the last row. */
static bool last_fits(struct kf_reader *r, const struct kf_chunk *c)
{
	struct look look = { c, kf_reader_schema(r), true };
	pthread_t thread;

	if (pthread_create(&thread, NULL, look_at_last, &look))
		abort();
	pthread_join(thread, NULL);
	return look.fits;
}

/* Of a file of the bytes, whose byte `at` changes once the first rows are read. */
static void test_change(const struct bytes *b, off_t at, const char *what)
{
	int fd = file_of(b->data, b->n);
	struct kf_chunk *c;
	struct kf_reader *r = open_old(fd, &c);
	struct kf_err err;

	if (pwrite(fd, "!", 1, at) != 1)
		abort();
	ok(kf_reader_intact(r, &err) < 0 && strstr(err.msg, "'x' was changed"),
		"%s: %s", what, err.msg);
	while (kf_reader_next(r, &c, &err) > 0)
		;
	ok(strstr(err.msg, "'x' was changed"), "... and to the end: %s", err.msg);
	kf_reader_close(r);
	close(fd);
}

static void test_cut(const struct bytes *b)
{
	int fd = file_of(b->data, b->n);
	struct kf_chunk *c;
	struct kf_reader *r = open_old(fd, &c);
	struct kf_err err;

	ok(last_fits(r, c), "the last of the first rows lies in the file");
	if (ftruncate(fd, 10000) < 0)
		abort();
	ok(!last_fits(r, c), "... and is gone when that is cut, which ends nothing");
	ok(kf_reader_intact(r, &err) < 0 && strstr(err.msg, "'x' became shorter"),
		"... and said: %s", err.msg);
	ok(kf_reader_next(r, &c, &err) < 0 && strstr(err.msg, "'x' became shorter"),
		"... and there are no further rows");
	if (ftruncate(fd, (off_t)b->n) < 0)
		abort();
	ok(kf_reader_intact(r, &err) < 0 && strstr(err.msg, "'x' was changed"),
		"... as when it is as long as before: %s", err.msg);
	kf_reader_close(r);
	close(fd);
}

static void test_changes(void)
{
	struct kf_schema s = sample_schema(64);
	size_t full = kf_chunk_rows(&s);
	struct bytes single =
		sample(kf_writer_open_single, &s, 0, (size_t[]){ 2 * full, 0 });
	struct bytes stream =
		sample(kf_writer_open, &s, 0, (size_t[]){ full, full, 0 });

	test_change(&single, (off_t)single.n - 1, "a large file changed behind");
	test_change(&single, 100000, "a large file changed before");
	test_change(&stream, 100000, "a file changed before");
	test_change(&stream, (off_t)stream.n, "a file that grows");
	/* the last one, as what is lost is not forgotten */
	test_cut(&stream);
	free(single.data);
	free(stream.data);
	kf_schema_free(&s);
}

/* -- schemas that differ --------------------------------------------------- */

/* Changes one thing; which of these there are, and what they are called. */
static const char *change(struct kf_schema *s, int which)
{
	switch (which) {
	case 0: kf_names_add(&s->columns, "eye_z"); return "columns";
	case 1: s->columns.name[1][0] = 'E'; return "columns";
	case 2: s->p_columns.name[0][0] = 'E'; return "p.columns";
	case 3: s->has_label = false; return "tensors";
	case 4: s->classes++; return "classes";
	case 5: s->dtype = KF_F32; return "type of X";
	case 6: s->c++; return "image size";
	case 7: s->h++; return "image size";
	case 8: s->w++; return "image size";
	case 9: s->x_scale.factor = 255; return "X.scale";
	case 10: s->y_scale[0].offset++; return "y.scale";
	case 11: s->y_scale[1].factor++; return "y.scale";
	case 12: s->p_scale[0].offset++; return "p.scale";
	case 13: s->p_scale[1].factor++; return "p.scale";
	case 14: s->no_images = true; return "images";
	case 15: s->name_width = 0; return "tensors";
	case 16: s->name_width++; return "width of name";
	case 17: s->file_width--; return "width of file";
	case 18: s->has_face = false; return "tensors";
	case 19: s->has_transform = false; return "tensors";
	case 20: s->class_names.name[9][0] = 'N'; return "class_names";
	case 21: s->map[0] = 0; return "tensors";
	case 22: s->map[1]++; return "size of map";
	default: return NULL;
	}
}

static void test_differences(const struct kf_schema *s)
{
	const char *what = "";

	for (int which = 0; what; which++) {
		struct kf_schema other;
		struct kf_difference d;
		struct kf_err err;
		bool found;

		kf_schema_copy(&other, s, &err);
		what = change(&other, which);
		found = kf_schema_differs(s, &other, &d);
		ok(what ? found && strstr(d.what, what) : !found,
			"change %d of a schema: %s%s", which, d.what, d.how);
		ok(!what ||
				!(strstr(what, "columns") || strstr(what, "tensors") ||
					strstr(what, "width") || strstr(what, "map") ||
					other.no_images) == !*d.how,
			"... and no more is said but of columns, tensors, maps and images");
		kf_schema_free(&other);
	}
}

/* -- blobs that are in order but are no chunks ----------------------------- */

static struct kf_tensor tensor(const char *name, enum kf_dtype dtype, int rank,
	int64_t a, int64_t b, int64_t c, int64_t d)
{
	static char zeros[4096];
	int64_t shape[] = { a, b, c, d };
	struct kf_tensor t = kf_tensor(name, dtype, rank, shape);

	t.data = zeros;
	return t;
}

#define ID(n) tensor("id", KF_I64, 1, n, 0, 0, 0)
#define X(n) tensor("X", KF_U8, 4, n, 1, 2, 2)
#define Y(n, m) tensor("y", KF_F32, 2, n, m, 0, 0)

static void test_schemas(void)
{
	const struct {
		const char *what, *key, *value;
		struct kf_tensor t[4];
		int n;
		const char *message;
	} cases[] = {
		{ "no rows mark", NULL, NULL, { ID(2), X(2) }, 2, "truncated" },
		{ "a chunk", "rows", "2", { ID(2), X(2) }, 2, NULL },
		{ "another order", "rows", "2", { X(2), ID(2) }, 2, NULL },
		{ "too many rows promised", "rows", "3", { ID(2), X(2) }, 2,
			"should have 3 rows, and has 2" },
		{ "rows in other words", "rows", "02", { ID(2), X(2) }, 2,
			"should have 02" },
		{ "no X", NULL, NULL, { ID(2) }, 1, "no tensor 'X'" },
		{ "no id", NULL, NULL, { X(2) }, 1, "no tensor 'id'" },
		{ "too few ids", NULL, NULL, { ID(1), X(2) }, 2, "as many rows" },
		{ "too many ids", NULL, NULL, { ID(3), X(2) }, 2, "as many rows" },
		{ "too many targets", "columns", "a,b", { ID(2), X(2), Y(3, 2) }, 3,
			"as many rows" },
		{ "a stranger", NULL, NULL,
			{ ID(2), X(2), tensor("z", KF_F32, 1, 2, 0, 0, 0) }, 3,
			"tensor 'z'" },
		{ "a stranger with spaces", NULL, NULL,
			{ ID(2), X(2), tensor("y p", KF_F32, 1, 2, 0, 0, 0) }, 3,
			"'y p'" },
		{ "names missing", NULL, NULL, { ID(2), X(2), Y(2, 2) }, 3,
			"2 columns and 'columns' has 0 names" },
		{ "a name missing", "columns", "a", { ID(2), X(2), Y(2, 2) }, 3,
			"2 columns and 'columns' has 1 names" },
		{ "a name twice", "columns", "a,a", { ID(2), X(2), Y(2, 2) }, 3,
			"named twice" },
		{ "an empty name", "columns", "a,", { ID(2), X(2), Y(2, 2) }, 3,
			"empty name" },
		{ "y without columns", NULL, NULL, { ID(2), X(2), Y(2, 0) }, 3,
			"tensor 'y'" },
		{ "y of rank 1", NULL, NULL,
			{ ID(2), X(2), tensor("y", KF_F32, 1, 2, 0, 0, 0) }, 3,
			"tensor 'y'" },
		{ "id of floats", NULL, NULL,
			{ tensor("id", KF_F32, 1, 2, 0, 0, 0), X(2) }, 2, "not I64" },
		{ "X of integers", NULL, NULL,
			{ ID(2), tensor("X", KF_I64, 4, 2, 1, 2, 2) }, 2,
			"not U8 or F32" },
		{ "X of rank 3", NULL, NULL,
			{ ID(2), tensor("X", KF_U8, 3, 2, 2, 2, 0) }, 2,
			"not U8 or F32" },
		{ "images without pixels", NULL, NULL,
			{ ID(2), tensor("X", KF_U8, 4, 2, 1, 0, 2) }, 2,
			"out of bounds" },
		{ "huge images", NULL, NULL,
			{ ID(0), tensor("X", KF_U8, 4, 0, 16384, 16384, 16384) }, 2,
			"out of bounds" },
		{ "a scale that is none", "X.scale", "1", { ID(2), X(2) }, 2,
			"no scale" },
		{ "a scale and a number", "y.scale", "0 1 0 1 2", { ID(2), X(2) }, 2,
			"no scale" },
		{ "a scale of zero", "y.scale", "0 1 0 0", { ID(2), X(2) }, 2,
			"no scale" },
		{ "an infinite scale", "y.scale", "0 1 0 inf", { ID(2), X(2) }, 2,
			"no scale" },
		{ "classes in words", "classes", "ten", { ID(2), X(2) }, 2,
			"'classes' is no number: 'ten'" },
		{ "classes below 0", "classes", "-1", { ID(2), X(2) }, 2, "no number" },
		{ "more classes than fit", "classes", "2147483648", { ID(2), X(2) }, 2,
			"no number" },
		{ "names that are floats", NULL, NULL,
			{ ID(2), X(2), tensor("name", KF_F32, 2, 2, 5, 0, 0) }, 3,
			"tensor 'name' is not U8 of shape (rows, width)" },
		{ "names of rank 1", NULL, NULL,
			{ ID(2), X(2), tensor("name", KF_U8, 1, 2, 0, 0, 0) }, 3,
			"tensor 'name' is not U8" },
		{ "names without room", NULL, NULL,
			{ ID(2), X(2), tensor("name", KF_U8, 2, 2, 0, 0, 0) }, 3,
			"tensor 'name' is not U8" },
		{ "a text that is too wide", NULL, NULL,
			{ ID(0), X(0), tensor("file", KF_U8, 2, 0, 4097, 0, 0) }, 3,
			"with a width of at most 4096" },
		{ "too few names", NULL, NULL,
			{ ID(2), X(2), tensor("name", KF_U8, 2, 1, 5, 0, 0) }, 3,
			"as many rows" },
		{ "names, all of them empty", "rows", "2",
			{ ID(2), X(2), tensor("name", KF_U8, 2, 2, 5, 0, 0) }, 3,
			NULL },
		{ "faces that are floats", NULL, NULL,
			{ ID(2), X(2), tensor("face", KF_F32, 1, 2, 0, 0, 0) }, 3,
			"tensor 'face' is not I64 of shape (rows)" },
		{ "a transform of 6", NULL, NULL,
			{ ID(2), X(2), tensor("transform", KF_F32, 2, 2, 6, 0, 0) }, 3,
			"tensor 'transform' is not F32 of shape (rows, 2, 3)" },
		{ "a transform of 3 x 3", NULL, NULL,
			{ ID(2), X(2), tensor("transform", KF_F32, 3, 2, 3, 3, 0) }, 3,
			"(rows, 2, 3)" },
		{ "a map", "rows", "2",
			{ ID(2), X(2), tensor("map", KF_F32, 4, 2, 3, 1, 2) }, 3,
			NULL },
		{ "a map of bytes", NULL, NULL,
			{ ID(2), X(2), tensor("map", KF_U8, 4, 2, 1, 2, 2) }, 3,
			"tensor 'map' is not F32 of shape (rows, channels, height, "
			"width)" },
		{ "a map without channels", NULL, NULL,
			{ ID(2), X(2), tensor("map", KF_F32, 3, 2, 2, 2, 0) }, 3,
			"tensor 'map' is not F32" },
		{ "a map without pixels", NULL, NULL,
			{ ID(2), X(2), tensor("map", KF_F32, 4, 2, 1, 0, 2) }, 3,
			"a map of 1 x 0 x 2 is out of bounds" },
		{ "too few maps", NULL, NULL,
			{ ID(2), X(2), tensor("map", KF_F32, 4, 1, 1, 2, 2) }, 3,
			"as many rows" },
		{ "names for classes that are not counted", "class_names", "a,b",
			{ ID(2), X(2) }, 2,
			"there are 0 classes and 'class_names' has 2 names" },
		{ "a class without a name", "class_names", "a,,b", { ID(2), X(2) }, 2,
			"metadata 'class_names': " },
		{ "scaled bytes are read", "X.scale", "0 255", { ID(2), X(2) }, 2,
			"it ends after 2 rows" },
		{ "... by another factor", "X.scale", "0 256", { ID(2), X(2) }, 2,
			"'X' is U8, so its 'X.scale' must be 0 255: '0 256'" },
		{ "... from another offset", "X.scale", "1 255", { ID(2), X(2) }, 2,
			"must be 0 255" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct kf_meta meta = { 0 };
		struct kf_err err = { .msg = "" };
		int fd = kf_tempfile(&err), rc = -1;
		struct kf_reader *r;
		struct kf_chunk *c;

		if (cases[i].key)
			kf_meta_set(&meta, cases[i].key, "%s", cases[i].value);
		if (kf_st_write(fd, "x", &meta, cases[i].t, cases[i].n, NULL, &err) < 0)
			abort();
		lseek(fd, 0, SEEK_SET);
		r = kf_reader_open(fd, "x", true, &err);
		while (r && (rc = kf_reader_next(r, &c, &err)) > 0)
			;
		ok(cases[i].message ? rc < 0 && strstr(err.msg, cases[i].message) &&
					strstr(err.msg, "'x'") :
				      rc == 0,
			"%s: %s", cases[i].what, err.msg);
		kf_reader_close(r);
		kf_meta_free(&meta);
		close(fd);
	}
}

/* -- foreign files --------------------------------------------------------- */

static const char foreign[] =
	"{\"X\":{\"dtype\":\"U8\",\"shape\":[2,2,1],\"data_offsets\":[0,4]},"
	"\"y\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[4,12]}}";

static void test_foreign(void)
{
	char blob[1000] = { (char)strlen(foreign) };
	size_t n = 8 + strlen(foreign) + 12;
	const struct kf_schema *s;
	struct kf_reader *r;
	struct kf_chunk *c;
	struct kf_err err;
	int fd;

	strcpy(blob + 8, foreign);
	memset(blob + n - 12, 1, 12);
	ok(read_bytes(blob, n, &err) < 0 && strstr(err.msg, "kfkd-cat"),
		"not a stream: %s", err.msg);
	memcpy(blob + n, blob, n);
	fd = file_of(blob, 2 * n);
	r = kf_reader_open(fd, "x", true, &err);
	s = kf_reader_schema(r);
	ok(s->c == 1 && s->h == 2 && s->w == 1, "adopted: images of rank 2");
	ok(s->columns.n == 1 && !strcmp(s->columns.name[0], "y1"),
		"adopted: columns get names");
	ok(kf_reader_next(r, &c, &err) == 1 && c->id[0] == 1 && c->id[1] == 2,
		"adopted: ids are counted");
	ok(kf_reader_next(r, &c, &err) == 1 && c->id[0] == 3 && c->id[1] == 4,
		"... on through a second file");
	ok(kf_reader_next(r, &c, &err) == 0, "the end");
	kf_reader_close(r);
	close(fd);
}

/* Images that were left out do not say how many rows there are. */
static void test_left_out(void)
{
	static const char header[] =
		"{\"__metadata__\":{\"X.shape\":\"1 2 2\"},"
		"\"y\":{\"dtype\":\"F32\",\"shape\":[1,1],\"data_offsets\":[0,4]}}";
	char blob[200] = { (char)strlen(header) };
	struct kf_err err;
	int fd;

	strcpy(blob + 8, header);
	fd = file_of(blob, 8 + strlen(header) + 4);
	ok(!kf_reader_open(fd, "x", true, &err) && strstr(err.msg, "no tensor 'id'"),
		"neither images nor ids: %s", err.msg);
	close(fd);
}

/* -- texts ----------------------------------------------------------------- */

/* A stream of one row whose name is these 4 bytes. */
static bool is_read(const char *name, struct kf_err *err)
{
	struct kf_schema s = { .dtype = KF_U8,
		.c = 1,
		.h = 2,
		.w = 2,
		.name_width = 4 };
	static const size_t one[] = { 1, 0 };
	struct kf_chunk c = { 0 };
	struct kf_writer *w;
	int fd = kf_tempfile(err);
	struct kf_reader *r;

	if (!(w = kf_writer_open(fd, "x", &s, err)) ||
		kf_chunk_reserve(&c, &s, one[0], err) < 0)
		abort();
	c.n = 1;
	c.id[0] = 7;
	memset(c.X, 0, 4);
	memcpy(c.name, name, 4);
	if (kf_writer_write(w, &c, err) < 0 || kf_writer_end(w, err) < 0)
		abort();
	kf_writer_close(w);
	kf_chunk_free(&c);
	lseek(fd, 0, SEEK_SET);
	*err->msg = '\0';
	r = kf_reader_open(fd, "x", false, err);
	kf_reader_close(r);
	close(fd);
	return r != NULL;
}

static void test_texts(void)
{
	static const struct {
		char name[5];
		bool good;
	} cases[] = { { "abcd", true }, { "a\0\0\0", true }, { "\0\0\0\0", true },
		{ "\xc3\xb6\xc3\xb6", true }, { "abc\xc3", false }, { "a\0b\0", false },
		{ "a\n\0\0", false }, { "\xff\0\0\0", false }, { "\x1b[m", false } };
	struct kf_err err = { .msg = "" };
	char wide[12];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool read = is_read(cases[i].name, &err);

		ok(read == cases[i].good &&
				(read ||
					strstr(err.msg,
						"the row with id 7: its 'name' is no text")),
			"text %zu is %s: %s", i, cases[i].good ? "read" : "refused",
			err.msg);
	}
	ok(kf_texts_width(0) == 64 && kf_texts_width(63) == 64 &&
			kf_texts_width(64) == 128,
		"widths grow in steps");
	ok(kf_texts_check("\u00e5ngstr\u00f6m", &err) == 0 &&
			kf_texts_check("a\tb", &err) < 0 &&
			kf_texts_check("\xe5", &err) < 0,
		"a tab and Latin 1 are refused: %s", err.msg);
	kf_texts_widen("ab\0cd\0", 3, wide, 6, 2);
	ok(!memcmp(wide, "ab\0\0\0\0cd\0\0\0\0", 12), "wider texts are the same");
}

int main(void)
{
	test_fields();
	test_texts();
	struct kf_schema s = sample_schema(4);

	test_round_trip(&s);
	test_damage(&s);
	test_sequences(&s);
	test_slices(PLAIN);
	test_slices(EAGER);
	test_differences(&s);
	test_schemas();
	test_foreign();
	test_left_out();
	test_changes();
	kf_schema_free(&s);
	return done_testing();
}
