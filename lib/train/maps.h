/* What a model makes of images, as a map for each. */
#ifndef KF_MAPS_H
#define KF_MAPS_H

#include "net/backend.h"
#include "net/model.h"

enum kf_map_kind {
	KF_NO_MAP,
	/*
	 * One channel of the image's size.  The image is divided into cells of step x
	 * step pixels, and the value in each is the row's error (train/goal.h) where a
	 * square of side x side around it is hidden: its pixels are 1/2.
	 */
	KF_OCCLUSION,
	/*
	 * One channel of the image's size: the absolute value of the error's derivative
	 * by each pixel, whose range is from 0 to 1, and of several channels the largest.
	 * Where there is no target, the distance in pixels by which outputs move, for
	 * each pixel's unit: the root of the mean of the squares of their derivatives.
	 */
	KF_SALIENCY,
	/* What the first layer that has weights gives, with its activation, and with its
	 * batch norm if that is folded into it. */
	KF_ACTIVATIONS,
};

struct kf_map_options {
	enum kf_map_kind kind;
	int side, step; /* of an occlusion, with step at most side */
};

/*
 * Opens a model, which may be freed afterwards, for maps of rows that it fits, on a
 * backend that must outlive the mapper.  schema, which must, too, is that of the rows, and
 * gets the map's size.  NULL on failure.
 */
struct kf_mapper *kf_mapper_open(struct kf_backend *b, const struct kf_model *m,
	const struct kf_map_options *o, struct kf_schema *schema, struct kf_err *err);
void kf_mapper_close(struct kf_mapper *p);

/* Sets the map of rows, which is the mapper's and is valid until the next call. */
int kf_mapper_run(struct kf_mapper *p, struct kf_chunk *c, struct kf_err *err);

#endif
