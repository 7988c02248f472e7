/*
 * Metadata of a safetensors blob: named strings, in the order in which they
 * were set.  Where memory runs out for one, the metadata remembers that it is
 * incomplete, and what reads or writes a blob of it fails.
 */
#ifndef KF_META_H
#define KF_META_H

#include <stdbool.h>

/* All zeros is none; free it with kf_meta_free. */
struct kf_meta {
	int n;
	char **key, **value;
	bool incomplete; /* memory ran out for an entry */
};

/* Sets an entry, replacing one of the same name. */
void kf_meta_set(struct kf_meta *m, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
const char *kf_meta_get(const struct kf_meta *m, const char *key); /* or NULL */
void kf_meta_free(struct kf_meta *m);

#endif
