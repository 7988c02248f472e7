/*
 * Names of columns.  A list of names holds each once and at most KF_COLUMNS_MAX;
 * running out of memory for one ends the program.
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
void kf_names_add(struct kf_names *names, const char *name);       /* a copy */
void kf_names_free(struct kf_names *names);
struct kf_names kf_names_copy(const struct kf_names *names);
bool kf_names_equal(const struct kf_names *a, const struct kf_names *b);

/* Says where b first differs from a: "column 2 is 'b_x', not 'a_y'". */
void kf_names_difference(const struct kf_names *a, const struct kf_names *b, char *text,
	size_t size);

/* "a,b,c", which is the caller's to free; no names are "". */
char *kf_names_join(const struct kf_names *names);
/* The inverse, into a new list: -1 for bad or repeated names and too many. */
int kf_names_split(struct kf_names *names, const char *text, struct kf_err *err);

/* Refuses what cannot be a column's name: empty, a comma, control characters,
 * not UTF-8, longer than 200 bytes. */
int kf_name_check(const char *name, struct kf_err *err);

/* 0 for a name that ends in _x, 1 for _y, else -1. */
int kf_axis(const char *name);

#endif
