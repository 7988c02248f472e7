/*
 * IDX files: two zeros, the type (8: unsigned bytes), the rank, then as many
 * sizes of 32 bits, the most significant byte first; then the data, row-major.
 */
#define _GNU_SOURCE
#include "formats/idx.h"

#include <stdlib.h>

#define TYPE_U8 0x08
#define RANK_MAX 3

/* -- headers --------------------------------------------------------------------- */

static bool claims(const unsigned char first[KF_FIRST_BYTES])
{
	return first[0] == 0 && first[1] == 0 && first[2] >= TYPE_U8 &&
		first[2] <= 0x0e && first[3] > 0;
}

static uint32_t big_endian(const char *p)
{
	const unsigned char *b = (const unsigned char *)p;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Reads a header of the given rank; what says what the file should hold. */
static int read_header(struct kf_input *in, int rank, const char *what, uint32_t size[],
	struct kf_err *err)
{
	static const char *const holds[] = { "", "labels (IDX of rank 1)",
		"a matrix (IDX of rank 2)", "images (IDX of rank 3)" };
	size_t n = 4 + 4 * (size_t)rank;

	if (kf_input_need(in, n, err) < 0)
		return -1;
	if (in->n < 4 || !claims((const unsigned char *)in->at))
		return kf_fail(err, "'%s' is not IDX: it should hold %s", in->name,
			what);
	if (in->at[2] != TYPE_U8)
		return kf_fail(err,
			"'%s' is IDX of type 0x%02x; only unsigned bytes, "
			"type 0x08, are read",
			in->name, in->at[2]);
	if ((unsigned char)in->at[3] > RANK_MAX)
		return kf_fail(err, "'%s' is IDX of rank %d; it should hold %s",
			in->name, (unsigned char)in->at[3], what);
	if (in->at[3] != rank)
		return kf_fail(err, "'%s' holds %s; it should hold %s", in->name,
			holds[(int)in->at[3]], what);
	if (in->n < n)
		return kf_fail(err, "'%s', byte %zu: truncated inside its header",
			in->name, in->n);
	for (int i = 0; i < rank; i++)
		size[i] = big_endian(in->at + 4 + 4 * i);
	kf_input_use(in, n);
	return 0;
}

/* Nothing may follow the last one. */
static int check_end(struct kf_input *in, const char *what, struct kf_err *err)
{
	if (kf_input_need(in, 1, err) < 0)
		return -1;
	if (in->n > 0)
		return kf_fail(err, "'%s', byte %llu: further bytes behind the last %s",
			in->name, (unsigned long long)in->offset, what);
	return 0;
}

/* -- labels ---------------------------------------------------------------------- */

static int read_labels(struct kf_labels *l, struct kf_input *in, struct kf_err *err)
{
	uint32_t n;
	ssize_t got;

	if (kf_input_check(in, err) < 0 ||
		read_header(in, 1, "labels (IDX of rank 1)", &n, err) < 0)
		return -1;
	if (n == 0)
		return kf_fail(err, "'%s' holds no labels", in->name);
	if (n > KF_LABELS_MAX)
		return kf_fail(err, "'%s' holds %lu labels; at most %zu are read",
			in->name, (unsigned long)n, KF_LABELS_MAX);
	l->label = malloc(n);
	if (!l->label)
		return kf_fail(err, "out of memory for %lu labels", (unsigned long)n);
	got = kf_input_read(in, l->label, n, err);
	if (got < 0)
		return -1;
	if ((size_t)got < n)
		return kf_fail(err, "'%s' is truncated: %zd of %lu labels", in->name,
			got, (unsigned long)n);
	l->n = n;
	for (size_t i = 0; i < l->n; i++)
		if (l->label[i] >= l->classes)
			l->classes = l->label[i] + 1;
	return check_end(in, "label", err);
}

int kf_labels_read(struct kf_labels *l, int fd, const char *name, struct kf_err *err)
{
	struct kf_input in;
	int rc;

	*l = (struct kf_labels){ .name = name };
	if (kf_input_open(&in, fd, name, err) < 0)
		return -1;
	rc = read_labels(l, &in, err);
	kf_input_close(&in);
	if (rc < 0)
		kf_labels_free(l);
	return rc;
}

void kf_labels_free(struct kf_labels *l)
{
	free(l->label);
	*l = (struct kf_labels){ 0 };
}

/* -- images ---------------------------------------------------------------------- */

struct idx {
	struct kf_loader l;
	uint64_t n;    /* images that the header promises */
	uint64_t done; /* of them handed out */
};

/* Names of classes are as many as there are classes, though some may have no image. */
static int name_classes(struct kf_loader *l, struct kf_err *err)
{
	const struct kf_labels *labels = l->options->labels;
	const struct kf_names *names = l->options->class_names;

	if (!labels || !names)
		return 0;
	if (labels->classes > names->n)
		return kf_fail(err, "'%s' has the label %d, and %d classes have names",
			labels->name, labels->classes - 1, names->n);
	if (kf_names_copy(&l->schema.class_names, names) < 0)
		return kf_fail_memory(err);
	l->schema.classes = names->n;
	return 0;
}

static int open_images(struct kf_loader *l, struct kf_err *err)
{
	const struct kf_labels *labels = l->options->labels;
	uint32_t size[RANK_MAX];

	if (read_header(l->in, 3, "images (IDX of rank 3)", size, err) < 0)
		return -1;
	((struct idx *)l)->n = size[0];
	if (size[1] < 1 || size[2] < 1 || size[1] > KF_SIDE_MAX ||
		size[2] > KF_SIDE_MAX)
		return kf_fail(err, "'%s': images of %lu x %lu are out of bounds",
			l->in->name, (unsigned long)size[2], (unsigned long)size[1]);
	l->schema = (struct kf_schema){ .dtype = KF_U8,
		.c = 1,
		.h = (int)size[1],
		.w = (int)size[2],
		.has_label = labels != NULL,
		.classes = labels ? labels->classes : 0 };
	if (labels && labels->n != size[0])
		return kf_fail(err, "'%s' has %lu images, but '%s' has %zu labels",
			l->in->name, (unsigned long)size[0], labels->name, labels->n);
	if (name_classes(l, err) < 0)
		return -1;
	return kf_chunk_reserve(&l->chunk, &l->schema, kf_chunk_rows(&l->schema), err);
}

static int next_images(struct kf_loader *l, struct kf_err *err)
{
	struct idx *x = (struct idx *)l;
	size_t image = kf_image_bytes(&l->schema), rows = kf_chunk_rows(&l->schema);
	ssize_t got;

	if (x->done == x->n)
		return check_end(l->in, "image", err);
	if (rows > x->n - x->done)
		rows = x->n - x->done;
	got = kf_input_read(l->in, l->chunk.X, rows * image, err);
	if (got < 0)
		return -1;
	if ((size_t)got < rows * image)
		return kf_fail(err,
			"'%s' is truncated: it ends at byte %llu, before "
			"image %llu of %llu is whole",
			l->in->name, (unsigned long long)l->in->offset,
			(unsigned long long)(x->done + (size_t)got / image + 1),
			(unsigned long long)x->n);
	for (size_t i = 0; i < rows; i++) {
		if (l->options->labels)
			l->chunk.label[i] = l->options->labels->label[x->done + i];
		l->chunk.id[i] = (int64_t)(x->done + i + 1);
	}
	l->chunk.n = rows;
	x->done += rows;
	return 1;
}

static void close_images(struct kf_loader *l)
{
	(void)l; /* owns nothing else */
}

const struct kf_format kf_idx = { .name = "IDX",
	.takes_labels = true,
	.size = sizeof(struct idx),
	.claims = claims,
	.open = open_images,
	.next = next_images,
	.close = close_images };
