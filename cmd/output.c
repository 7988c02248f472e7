/* Standard output, or a file in its place. */
#define _GNU_SOURCE
#include "output.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/signals.h"
#include "base/whole_file.h"
#include "messages.h"

static const char *output_path;      /* of -o, or NULL */
static struct kf_whole_file *output; /* the same */

static void remove_and_end(int signal)
{
	kf_whole_remove_pending();
	raise(signal); /* SA_RESETHAND restored its default */
}

static void remove_at_signals(void)
{
	struct sigaction sa = { .sa_handler = remove_and_end,
		.sa_flags = (int)SA_RESETHAND };
	sigset_t ending;

	kf_ending_signals(&ending);
	for (int number = 1; number < NSIG; number++)
		if (sigismember(&ending, number) == 1)
			sigaction(number, &sa, NULL);
}

void output_begin(const char *path)
{
	struct kf_err err;

	if (!path)
		return;
	output_path = path;
	remove_at_signals();
	atexit(kf_whole_remove_pending);
	output = kf_whole_open(path, KF_WHOLE_OUTPUT, &err);
	must(output, &err);
	if (dup2(kf_whole_fd(output), STDOUT_FILENO) < 0)
		die("cannot write '%s': %s", path, strerror(errno));
}

const char *output_name(void)
{
	return output_path ? output_path : "standard output";
}

void output_is_binary(void)
{
	if (isatty(STDOUT_FILENO))
		misuse("standard output is a terminal, and what comes is binary");
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

	if (fflush(stdout) || ferror(stdout) || close(STDOUT_FILENO))
		die("cannot write '%s': %s", output_name(), strerror(errno));
	if (output)
		check(kf_whole_commit(output, &err), &err);
	return 0;
}
