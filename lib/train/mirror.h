/* Mirror images: of pictures, and of the columns of their keypoints. */
#ifndef KF_MIRROR_H
#define KF_MIRROR_H

#include "net/backend.h"
#include "stream/names.h"

/*
 * The column that is at the place of column j in the mirror image: the one whose name has
 * left for right, or right for left, as a word between underscores; j itself where its
 * name has neither.  -1 with a message, which names both, where the other is missing.
 */
int kf_mirror_column(const struct kf_names *names, int j, struct kf_err *err);

/* The mirror image of pictures of this width: their pixels go from x to width - 1 - x. */
struct kf_warp kf_mirror_warp(int width);

#endif
