/* Standard output, or a file in its place. */
#define _GNU_SOURCE
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/signals.h"
#include "base/whole_file.h"
#include "messages.h"

static int output_fd = STDOUT_FILENO;
static const char *output_path;      /* of -o, or NULL */
static struct kf_whole_file *output; /* the same */
static const char *also_path;        /* of a further file, or NULL */
static struct kf_whole_file *also;

void output_reserve(void)
{
	/* a descriptor gets the wrong mode, so that using it is an error */
	static const int modes[] = { O_WRONLY, O_RDONLY, O_RDONLY };

	for (int i = 0; i < 3; i++)
		if (fcntl(i, F_GETFD) < 0 && open("/dev/null", modes[i]) != i)
			return; /* without a /dev/null, as it was */
}

static void remove_and_end(int signal)
{
	kf_whole_remove_pending();
	raise(signal); /* SA_RESETHAND restored its default */
}

static void remove_at_signals(void)
{
	struct sigaction sa = { .sa_handler = remove_and_end };
	sigset_t fatal;

	sa.sa_flags = (int)SA_RESETHAND | SA_ONSTACK;
	kf_signal_stack();
	kf_fatal_signals(&fatal);
	sa.sa_mask = fatal;
	for (int number = 1; number < NSIG; number++)
		if (sigismember(&fatal, number) == 1)
			sigaction(number, &sa, NULL);
}

static bool is_same(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
		x.st_ino == y.st_ino;
}

static void refuse_input(const struct kf_whole_file *f, const char *path, int fd)
{
	if (f && kf_whole_in_place(f) && is_same(fd, kf_whole_fd(f)))
		die("'%s' is input and output", path);
}

void output_check_input(int fd)
{
	refuse_input(output, output_path, fd);
	refuse_input(also, also_path, fd);
}

/* Opens a file that appears at the end, when it is whole. */
static struct kf_whole_file *open_whole(const char *path)
{
	struct kf_whole_file *f;
	struct kf_err err;

	remove_at_signals();
	atexit(kf_whole_remove_pending);
	f = kf_whole_open(path, KF_WHOLE_OUTPUT, &err);
	must(f, &err);
	if (!kf_whole_in_place(f))
		return f;
	warn("'%s' cannot be replaced, and is written in place", path);
	for (int fd = STDERR_FILENO + 1; fd < kf_whole_fd(f); fd++)
		refuse_input(f, path, fd);
	refuse_input(f, path, STDIN_FILENO);
	return f;
}

void output_begin(const char *path)
{
	/* beyond the limit on a file's size, a write fails with a message instead */
	signal(SIGXFSZ, SIG_IGN);
	if (!path || !strcmp(path, "-"))
		return;
	output_path = path;
	output = open_whole(path);
	if (output_fd != STDOUT_FILENO)
		output_fd = kf_whole_fd(output);
	else if (dup2(kf_whole_fd(output), STDOUT_FILENO) < 0)
		die("cannot write '%s': %s", path, strerror(errno));
}

int output_also(const char *path)
{
	also_path = path;
	also = open_whole(path);
	return kf_whole_fd(also);
}

void output_keep_apart(void)
{
	int null;

	/* -1 if it is closed: writing to it will fail, as it should */
	output_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (dup2(STDERR_FILENO, STDOUT_FILENO) == STDOUT_FILENO)
		return;
	null = open("/dev/null", O_WRONLY); /* standard error is closed */
	if (null < 0 || dup2(null, STDOUT_FILENO) < 0)
		die("cannot open '/dev/null': %s", strerror(errno));
}

int output_descriptor(void)
{
	return output_fd;
}

const char *output_name(void)
{
	return output_path ? output_path : "standard output";
}

/* Now, rather than after the work. */
static void check_writable(void)
{
	int flags = fcntl(output_fd, F_GETFL);

	if (flags >= 0 && (flags & O_ACCMODE) == O_RDONLY)
		errno = EBADF;
	else if (flags >= 0)
		return;
	die("cannot write '%s': %s", output_name(), strerror(errno));
}

void output_is_binary(void)
{
	if (isatty(output_fd))
		misuse("standard output is a terminal, and what comes is binary");
	check_writable();
}

void output_end_by_signal(int number)
{
	sigset_t set;

	kf_whole_remove_pending();
	signal(number, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(number);
	exit(128 + number); /* not reached */
}

int output_finish(void)
{
	struct kf_err err;

	/* else stdout is left to the libraries, and the commit closes the file */
	bool ours = output_fd == STDOUT_FILENO;

	if ((ours && (fflush(stdout) || ferror(stdout))) ||
		((ours || !output) && close(output_fd)))
		die("cannot write '%s': %s", output_name(), strerror(errno));
	if (also)
		check(kf_whole_commit(also, &err), &err);
	if (output)
		check(kf_whole_commit(output, &err), &err);
	return 0;
}
