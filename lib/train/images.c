/* Images from memory, or from a file by a thread that reads ahead. */
#define _GNU_SOURCE
#include "train/images.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/large.h"

#define STACK_BYTES ((size_t)1 << 20)
/* Bytes of images that the system is asked for before they are read: enough for a disk to
 * work on many rows at once. */
#define EXPECTED_BYTES ((size_t)8 << 20)

/*
 * Part k goes into buffer k % buffers.  The thread fills parts in order, as long as the
 * buffer is not that of the part at hand or of one that was not handed out yet.
 */
struct kf_read_ahead {
	struct kf_image_file *file;
	enum kf_dtype dtype;
	size_t pixels;      /* values of an image */
	int buffers, batch; /* how many there are, and rows of each */
	char *buffer;       /* (buffers, batch, image) */
	uint32_t *rows;     /* (batch) 0, 1, ... */

	const struct kf_part *part;
	size_t n;    /* parts */
	size_t next; /* the part that is asked for next */
	bool running;
	pthread_t thread;

	/* The thread's part of it. */
	size_t expected, expected_bytes; /* parts, and bytes of them not read yet */

	/* Under the lock; `changed` tells the other side. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t filled; /* parts read */
	size_t done;   /* parts that are no longer used */
	bool stop, failed;
	struct kf_err err; /* if it failed */
};

static char *buffer_of(const struct kf_read_ahead *a, size_t part)
{
	return a->buffer +
		part % (size_t)a->buffers * (size_t)a->batch * a->file->image;
}

/* -- the thread --------------------------------------------------------------------- */

static size_t part_bytes(const struct kf_read_ahead *a, size_t part)
{
	return (size_t)a->part[part].n * a->file->image;
}

/* Has the system begin to read what comes after a part. */
static void expect(struct kf_read_ahead *a, size_t part)
{
	if (a->expected == part) /* not expected in time: it is read now */
		a->expected++;
	else
		a->expected_bytes -= part_bytes(a, part);
	while (a->expected < a->n && a->expected_bytes < EXPECTED_BYTES) {
		const struct kf_part *p = &a->part[a->expected];

		kf_image_file_expect(a->file, p->rows, p->n);
		a->expected_bytes += part_bytes(a, a->expected++);
	}
}

/* Waits until there is a buffer for the next part; false: the thread is to end. */
static bool wait_for_buffer(struct kf_read_ahead *a)
{
	bool stop;

	pthread_mutex_lock(&a->lock);
	while (!a->stop && a->filled >= a->done + (size_t)a->buffers)
		pthread_cond_wait(&a->changed, &a->lock);
	stop = a->stop;
	pthread_mutex_unlock(&a->lock);
	return !stop;
}

/* Reads all parts, unless it is stopped or one cannot be read. */
static void *read_parts(void *argument)
{
	struct kf_read_ahead *a = argument;
	struct kf_err err;
	int rc = 0;

	for (size_t k = 0; rc == 0 && k < a->n && wait_for_buffer(a); k++) {
		const struct kf_part *p = &a->part[k];

		expect(a, k);
		rc = kf_image_file_read(a->file, p->rows, p->n, buffer_of(a, k), &err);
		pthread_mutex_lock(&a->lock);
		if (rc < 0) {
			a->failed = true;
			a->err = err;
		} else {
			a->filled++;
		}
		pthread_cond_signal(&a->changed);
		pthread_mutex_unlock(&a->lock);
	}
	return NULL;
}

/* Signals are for the thread that trains. */
static int start_thread(struct kf_read_ahead *a, struct kf_err *err)
{
	pthread_attr_t attributes;
	sigset_t all, before;

	errno = pthread_attr_init(&attributes);
	if (errno)
		return kf_fail_errno(err, "cannot start a thread that reads images");
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	errno = pthread_create(&a->thread, &attributes, read_parts, a);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (errno)
		return kf_fail_errno(err, "cannot start a thread that reads images");
	a->running = true;
	return 0;
}

