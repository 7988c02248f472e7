/*
 * The digest of a blob: XXH3-64 over all of it, as 16 hexadecimal digits, with
 * these digits themselves taken as zeros.
 */
#ifndef KF_DIGEST_H
#define KF_DIGEST_H

#include <stddef.h>
#include <xxhash.h>

#define KF_DIGEST_KEY "xxh3" /* in the metadata */
#define KF_DIGEST_ZEROS "0000000000000000"

struct kf_digest {
	char text[sizeof KF_DIGEST_ZEROS];
};

struct kf_digest kf_digest_of(const XXH3_state_t *hash);

/* Where its digits are in a header of n bytes of compact JSON, or NULL. */
char *kf_digest_find(char *header, size_t n);

#endif
