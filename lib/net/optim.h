/*
 * Update rules.  The table below is the only place that knows them: options,
 * help, models and both backends take from it.
 *
 * The formulas are Lasagne's (lasagne/updates.py).  A row is
 *
 *     X(NAME, word, states, momentum, rate, decay, decay2, epsilon, factor, update)
 *
 *   states    values that the rule keeps for each weight, 0 to 2; they start at 0
 *   momentum  whether decay is the momentum that the user sets
 *   rate      the learning rate when none is given: one at which a net like net1
 *             learns.  Lasagne's own for adagrad, rmsprop (1), adam (0.001) and
 *             adamax (0.002) make its loss explode or stall on faces
 *   decay, decay2, epsilon
 *             constants: mu or rho or beta1, beta2, epsilon
 *   factor    what the rate is multiplied by in step t = 1, 2, ...: an expression
 *             in the doubles t, decay and decay2
 *   update    one step of one weight: statements in the floats w (the weight),
 *             g (its gradient), s and s2 (the states) and the members of struct
 *             kf_update.  They are compiled as C and as CUDA
 */
#ifndef KF_OPTIM_H
#define KF_OPTIM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/table.h"

/* clang-format off */
#define KF_RULES(X) \
	X(SGD, sgd, 0, false, 0.01, 0, 0, 0, 1, \
		w -= rate * g;) \
	X(MOMENTUM, momentum, 1, true, 0.01, 0, 0, 0, 1, \
		s = decay * s - rate * g; \
		w += s;) \
	X(NESTEROV, nesterov, 1, true, 0.01, 0, 0, 0, 1, \
		float step = rate * g; \
		s = decay * s - step; \
		w += decay * s - step;) \
	X(ADAGRAD, adagrad, 1, false, 2e-4, 0, 0, 1e-6, 1, \
		s += g * g; \
		w -= rate * g / sqrtf(s + epsilon);) \
	X(RMSPROP, rmsprop, 1, false, 3e-5, 0.9, 0, 1e-6, 1, \
		s = decay * s + fresh * g * g; \
		w -= rate * g / sqrtf(s + epsilon);) \
	X(ADADELTA, adadelta, 2, false, 1, 0.95, 0, 1e-6, 1, \
		s = decay * s + fresh * g * g; \
		float step = g * sqrtf(s2 + epsilon) / sqrtf(s + epsilon); \
		w -= rate * step; \
		s2 = decay * s2 + fresh * step * step;) \
	X(ADAM, adam, 2, false, 5e-5, 0.9, 0.999, 1e-8, \
		sqrt(1 - pow(decay2, t)) / (1 - pow(decay, t)), \
		s = decay * s + fresh * g; \
		s2 = decay2 * s2 + fresh2 * g * g; \
		w -= rate * s / (sqrtf(s2) + epsilon);) \
	X(ADAMAX, adamax, 2, false, 1e-4, 0.9, 0.999, 1e-8, \
		1 / (1 - pow(decay, t)), \
		s = decay * s + fresh * g; \
		s2 = decay2 * s2 > fabsf(g) ? decay2 * s2 : fabsf(g); \
		w -= rate * s / (s2 + epsilon);)
/* clang-format on */

#define KF_RULE_NAME(NAME, ...) KF_##NAME,
enum kf_rule { KF_RULES(KF_RULE_NAME) };
#undef KF_RULE_NAME

enum { KF_RULE_COUNT = 0 KF_RULES(KF_COUNT_ROW) };

/* One step, with all that is the same for every weight worked out. */
struct kf_update {
	enum kf_rule rule;
	float rate;   /* times the rule's factor */
	float decay;  /* mu, rho or beta1 */
	float fresh;  /* 1 - decay, which is not 1.0f - decay in float's precision */
	float decay2; /* beta2 */
	float fresh2; /* 1 - beta2 */
	float epsilon;
	float weight_decay; /* times the weight is added to its gradient */
};

const char *kf_rule_name(enum kf_rule rule);
int kf_rule_find(const char *name);     /* or -1 */
double kf_rule_rate(enum kf_rule rule); /* the rate when none is given */
bool kf_rule_uses_momentum(enum kf_rule rule);
int kf_rule_states(enum kf_rule rule); /* values it keeps for a weight: 0 to 2 */

/*
 * Step t = 1, 2, ... of a rule.  momentum matters only to rules that use it;
 * weight_decay times a weight is added to its gradient.
 */
struct kf_update kf_update(enum kf_rule rule, double rate, double momentum,
	double weight_decay, uint64_t t);

#endif
