/*
 * Metadata of a safetensors blob: named strings, in the order in which they
 * were set.  Running out of memory for one ends the program.
 */
#ifndef KF_META_H
#define KF_META_H

/* All zeros is none; free it with kf_meta_free. */
struct kf_meta {
	int n;
	char **key, **value;
};

/* Sets an entry, replacing one of the same name. */
void kf_meta_set(struct kf_meta *m, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
const char *kf_meta_get(const struct kf_meta *m, const char *key); /* or NULL */
void kf_meta_free(struct kf_meta *m);

#endif
