/* Round numbers along an axis, and how they are written. */
#ifndef KF_TICKS_H
#define KF_TICKS_H

#include <stdbool.h>
#include <stddef.h>

#define KF_TICKS_MAX 128

/*
 * As many round numbers from low to high as fit on a logarithmic axis of that
 * length, no two closer than apart.  Returns how many.
 */
int kf_log_ticks(double low, double high, double length, double apart,
	double tick[KF_TICKS_MAX]);

/* The nearest round number of two digits below (or above) v, but not v itself. */
double kf_round_out(double v, bool up);

/* A round step of at least 1 that fits into end at most this many times. */
double kf_linear_step(double end, int most);
/* The same of any size. */
double kf_round_step(double end, int most);

/* Two digits as a person writes them: 0.0025, 1.5, 3e-7. */
void kf_print_tick(char *text, size_t size, double v);

#endif
