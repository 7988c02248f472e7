/* A mapped part of a file: what it holds, and that it turns into zeros where it is lost. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mapping.h"
#include "base/signals.h"
#include "tap.h"

enum { BYTES = 1 << 20, BEFORE = 5000, THREADS = 4, FULL = 7 };

/* A file of FULL bytes. */
static int full_file(void)
{
	static char bytes[BYTES];
	struct kf_err err;
	int fd = kf_tempfile(&err);

	memset(bytes, FULL, sizeof bytes);
	if (fd < 0 || kf_write(fd, "x", bytes, sizeof bytes, &err) < 0)
		abort();
	return fd;
}

/* Whether all pages that a part touches begin, in it, with this byte. */
static bool all_are(const volatile char *part, size_t n, char byte)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	bool same = true;

	for (size_t i = 0; i < n; i += page)
		same &= part[i] == byte;
	return same && part[n - 1] == byte;
}

static struct look {
	const char *part;
	size_t n;
	char byte;
	pthread_barrier_t start;
} look;

/* NULL where it finds what it should. */
static void *look_at_all(void *unused)
{
	(void)unused;
	kf_signal_stack();
	pthread_barrier_wait(&look.start);
	return all_are(look.part, look.n, look.byte) ? NULL : &look;
}

/* All at once, this thread too. */
static bool all_find(const char *part, size_t n, char byte)
{
	pthread_t thread[THREADS];
	bool found;

	look.part = part;
	look.n = n;
	look.byte = byte;
	pthread_barrier_init(&look.start, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, look_at_all, NULL))
			abort();
	found = look_at_all(NULL) == NULL;
	for (int i = 0; i < THREADS; i++) {
		void *other;

		pthread_join(thread[i], &other);
		found &= other == NULL;
	}
	pthread_barrier_destroy(&look.start);
	return found;
}

/* Of a file that becomes so long while it is mapped from `offset` on. */
static void test_loss(size_t offset, off_t length)
{
	int fd = full_file();
	size_t n = BYTES - offset;
	const char *part = kf_map(fd, offset, n);

	if (!ok(part != NULL, "a file is mapped from byte %zu on", offset))
		exit(1);
	ok(kf_map(fd, 0, 1) == NULL, "... and nothing else meanwhile");
	ok(all_find(part, n, FULL), "all threads find what it holds");
	if (ftruncate(fd, length) < 0)
		abort();
	all_are(part + n - 1, 1, 0); /* before a page that is still there is seen */
	ok(all_find(part, n, 0), "... and zeros, when it is cut to %lld bytes",
		(long long)length);
	kf_unmap();
	kf_unmap();
	close(fd);
}

/* The guard is for what kf_map gave. */
static void test_others(void)
{
	int fd = full_file(), status;
	const char *part = mmap(NULL, BYTES, PROT_READ, MAP_SHARED, fd, 0);
	pid_t child;

	if (part == MAP_FAILED || !kf_map(fd, 0, BYTES) || ftruncate(fd, 0) < 0)
		abort();
	child = fork();
	if (child == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0 });
		_exit(all_are(part, BYTES, 0));
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		abort();
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS,
		"what others mapped ends a program as ever");
	kf_unmap();
	close(fd);
}

int main(void)
{
	ok(!kf_mapping_lost(), "nothing is lost at first");
	test_loss(0, 0);
	ok(kf_mapping_lost(), "... which is said");
	test_loss(BEFORE, 0);
	test_loss(BEFORE, BYTES / 2);
	test_others();
	return done_testing();
}
