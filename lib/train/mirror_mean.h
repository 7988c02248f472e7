/* The mean of what a model finds in faces and in their mirror images. */
#ifndef KF_MIRROR_MEAN_H
#define KF_MIRROR_MEAN_H

#include <stdbool.h>
#include <stddef.h>

#include "net/model.h"

struct kf_mirror_mean {
	int m;                   /* outputs of the model */
	int *mirror;             /* (m) the output at the other side */
	bool *is_x;              /* (m) */
	struct kf_scale x_scale; /* of outputs that are x */
	double sum;              /* of x and its mirror image, pixels */
	bool taught;             /* the model was trained with mirror images */
	double total, squares;   /* of the rows' mean sums, less `sum` */
	size_t rows;
};

/*
 * For a model of points, whose columns at one side have counterparts at the other, else
 * -1; kf_mirror_mean_close it in any case.  The sum is what the model was trained with,
 * or the width - 1.
 */
int kf_mirror_mean_open(struct kf_mirror_mean *v, const struct kf_model *m,
	struct kf_err *err);
void kf_mirror_mean_close(struct kf_mirror_mean *v);

/* A row's outputs (m) become their mean with those for its mirror image (m). */
void kf_mirror_mean_row(struct kf_mirror_mean *v, float *out, const float *mirrored);

/* What x of faces and of their mirror images add up to, in pixels. */
struct kf_flip_sum {
	double used;  /* to mirror back */
	double found; /* on average in rows so far */
	double error; /* standard error of this mean, over rows */
};

/*
 * Another sum is found than was used where labels that the model has learnt have another
 * origin.  NaN before the second row, and for a model that was trained with flips: what it
 * was taught tells nothing of the labels.
 */
struct kf_flip_sum kf_mirror_mean_sum(const struct kf_mirror_mean *v);

#endif
