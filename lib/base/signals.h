/* The signals by which a person or the system ends a program. */
#ifndef KF_SIGNALS_H
#define KF_SIGNALS_H

#include <signal.h>

/* Sets *set to SIGHUP, SIGINT and SIGTERM, less those that are ignored, as SIGHUP is
 * under nohup. */
void kf_ending_signals(sigset_t *set);

#endif
