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
	float a, e; /* as outputs are scaled */
};

#endif
