/* Images from a file, batch by batch: all that a thread reads, and how it ends. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/rng.h"
#include "tap.h"
#include "train/images.h"

enum { ROWS = 1000, BATCH = 7, PIXELS = 12, PARTS = ROWS / BATCH + 1, GAP = 5 };

/* A backend that can only show bytes. */
struct kf_mem {
	const uint8_t *u;
};

static struct kf_mem *show(struct kf_backend *b, struct kf_mem *m, void *host,
	enum kf_dtype dtype, size_t n)
{
	(void)b, (void)n;
	if (!m && !(m = malloc(sizeof *m)))
		abort();
	m->u = dtype == KF_U8 ? host : NULL;
	return m;
}

static void free_mem(struct kf_backend *b, struct kf_mem *m)
{
	(void)b;
	free(m);
}

static const struct kf_backend_ops ops = { .show = show, .free = free_mem };
static struct kf_backend backend = { .op = &ops };

static uint32_t rows[ROWS];
static struct kf_part parts[PARTS];

static uint8_t pixel(size_t row, int i)
{
	return (uint8_t)(row * 31 + row / 256 + (size_t)i * 7);
}

static void write_row(int fd, size_t row)
{
	uint8_t image[PIXELS];
	struct kf_err err;

	for (int i = 0; i < PIXELS; i++)
		image[i] = pixel(row, i);
	if (kf_write(fd, "rows", image, sizeof image, &err) < 0)
		abort();
}

/* A file of rows in pieces of 1, 2, 3, ... rows, with gaps between them. */
static int write_rows(struct kf_image_file **f)
{
	char path[] = "/tmp/test_images-XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC), n = 1;
	struct stat opened;
	struct kf_err err;

	unlink(path);
	if (fd < 0)
		abort();
	for (size_t row = 0; row < ROWS; n++) {
		lseek(fd, GAP, SEEK_CUR);
		for (int i = 0; i < n && row < ROWS; i++)
			write_row(fd, row++);
	}
	if (fstat(fd, &opened) < 0 ||
		!(*f = kf_image_file_open(fd, "rows", &opened, PIXELS, &err)))
		abort();
	n = 1;
	for (size_t row = 0, at = GAP; row < ROWS; row += (size_t)n++) {
		size_t count = ROWS - row < (size_t)n ? ROWS - row : (size_t)n;

		if (kf_image_file_add(*f, row, count, at, &err) < 0)
			abort();
		at += count * PIXELS + GAP;
	}
	return fd;
}

static void open_images(struct kf_images *im, struct kf_image_file *f, int buffers)
{
	struct kf_dataset d = { .n = ROWS, .file = f, .buffers = buffers };
	struct kf_err err;

	d.schema = (struct kf_schema){ .dtype = KF_U8, .c = 1, .h = 3, .w = 4 };
	if (kf_images_open(im, &backend, &d, BATCH, &err) < 0)
		abort();
}

/* The part has the images of its rows, of which the file's are numbered by order. */
static bool are_right(const struct kf_images *im, const struct kf_part *p,
	const uint32_t *at, const uint32_t *order)
{
	bool right = true;

	for (int k = 0; k < p->n; k++) {
		size_t row = order ? order[p->rows[k]] : p->rows[k];

		for (int i = 0; i < PIXELS; i++)
			right &=
				im->mem->u[at[k] * PIXELS + (size_t)i] == pixel(row, i);
	}
	return right;
}

/* An epoch that ends after some parts. */
static bool run(struct kf_images *im, int n, const uint32_t *order)
{
	struct kf_err err;
	bool right = kf_images_begin(im, parts, PARTS, &err) == 0;
	const uint32_t *at;

	for (int k = 0; k < n && right; k++)
		right = kf_images_next(im, parts[k].rows, parts[k].n, &at, &err) == 0 &&
			are_right(im, &parts[k], at, order);
	kf_images_end(im);
	return right;
}

static void test_batches(int buffers)
{
	struct kf_image_file *f;
	struct kf_images im;
	uint32_t *order = malloc(ROWS * sizeof *order);
	int fd = write_rows(&f), ends = 0;

	if (!order)
		abort();
	open_images(&im, f, buffers);
	ok(run(&im, PARTS, NULL), "%d buffers: an epoch", buffers);
	kf_shuffle(order, ROWS, 3);
	f->order = order; /* which it frees */
	ok(run(&im, PARTS, order), "... of rows in another order");
	kf_shuffle(rows, ROWS, 4);
	ok(run(&im, PARTS, order), "... taken in a third");
	for (int n = 0; n < PARTS; n++)
		ends += run(&im, n, order);
	ok(ends == PARTS, "... and one that ends after any number of batches");
	kf_images_close(&im);
	close(fd);
	for (uint32_t i = 0; i < ROWS; i++)
		rows[i] = i;
}

/* The number of parts that can be read before the failure. */
static int count_parts(struct kf_images *im, struct kf_err *err)
{
	const uint32_t *at;
	int n = 0;

	if (kf_images_begin(im, parts, PARTS, err) < 0)
		abort();
	while (n < PARTS &&
		kf_images_next(im, parts[n].rows, parts[n].n, &at, err) == 0)
		n++;
	kf_images_end(im);
	return n;
}

static void test_shortened(void)
{
	struct kf_image_file *f;
	struct kf_images im;
	struct kf_err err = { .msg = "" };
	int fd = write_rows(&f), n;

	open_images(&im, f, 3);
	if (ftruncate(fd, 500 * PIXELS) < 0)
		abort();
	n = count_parts(&im, &err);
	ok(n == 0, "of a file that is shorter no batch is good, not %d", n);
	ok(!strcmp(err.msg, "'rows' became shorter while it was read"), "%s", err.msg);
	ok(!run(&im, 1, NULL), "... nor in a further epoch");
	kf_images_close(&im);
	close(fd);
}

static void test_temporary(void)
{
	static uint8_t images[ROWS * PIXELS];
	struct kf_err err;
	struct kf_image_file *f = kf_image_file_new(PIXELS, &err);
	struct kf_images im;

	for (size_t row = 0; row < ROWS; row++)
		for (int i = 0; i < PIXELS; i++)
			images[row * PIXELS + (size_t)i] = pixel(row, i);
	if (!f || kf_image_file_write(f, 0, 300, images, &err) < 0 ||
		kf_image_file_write(f, 300, ROWS - 300, images + 300 * PIXELS, &err) <
			0)
		abort();
	open_images(&im, f, 2);
	ok(run(&im, PARTS, NULL), "a temporary file");
	kf_images_close(&im);
}

int main(void)
{
	for (uint32_t i = 0; i < ROWS; i++)
		rows[i] = i;
	for (int k = 0; k < PARTS; k++)
		parts[k] = (struct kf_part){ rows + k * BATCH,
			k < PARTS - 1 ? BATCH : ROWS % BATCH };
	for (int buffers = 2; buffers <= 5; buffers++)
		test_batches(buffers);
	test_shortened();
	test_temporary();
	return done_testing();
}
