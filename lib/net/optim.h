/*
 * Update rules, with Lasagne's formulas (lasagne/updates.py): g is the
 * gradient, eta the rate, mu the momentum, w a weight; state starts at 0.
 *
 *   sgd        w -= eta g
 *   momentum   v = mu v - eta g;  w += v
 *   nesterov   v = mu v - eta g;  w += mu v - eta g
 *   adagrad    a += g^2;  w -= eta g / sqrt(a + eps)
 *   rmsprop    a = rho a + (1 - rho) g^2;  w -= eta g / sqrt(a + eps)
 *   adadelta   a as rmsprop;  u = g sqrt(d + eps) / sqrt(a + eps);
 *              w -= eta u;  d = rho d + (1 - rho) u^2
 *   adam       m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;
 *              w -= eta sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + eps)
 */
#ifndef KF_OPTIM_H
#define KF_OPTIM_H

#include <stdint.h>

enum kf_rule {
	KF_SGD,
	KF_MOMENTUM,
	KF_NESTEROV,
	KF_ADAGRAD,
	KF_RMSPROP,
	KF_ADADELTA,
	KF_ADAM,
	KF_RULES
};

/* One step, with all that depends on the step worked out. */
struct kf_update {
	enum kf_rule rule;
	float rate;   /* eta; for adam with the correction for step t in it */
	float decay;  /* mu, rho or b1 */
	float fresh;  /* 1 - decay, which 1.0f - decay is not to float's precision */
	float decay2; /* b2 */
	float fresh2; /* 1 - b2 */
	float epsilon;
	float weight_decay; /* times the weight is added to its gradient */
};

const char *kf_rule_name(enum kf_rule rule);
int kf_rule_find(const char *name);     /* or -1 */
double kf_rule_rate(enum kf_rule rule); /* the rate when none is given */
int kf_rule_uses_momentum(enum kf_rule rule);
int kf_rule_states(enum kf_rule rule); /* values it keeps for a weight: 0-2 */

/* The step t = 1, 2, ... of a rule; momentum matters only where it is used. */
struct kf_update kf_update(enum kf_rule rule, double rate, double momentum,
	double weight_decay, uint64_t t);

#endif
