/*
 * Which group each row belongs to, such as a person: a CSV with a header, whose columns
 * `id` and `group` are used.  A group is any text.
 */
#ifndef KF_GROUPS_H
#define KF_GROUPS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* All zeros has no rows; free it with kf_groups_free. */
struct kf_groups {
	size_t n, room;
	struct kf_group_row *row; /* (n), by id */
};

/* Reads all of it from fd; name is for messages.  -1, with nothing to free, also where an
 * id is in two groups. */
int kf_groups_read(struct kf_groups *g, int fd, const char *name, struct kf_err *err);

/* A number that stands for the group of an id, by its text alone; -1 where it has none. */
int kf_groups_find(const struct kf_groups *g, int64_t id, uint64_t *group);

void kf_groups_free(struct kf_groups *g);

#endif
