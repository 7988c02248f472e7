/*
 * The digest of a blob: XXH3-64 over all of it, as 16 hexadecimal digits, with
 * these digits themselves taken as zeros.
 */
#ifndef KF_DIGEST_H
#define KF_DIGEST_H

#include <stddef.h>
#include <xxhash.h>
/* the library's functions for AVX2 and AVX-512, where it was built with them */
#if defined __x86_64__ && defined __has_include
#if __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>
#endif
#endif

#define KF_DIGEST_KEY "xxh3" /* in the metadata */
#define KF_DIGEST_ZEROS "0000000000000000"

struct kf_digest {
	char text[sizeof KF_DIGEST_ZEROS];
};

struct kf_digest kf_digest_of(const XXH3_state_t *hash);

/* Where its digits are in a header of n bytes of compact JSON, or NULL. */
char *kf_digest_find(char *header, size_t n);

#endif
