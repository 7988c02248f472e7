/*
 * Names of columns.  A list of names holds each once and at most KF_COLUMNS_MAX.
 */
#ifndef KF_NAMES_H
#define KF_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define KF_COLUMNS_MAX 4096

/* All zeros is an empty list; free it with kf_names_free. */
struct kf_names {
	int n;
	char **name;
};

int kf_names_find(const struct kf_names *names, const char *name); /* or -1 */
/* Adds a copy of name: 0, or -1 when out of memory, with the list unchanged. */
int kf_names_add(struct kf_names *names, const char *name);
void kf_names_free(struct kf_names *names);
/* Sets to, which held nothing; -1 when out of memory, with nothing to free. */
int kf_names_copy(struct kf_names *to, const struct kf_names *from);
bool kf_names_equal(const struct kf_names *a, const struct kf_names *b);

/* Says where b first differs from a: "column 2 is 'b_x', not 'a_y'". */
void kf_names_difference(const struct kf_names *a, const struct kf_names *b, char *text,
	size_t size);

/* "a,b,c", which is the caller's to free; no names are "".  NULL when out of
 * memory. */
char *kf_names_join(const struct kf_names *names);
/* The inverse, into a new list: -1 for bad or repeated names, too many, and when
 * out of memory. */
int kf_names_split(struct kf_names *names, const char *text, struct kf_err *err);

/* Refuses what cannot be a column's name: empty, a comma, control characters,
 * not UTF-8, longer than 200 bytes. */
int kf_name_check(const char *name, struct kf_err *err);

/* 0 for a name that ends in _x, 1 for _y, else -1. */
int kf_axis(const char *name);

#endif
