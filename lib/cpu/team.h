/*
 * How many threads of a team work: all, unless they wait for one another about half of
 * their time, as they do where other processes want the same processors.  Then fewer are
 * as fast, and all are tried again from time to time.  Results do not depend on it.
 */
#ifndef KF_CPU_TEAM_H
#define KF_CPU_TEAM_H

#include "cpu/internal.h"

/* Makes a team of all threads. */
void cpu_team_start(struct kf_backend *b);

/* Between batches of training: looks at the time since it was last called. */
void cpu_team_judge(struct kf_backend *b);

#endif
