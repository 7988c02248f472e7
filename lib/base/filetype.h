/* Files that people have in place of what a program reads, told by their first bytes. */
#ifndef KF_FILETYPE_H
#define KF_FILETYPE_H

#include <stddef.h>

/* As many first bytes as telling them takes; fewer tell most. */
#define KF_FILETYPE_BYTES 264

struct kf_filetype {
	const char *what;   /* "compressed by gzip" */
	const char *advice; /* what to do with it: "pipe it through zcat" */
};

/* The type of a file that begins with these n bytes, or NULL. */
const struct kf_filetype *kf_filetype_of(const void *first, size_t n);

#endif
