/* Lists of signals, and a stack for their handlers. */
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

int kf_signal_stack(void)
{
	static _Thread_local char stack[1 << 16];
	const stack_t own = { .ss_sp = stack, .ss_size = sizeof stack };
	stack_t now;

	if (sigaltstack(NULL, &now) == 0 && !(now.ss_flags & SS_DISABLE))
		return 0;
	return sigaltstack(&own, NULL);
}
