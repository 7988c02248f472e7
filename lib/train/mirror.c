/* Mirror images: of pictures, and of the columns of their keypoints. */
#include "train/mirror.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* A name with left replaced by right or vice versa; false if it has neither. */
static bool mirror_name(const char *name, char *out, size_t size)
{
	const char *start = name;

	for (;;) {
		size_t n = strcspn(start, "_");
		const char *other = n == 4 && !strncmp(start, "left", 4) ? "right" :
			n == 5 && !strncmp(start, "right", 5)            ? "left" :
									   NULL;

		if (other) {
			snprintf(out, size, "%.*s%s%s", (int)(start - name), name,
				other, start + n);
			return true;
		}
		if (!start[n])
			return false;
		start += n + 1;
	}
}

int kf_mirror_column(const struct kf_names *names, int j, struct kf_err *err)
{
	const char *name = names->name[j];
	char other[256];
	int at;

	if (!mirror_name(name, other, sizeof other))
		return j;
	at = kf_names_find(names, other);
	if (at < 0)
		kf_fail(err, "flip: '%s' lacks its other side, '%s'", name, other);
	return at;
}

struct kf_warp kf_mirror_warp(int width)
{
	return (struct kf_warp){ .m = { -1, 0, (float)(width - 1), 0, 1, 0 },
		.contrast = 1 };
}
