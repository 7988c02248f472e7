/* The validation split, and values that change over the epochs. */
#include "train/schedule.h"

#include <math.h>

size_t kf_valid_rows(size_t n, double share)
{
	/* rounding may leave the product slightly above an integer */
	return (size_t)ceil((double)n * share - 1e-6);
}

double kf_schedule(const double range[2], int epoch, int epochs)
{
	int i = epoch < 2 ? 0 : epoch - 2;

	return epochs < 2 ? range[0] :
			    range[0] + (range[1] - range[0]) * i / (epochs - 1);
}
