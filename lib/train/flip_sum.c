/* Finding what x of a point and of its mirror image add up to. */
#include "train/flip_sum.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_SLOPE 0.5 /* of outputs over targets: a net with less tells nothing */
#define LEAST_PART 4    /* the least move is so small a part */
#define FARTHEST 8      /* the sum stays this part of the width around width - 1 */

size_t kf_flip_values(const struct kf_flip_finder *f)
{
	return 2 * KF_FLIP_VALUES * (size_t)f->m;
}

int kf_flip_open(struct kf_flip_finder *f, int m, struct kf_err *err)
{
	*f = (struct kf_flip_finder){ .m = m };
	f->sums = calloc(kf_flip_values(f) + 1, sizeof *f->sums);
	return f->sums ? 0 : kf_fail_memory(err);
}

void kf_flip_close(struct kf_flip_finder *f)
{
	free(f->sums);
	*f = (struct kf_flip_finder){ 0 };
}

bool kf_flip_looks(const struct kf_flip_finder *f, int epoch, int epochs)
{
	int before = epochs / 8;

	return f->sums && epoch > before && epoch <= before + (epochs + 3) / 4;
}

/* An image is mirrored if the warp turns its plane over. */
static bool mirrored(const struct kf_warp *w)
{
	return w->m[0] * w->m[4] - w->m[1] * w->m[3] < 0;
}

static float *sum_of(const struct kf_flip_finder *f, bool side,
	enum kf_flip_value value, int column)
{
	return f->sums + ((size_t)side * KF_FLIP_VALUES + value) * (size_t)f->m +
		column;
}

/* Both in pixels from the middle. */
static void add_value(struct kf_flip_finder *f, bool side, int column, double p,
	double t)
{
	const double value[KF_FLIP_VALUES] = { 1, p, t, p * t, t * t };

	for (int i = 0; i < KF_FLIP_VALUES; i++)
		*sum_of(f, side, (enum kf_flip_value)i, column) += (float)value[i];
}

void kf_flip_add(struct kf_flip_finder *f, const struct kf_augmenter *g, const float *p,
	const float *targets, const struct kf_warp *warps, int n)
{
	double factor = g->scale[0].factor;

	for (int i = 0; i < n * f->m; i++) {
		int column = i % f->m;

		if (g->axis[column] == 0 && !isnan(targets[i]))
			add_value(f, mirrored(&warps[i / f->m]), column, p[i] * factor,
				targets[i] * factor);
	}
}

/* What rows of one kind say of a column. */
struct moments {
	double n, p, t;         /* the number, and means */
	double product, square; /* sums of (p - mean) (t - mean) and of (t - mean)^2 */
};

static struct moments moments(const struct kf_flip_finder *f, bool side, int column)
{
	double sum[KF_FLIP_VALUES], n;

	for (int i = 0; i < KF_FLIP_VALUES; i++)
		sum[i] = *sum_of(f, side, (enum kf_flip_value)i, column);
	n = sum[KF_FLIP_N];
	return (struct moments){ n, sum[KF_FLIP_P] / n, sum[KF_FLIP_T] / n,
		sum[KF_FLIP_PT] - sum[KF_FLIP_P] * sum[KF_FLIP_T] / n,
		sum[KF_FLIP_TT] - sum[KF_FLIP_T] * sum[KF_FLIP_T] / n };
}

/* How far a column says that the sum is off: NAN if it says nothing. */
static double column_off(const struct kf_flip_finder *f, int column, double *n)
{
	struct moments a = moments(f, false, column), b = moments(f, true, column);
	double slope = (a.product + b.product) / (a.square + b.square);

	double spread = sqrt((a.square + b.square) / (a.n + b.n));

	*n = a.n + b.n;
	if (!(a.n > 0 && b.n > 0 && slope > LEAST_SLOPE && fabs(b.t - a.t) < spread))
		return NAN;
	return (b.p - a.p) / slope - (b.t - a.t);
}

static double within(double v, double middle, double distance)
{
	return fmin(fmax(v, middle - distance), middle + distance);
}

void kf_flip_move(struct kf_flip_finder *f, struct kf_augmenter *g)
{
	double off = 0, heard = 0, all = 0, n;

	for (int j = 0; j < f->m; j++) {
		double v = column_off(f, j, &n);

		all += n;
		if (isfinite(v)) {
			off += n * v;
			heard += n;
		}
	}
	memset(f->sums, 0, kf_flip_values(f) * sizeof *f->sums);
	if (!(heard > all / 2))
		return;
	f->moves++;
	off /= heard * (f->moves < LEAST_PART ? f->moves : LEAST_PART);
	g->flip_sum = within(g->flip_sum + off, g->w - 1, (double)g->w / FARTHEST);
}
