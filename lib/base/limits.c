/* The memory that this machine gives to a process. */
#define _GNU_SOURCE
#include "base/limits.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static size_t least(size_t a, unsigned long long b)
{
	return b < a ? (size_t)b : a;
}

static size_t of_process(int resource, size_t limit)
{
	struct rlimit r;

	if (getrlimit(resource, &r) < 0 || r.rlim_cur == RLIM_INFINITY)
		return limit;
	return least(limit, r.rlim_cur);
}

/* The number in a file; a group without a limit has "max" there, or no file. */
static size_t of_file(const char *path, size_t limit)
{
	unsigned long long bytes;
	FILE *f = fopen(path, "re");

	if (!f)
		return limit;
	if (fscanf(f, "%llu", &bytes) == 1)
		limit = least(limit, bytes);
	fclose(f);
	return limit;
}

/* The group's path below the mount, "" for the root; false where there is none. */
static bool find_group(char *path, int size)
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	bool found = false;

	while (f && !found && fgets(path, size, f))
		found = !strncmp(path, "0::/", 4);
	if (f)
		fclose(f);
	if (!found)
		return false;
	path[strcspn(path, "\n")] = '\0';
	memmove(path, path + 3, strlen(path + 3) + 1);
	return true;
}

/* Those of the group and of all above it. */
static size_t of_groups(size_t limit)
{
	char group[1024], path[1100], *end = group;

	if (!find_group(group, sizeof group))
		return limit;
	while (end) {
		snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.max", group);
		limit = of_file(path, limit);
		end = strrchr(group, '/');
		if (end)
			*end = '\0';
	}
	return limit;
}

size_t kf_memory_limit(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
	size_t limit = SIZE_MAX;

	if (pages > 0 && page > 0)
		limit = (size_t)pages * (size_t)page;
	limit = of_process(RLIMIT_AS, limit);
	limit = of_process(RLIMIT_DATA, limit);
	return of_groups(limit);
}
