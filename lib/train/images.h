/*
 * The images of a data set as a trainer takes them, batch after batch.  Either the
 * backend holds all of them; or they stay in a file, from which a thread reads the batches
 * to come into a few buffers, while the backend works on one.
 */
#ifndef KF_IMAGES_H
#define KF_IMAGES_H

#include "net/backend.h"
#include "train/dataset.h"

/* Rows whose images are asked for together. */
struct kf_part {
	const uint32_t *rows; /* (n) */
	int n;
};

struct kf_images {
	struct kf_backend *b;
	struct kf_mem *mem;          /* all images, or those of the part at hand */
	struct kf_read_ahead *ahead; /* NULL: all */
};

/*
 * Takes the images of d, whose X or file it owns from then on, also on failure.  Parts
 * have at most `batch` rows.  kf_images_close it in any case.
 */
int kf_images_open(struct kf_images *im, struct kf_backend *b, struct kf_dataset *d,
	int batch, struct kf_err *err);
void kf_images_close(struct kf_images *im);

/*
 * Says which parts come next, in this order, such as an epoch's; they and their rows must
 * stay until kf_images_end, which may come before all of them were asked for.
 */
int kf_images_begin(struct kf_images *im, const struct kf_part *parts, size_t n,
	struct kf_err *err);
void kf_images_end(struct kf_images *im);

/*
 * Gets the images of the next part, which has these rows, into im->mem, and sets *at to
 * their rows in it, (n).  Both last until the next call or kf_images_end.  -1 where the
 * file cannot be read.
 */
int kf_images_next(struct kf_images *im, const uint32_t *rows, int n,
	const uint32_t **at, struct kf_err *err);

#endif
