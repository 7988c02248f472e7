/* The signals by which a person or the system ends a program. */
#define _GNU_SOURCE
#include "base/signals.h"

#include <stddef.h>

void kf_ending_signals(sigset_t *set)
{
	static const int numbers[] = { SIGHUP, SIGINT, SIGTERM };
	struct sigaction now;

	sigemptyset(set);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (!sigaction(numbers[i], NULL, &now) && now.sa_handler != SIG_IGN)
			sigaddset(set, numbers[i]);
}
