/*
 * Update rules.  The table below is their only definition: options, help, notes in
 * models and both backends are generated from it.
 *
 * The formulas are Lasagne's (lasagne/updates.py), and adamw's is PyTorch's AdamW
 * (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019).  A row is
 *
 *     X(NAME, word, states, momentum, rate, decay, decay2, epsilon, factor, update)
 *
 *   states    number of values kept for each weight, 0 to 2; they start at 0
 *   momentum  whether decay is the momentum that the user sets
 *   rate      the default learning rate, at which nets like net1 learn.  Lasagne's
 *             for adagrad, rmsprop (1), adam (0.001) and adamax (0.002) make their
 *             loss diverge or stall on faces
 *   decay, decay2, epsilon
 *             constants: mu or rho or beta1, beta2, epsilon
 *   factor    multiplies the rate in step t = 1, 2, ...: an expression in the
 *             doubles t, decay and decay2
 *   update    one step for one weight: statements in the floats w (the weight),
 *             g (its gradient), s and s2 (the states) and the members of struct
 *             kf_update, compiled as C and as CUDA; those that the backends do not
 *             name by themselves are KF_STEP(member)
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
	X(ADAMW, adamw, 2, false, 5e-5, 0.9, 0.999, 1e-8, \
		sqrt(1 - pow(decay2, t)) / (1 - pow(decay, t)), \
		s = decay * s + fresh * g; \
		s2 = decay2 * s2 + fresh2 * g * g; \
		w = KF_STEP(keep) * w - rate * s / (sqrtf(s2) + epsilon);) \
	X(ADAMAX, adamax, 2, false, 1e-4, 0.9, 0.999, 1e-8, \
		1 / (1 - pow(decay, t)), \
		s = decay * s + fresh * g; \
		s2 = decay2 * s2 > fabsf(g) ? decay2 * s2 : fabsf(g); \
		w -= rate * s / (s2 + epsilon);)
/* clang-format on */

/* The step's struct kf_update is u in both, by pointer and by reference. */
#ifdef __CUDACC__
#define KF_STEP(member) u.member
#else
#define KF_STEP(member) u->member
#endif

#define KF_RULE_NAME(NAME, ...) KF_##NAME,
enum kf_rule { KF_RULES(KF_RULE_NAME) };
#undef KF_RULE_NAME

enum { KF_RULE_COUNT = 0 KF_RULES(KF_COUNT_ROW) };

/* The constants of one step, which are the same for every weight. */
struct kf_update {
	enum kf_rule rule;
	float rate;   /* including the rule's factor */
	float decay;  /* mu, rho or beta1 */
	float fresh;  /* 1 - decay, subtracted in double */
	float decay2; /* beta2 */
	float fresh2; /* 1 - beta2 */
	float epsilon;
	float weight_decay; /* gradient += weight_decay * weight; 0 for adamw */
	float keep; /* adamw: 1 - rate * weight decay, the rate without factor */
};

const char *kf_rule_name(enum kf_rule rule);
int kf_rule_find(const char *name);     /* -1 if there is no such rule */
double kf_rule_rate(enum kf_rule rule); /* the default learning rate */
bool kf_rule_uses_momentum(enum kf_rule rule);
int kf_rule_states(enum kf_rule rule); /* values per weight: 0 to 2 */

/*
 * The constants of step t = 1, 2, ... of a rule.  Rules that do not use momentum
 * ignore it.  weight_decay times a weight is added to its gradient; under adamw, a step
 * takes rate * weight_decay times the weight away instead, by the rate without factor.
 */
struct kf_update kf_update(enum kf_rule rule, double rate, double momentum,
	double weight_decay, uint64_t t);

#endif
