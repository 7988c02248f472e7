/* A part of a file in memory. */
#define _GNU_SOURCE
#include "base/mapping.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/signals.h"

static struct {
	char *volatile pages; /* from a page's start on; NULL: there is none */
	size_t bytes;
	volatile sig_atomic_t lost;
} mapping;

/* Any thread's; what it was about to read it reads again, as zeros. */
static void put_zeros(int number, siginfo_t *info, void *context)
{
	char *at = info->si_addr, *pages = mapping.pages;
	int error = errno;

	(void)context;
	if (pages && at >= pages && at < pages + mapping.bytes &&
		mmap(pages, mapping.bytes, PROT_READ,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == pages)
		mapping.lost = 1;
	else
		signal(number, SIG_DFL); /* and it comes again */
	errno = error;
}

static bool guard(void)
{
	static bool guarded;
	struct sigaction sa = { .sa_sigaction = put_zeros };

	if (guarded)
		return true;
	sa.sa_flags = SA_SIGINFO | SA_ONSTACK;
	sigemptyset(&sa.sa_mask);
	guarded = kf_signal_stack() == 0 && sigaction(SIGBUS, &sa, NULL) == 0;
	return guarded;
}

void *kf_map(int fd, uint64_t offset, size_t n)
{
	size_t before = offset % (uint64_t)sysconf(_SC_PAGESIZE);
	char *pages;

	if (mapping.pages || !guard())
		return NULL;
	pages = mmap(NULL, before + n, PROT_READ, MAP_SHARED, fd,
		(off_t)(offset - before));
	if (pages == MAP_FAILED)
		return NULL;
	mapping.bytes = before + n;
	mapping.pages = pages;
	return pages + before;
}

void kf_unmap(void)
{
	char *pages = mapping.pages;

	mapping.pages = NULL;
	if (pages)
		munmap(pages, mapping.bytes);
}

bool kf_mapping_lost(void)
{
	return mapping.lost;
}
