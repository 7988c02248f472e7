/* The names of classes: a text with one in each line, in the order of their labels. */
#ifndef KF_CLASS_NAMES_H
#define KF_CLASS_NAMES_H

#include "stream/names.h"

/*
 * Reads all of them from fd, which stays the caller's, into an empty list; spaces around a
 * name are dropped.  -1, with nothing to free, where a line is empty or holds a comma or a
 * control character or is too long, and where a name comes twice.
 */
int kf_class_names_read(struct kf_names *names, int fd, const char *name,
	struct kf_err *err);

#endif
