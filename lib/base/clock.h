/* A clock that only goes forward. */
#ifndef KF_CLOCK_H
#define KF_CLOCK_H

/* Seconds since some moment that stays the same while the process runs. */
double kf_seconds(void);

#endif
