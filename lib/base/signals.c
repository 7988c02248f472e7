/* The signals by which a person or the system ends a program. */
#define _GNU_SOURCE
#include "base/signals.h"

#include <stdbool.h>
#include <stddef.h>

static const struct {
	int number;
	bool ending;
} signals[] = {
	{ SIGHUP, true },
	{ SIGINT, true },
	{ SIGTERM, true },
	{ SIGUSR1, true },
	{ SIGXCPU, true },
	{ SIGQUIT, false },
	{ SIGPIPE, false },
	{ SIGALRM, false },
	{ SIGUSR2, false },
};

static void list_signals(sigset_t *set, bool all)
{
	struct sigaction now;

	sigemptyset(set);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		int number = signals[i].number;

		if ((all || signals[i].ending) && !sigaction(number, NULL, &now) &&
			now.sa_handler != SIG_IGN)
			sigaddset(set, number);
	}
}

void kf_ending_signals(sigset_t *set)
{
	list_signals(set, false);
}

void kf_fatal_signals(sigset_t *set)
{
	list_signals(set, true);
}
