/* Learning curves: losses against epochs, with logarithmic losses. */
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
	double pixels;              /* RMSE in pixels = pixels * sqrt(loss), or 0 */
	int targets;                /* how many the losses are the mean of */
	bool mean;                  /* drawn thick: the mean of other curves */
};

/*
 * The mean of validation losses, each weighing as much as it has targets, so
 * that models of different targets make the loss over all of them.  Returns
 * how many epochs it has, those of the shortest curve; it is NaN where a curve
 * has no loss.
 */
int kf_curves_mean(const struct kf_curve *curves, int n, float *mean /* (epochs) */);

/*
 * Draws n curves and their axes over a whole white canvas.  Losses reach from
 * low to high, or as far as the curves do where both are 0.  The RMSE is on
 * the right if all have the same pixels, not 0.  -1 where no loss is positive.
 */
int kf_draw_curves(struct kf_canvas *c, const struct kf_curve *curves, int n,
	double low, double high, struct kf_err *err);

#endif
