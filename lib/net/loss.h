/*
 * Losses of coordinates.  This table is their only definition: options, help and both
 * backends are generated from it.
 *
 * A row is X(NAME, word, form, gradient), where gradient is half the loss's derivative by
 * the difference d = p - t, an expression in the floats d, a and e that is compiled as C
 * and as CUDA; a and e are the arguments that `form` names, in pixels for the user and
 * scaled like d here.
 *
 *   squared   d^2
 *   smoothl1  d^2 / 2a below a, |d| - a / 2 above: Huber's loss over a, as in PyTorch
 *   wing      a log(1 + |d| / e) below a, |d| and a constant above: Feng et al., "Wing
 *             loss for robust facial landmark localisation with convolutional neural
 *             networks", 2018
 */
#ifndef KF_LOSS_H
#define KF_LOSS_H

#include <stddef.h>

#include "base/err.h"
#include "base/table.h"

/* clang-format off */
#define KF_LOSSES(X) \
	X(SQUARED, squared, "", d) \
	X(SMOOTHL1, smoothl1, "[:PX]", 0.5f * (fabsf(d) < a ? d / a : copysignf(1, d))) \
	X(WING, wing, "[:PX,E]", \
		0.5f * (d == 0 ? 0 : fabsf(d) < a ? copysignf(a / (e + fabsf(d)), d) \
						  : copysignf(1, d)))
/* clang-format on */

#define KF_LOSS_NAME(NAME, ...) KF_##NAME,
enum kf_loss_kind { KF_LOSSES(KF_LOSS_NAME) };
#undef KF_LOSS_NAME

enum { KF_LOSS_COUNT = 0 KF_LOSSES(KF_COUNT_ROW) };

struct kf_loss {
	enum kf_loss_kind kind;
	/* As outputs are scaled; in pixels where it is parsed and printed. */
	float a, e;
};

/*
 * Parses "wing:8,1.5", or "wing" for the usual arguments: 1 pixel for smoothl1, 10 and 2
 * for wing.  -1 with a message on an error.
 */
int kf_loss_parse(struct kf_loss *l, const char *text, struct kf_err *err);
/* Writes the text that parses to l, with all arguments. */
void kf_loss_print(const struct kf_loss *l, char *text, size_t size);

/* The i-th loss's word and form, "wing[:PX,E]"; NULL after the last. */
const char *kf_loss_form(int i);

/* A loss of pixels, for outputs of which 1 stands for so many pixels. */
struct kf_loss kf_loss_scaled(const struct kf_loss *l, double pixels);

#endif
