/*
 * Makes allocations fail, in a program that it is preloaded into: tests/faults.sh.
 *
 *   FAULTS_AT=N       the N-th counted allocation fails, and
 *   FAULTS_AFTER=yes  all counted ones after it
 *   FAULTS_COUNT=FILE at the end, the number of counted allocations is written there
 *
 * An allocation counts unless it is made before main or by a library that ends the
 * program by itself when memory runs out, or is no concern of it: the loader, oneDNN,
 * OpenMP and the C++ runtime.  They are told apart by where malloc is called from.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static const char *const others[] = { "/ld-linux", "/libdnnl", "/libgomp", "/libomp",
	"/libstdc++", "/libgcc_s" };

static atomic_long calls;
static long fail_at;
static bool fail_after, started;

__attribute__((constructor)) static void start(void)
{
	const char *at = getenv("FAULTS_AT");

	fail_at = at ? atol(at) : 0;
	fail_after = getenv("FAULTS_AFTER") != NULL;
	/* a pipeline's shell and what else is in it are no concern of it */
	started = !strncmp(program_invocation_short_name, "kfkd-", 5);
}

__attribute__((destructor)) static void end(void)
{
	const char *path = started ? getenv("FAULTS_COUNT") : NULL;
	FILE *f;

	started = false;
	f = path ? fopen(path, "w") : NULL;
	if (!f)
		return;
	fprintf(f, "%ld\n", atomic_load(&calls));
	fclose(f);
}

/* Whether the allocation that is made at this place in the code fails. */
static bool fails(void *place)
{
	struct dl_find_object object;
	long n;

	if (!started)
		return false;
	if (_dl_find_object(place, &object) == 0)
		for (size_t i = 0; i < sizeof others / sizeof *others; i++)
			if (strstr(object.dlfo_link_map->l_name, others[i]))
				return false;
	n = atomic_fetch_add(&calls, 1) + 1;
	if (!fail_at || (fail_after ? n < fail_at : n != fail_at))
		return false;
	errno = ENOMEM;
	return true;
}

#define FAILS fails(__builtin_return_address(0))

void *malloc(size_t size)
{
	return FAILS ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return FAILS ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	return FAILS ? NULL : __libc_realloc(p, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return FAILS ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **p, size_t alignment, size_t size)
{
	if (FAILS)
		return ENOMEM;
	*p = __libc_memalign(alignment, size);
	return *p ? 0 : ENOMEM;
}
