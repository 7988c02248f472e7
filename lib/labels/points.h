/*
 * Which points are made of those that labels have: a text of lines
 *
 *   # a comment
 *   nose_tip = 30
 *   left_eye_center = mean 42-47
 *
 * On the left are names, in the order of the points that they give.  On the right is the
 * name of a point of the labels; or else a number, which stands for the point whose name
 * is that number ("7" or "07"), or, where no name is a number, for the place of a point
 * from 0.  After `mean` there are several of these, with spaces between them, and A-B
 * stands for all numbers from A to B unless a point has that name.  A mean is missing
 * where one of its points is.
 */
#ifndef KF_POINTS_H
#define KF_POINTS_H

#include "labels/faces.h"

struct kf_point_rule;

/* All zeros is an empty list; free it with kf_point_list_free. */
struct kf_point_list {
	const char *name; /* for messages; stays the caller's */
	/* private */
	struct kf_point_rule *rule; /* (n) */
	size_t n, room;
};

/* Reads all of it from fd.  -1 with a message that names the line. */
int kf_point_list_read(struct kf_point_list *l, int fd, const char *name,
	struct kf_err *err);

/* Replaces the columns and points of f.  -1 with the line that asks for a point that is not
 * there; then f is good for nothing but kf_faces_free. */
int kf_point_list_apply(const struct kf_point_list *l, struct kf_faces *f,
	struct kf_err *err);

void kf_point_list_free(struct kf_point_list *l);

#endif
