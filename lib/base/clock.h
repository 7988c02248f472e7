/* A monotonic clock. */
#ifndef KF_CLOCK_H
#define KF_CLOCK_H

/* Seconds since a fixed but unspecified moment. */
double kf_seconds(void);

#endif
