/* The signals by which a person or the system ends a program; a stack for handlers. */
#ifndef KF_SIGNALS_H
#define KF_SIGNALS_H

#include <signal.h>

/* Both leave out signals that are ignored, as SIGHUP is under nohup. */

/* Those that ask a program to end, and leave it the time to save its work: SIGHUP,
 * SIGINT, SIGTERM; SIGUSR1 and SIGXCPU, which batch systems send before a limit. */
void kf_ending_signals(sigset_t *set);

/* These and the others from outside that end a program unless it handles them. */
void kf_fatal_signals(sigset_t *set);

/*
 * Gives the calling thread a stack, unless it has one, for handlers that were installed
 * with SA_ONSTACK: oneDNN's matrix products use the stack pointer for purposes of their
 * own.  -1 where that fails.
 */
int kf_signal_stack(void);

#endif