/* -- opening ------------------------------------------------------------------------ */

static void close_ahead(struct kf_read_ahead *a)
{
	if (!a)
		return;
	pthread_mutex_destroy(&a->lock);
	pthread_cond_destroy(&a->changed);
	kf_image_file_close(a->file);
	free(a->buffer);
	free(a->rows);
	free(a);
}

static int open_ahead(struct kf_images *im, struct kf_dataset *d, int batch,
	struct kf_err *err)
{
	struct kf_read_ahead *a = calloc(1, sizeof *a);

	if (!a)
		return kf_fail_memory(err);
	im->ahead = a;
	a->file = d->file;
	d->file = NULL;
	a->dtype = d->schema.dtype;
	a->pixels = kf_image_pixels(&d->schema);
	a->buffers = d->buffers;
	a->batch = batch;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->changed, NULL);
	a->buffer = kf_large_alloc((size_t)a->buffers * (size_t)batch * a->file->image);
	a->rows = malloc((size_t)batch * sizeof *a->rows);
	if (!a->buffer || !a->rows)
		return kf_fail(err, "out of memory for %d batches of images",
			a->buffers);
	for (int i = 0; i < batch; i++)
		a->rows[i] = (uint32_t)i;
	return 0;
}

int kf_images_open(struct kf_images *im, struct kf_backend *b, struct kf_dataset *d,
	int batch, struct kf_err *err)
{
	*im = (struct kf_images){ .b = b };
	if (d->file)
		return open_ahead(im, d, batch, err);
	im->mem = b->op->adopt(b, d->X, d->schema.dtype,
		d->n * kf_image_pixels(&d->schema));
	d->X = NULL;
	return 0;
}

void kf_images_close(struct kf_images *im)
{
	kf_images_end(im);
	if (im->b)
		im->b->op->free(im->b, im->mem);
	close_ahead(im->ahead);
	*im = (struct kf_images){ 0 };
}

/* -- batches ------------------------------------------------------------------------ */

int kf_images_begin(struct kf_images *im, const struct kf_part *parts, size_t n,
	struct kf_err *err)
{
	struct kf_read_ahead *a = im->ahead;

	if (!a || !n)
		return 0;
	a->part = parts;
	a->n = n;
	a->next = a->expected = a->expected_bytes = a->filled = a->done = 0;
	a->stop = a->failed = false;
	return start_thread(a, err);
}

void kf_images_end(struct kf_images *im)
{
	struct kf_read_ahead *a = im->ahead;

	if (!a || !a->running)
		return;
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_signal(&a->changed);
	pthread_mutex_unlock(&a->lock);
	pthread_join(a->thread, NULL);
	a->running = false;
}

/* Waits for the next part, which is done with the one before. */
static int next_part(struct kf_read_ahead *a, struct kf_err *err)
{
	int rc = 0;

	pthread_mutex_lock(&a->lock);
	a->done = a->next;
	pthread_cond_signal(&a->changed);
	while (!a->failed && a->filled <= a->next)
		pthread_cond_wait(&a->changed, &a->lock);
	if (a->filled <= a->next) {
		*err = a->err;
		rc = -1;
	}
	pthread_mutex_unlock(&a->lock);
	return rc;
}

int kf_images_next(struct kf_images *im, const uint32_t *rows, int n,
	const uint32_t **at, struct kf_err *err)
{
	struct kf_read_ahead *a = im->ahead;

	*at = rows;
	if (!a)
		return 0;
	assert(a->running && a->next < a->n && a->part[a->next].rows == rows &&
		a->part[a->next].n == n);
	if (next_part(a, err) < 0)
		return -1;
	im->mem = im->b->op->show(im->b, im->mem, buffer_of(a, a->next), a->dtype,
		(size_t)n * a->pixels);
	a->next++;
	*at = a->rows;
	return im->mem ? 0 : im->b->op->sync(im->b, err);
}
