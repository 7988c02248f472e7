/* The digest of a blob. */
#define _GNU_SOURCE
#include "stream/digest.h"

#include <stdio.h>
#include <string.h>

struct kf_digest kf_digest_of(const XXH3_state_t *hash)
{
	struct kf_digest d;

	snprintf(d.text, sizeof d.text, "%016llx",
		(unsigned long long)XXH3_64bits_digest(hash));
	return d;
}

char *kf_digest_find(char *header, size_t n)
{
	static const char before[] = "\"" KF_DIGEST_KEY "\":\"";
	const size_t skip = sizeof before - 1, digits = sizeof KF_DIGEST_ZEROS - 1;
	char *key = memmem(header, n, before, skip);

	if (!key || (size_t)(header + n - key) < skip + digits)
		return NULL;
	return key + skip;
}
