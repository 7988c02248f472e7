/* Learning curves: losses against epochs or time, with logarithmic losses. */
#ifndef KF_CURVE_H
#define KF_CURVE_H

#include "draw/draw.h"

/* The smallest canvas that has room for axes and curves. */
#define KF_CURVE_MIN_W 320
#define KF_CURVE_MIN_H 240

struct kf_curve {
	const char *name;
	int epochs;
	const float *train, *valid; /* (epochs), NaN where there is none; or NULL */
	const double *seconds; /* (epochs) from the start to each one's end; or NULL */
	double pixels;         /* RMSE in pixels = pixels * sqrt(loss), or 0 */
	int targets;           /* how many the losses are the mean of */
	bool mean;             /* drawn thick: the mean of other curves */
};

/* What part of the plane is drawn, and how; all zeros follows the curves. */
struct kf_curve_view {
	double low, high;   /* losses; both 0: as far as the curves go */
	double left, right; /* epochs, or seconds with by_time; both 0 likewise */
	bool by_time;       /* all curves have seconds */
	bool log_x;
};

/*
 * The mean of validation losses, each weighing as much as it has targets, so
 * that models of different targets make the loss over all of them.  Returns
 * how many epochs it has, those of the shortest curve; it is NaN where a curve
 * has no loss.
 */
int kf_curves_mean(const struct kf_curve *curves, int n, float *mean /* (epochs) */);

/* Whether the longest curve is more than ten times as long as the shortest, so that only a
 * logarithmic axis shows both. */
bool kf_curves_uneven(const struct kf_curve *curves, int n, bool by_time);

/* Whether any loss lies within the limits of the view. */
bool kf_curves_within(const struct kf_curve *curves, int n,
	const struct kf_curve_view *view);

/*
 * Draws n curves and their axes over a whole white canvas, and where there are several,
 * their names, in a corner where no curve is or on the right.  The RMSE is on
 * the right if all have the same pixels, not 0, and there is room for it.  -1 where no loss is positive, and
 * when out of memory.
 */
int kf_draw_curves(struct kf_canvas *c, const struct kf_curve *curves, int n,
	const struct kf_curve_view *view, struct kf_err *err);

#endif
