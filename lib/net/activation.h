/*
 * Activations.  This table is their only definition: the words of a net, both
 * backends and the names in listings are generated from it.
 *
 * A row is X(NAME, word, f, backward), where f is f(x) as an expression in the float
 * x, and backward is the loss's gradient with respect to x as an expression in
 * y = f(x) and dy, the gradient with respect to y.  Both are compiled as C and as
 * CUDA.
 */
#ifndef KF_ACTIVATION_H
#define KF_ACTIVATION_H

#include "base/table.h"

/* clang-format off */
#define KF_ACTIVATIONS(X) \
	X(RELU, relu, x > 0 ? x : 0, y > 0 ? dy : 0) \
	X(LEAKYRELU, leakyrelu, x < 0 ? 0.01f * x : x, y < 0 ? 0.01f * dy : dy) \
	X(TANH, tanh, tanhf(x), dy * (1 - y * y)) \
	X(SIGMOID, sigmoid, 1 / (1 + expf(-x)), dy * (y * (1 - y)))
/* clang-format on */

#define KF_ACTIVATION_NAME(NAME, ...) KF_##NAME,
enum kf_activation { KF_LINEAR /* none */, KF_ACTIVATIONS(KF_ACTIVATION_NAME) };
#undef KF_ACTIVATION_NAME

enum { KF_ACTIVATION_COUNT = 1 KF_ACTIVATIONS(KF_COUNT_ROW) };

#endif
