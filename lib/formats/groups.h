/*
 * Which group each row belongs to, such as a person: a CSV with a header, whose columns
 * `group` and `id`, or where there is none `name` or `file`, are used.  A group is any text.
 */
#ifndef KF_GROUPS_H
#define KF_GROUPS_H

#include "formats/keys.h"

/* All zeros has no rows; free it with kf_groups_free. */
struct kf_groups {
	size_t n, room;
	enum kf_key_kind by;
	struct kf_group_row *row; /* (n), by key */
};

/* Reads all of it from fd; name is for messages.  -1, with nothing to free, also where a
 * key is in two groups. */
int kf_groups_read(struct kf_groups *g, int fd, const char *name, struct kf_err *err);

/* A number that stands for a group, by its text alone. */
uint64_t kf_group_number(const char *text, size_t n);

/* That of a key's group, which is of the kind g->by; -1 where it has none. */
int kf_groups_find(const struct kf_groups *g, const struct kf_key *key,
	uint64_t *group);

void kf_groups_free(struct kf_groups *g);

#endif
