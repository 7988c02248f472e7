/* Update rules: names, defaults, and what a step depends on. */
#include "net/optim.h"

#include <math.h>
#include <string.h>

/*
 * Rates at which a net like net1 learns.  Lasagne's own for adagrad, rmsprop
 * (1) and adam (0.001) make its loss explode or stall on faces.
 */
static const struct {
	const char *name;
	double rate, decay, decay2, epsilon;
} rules[KF_RULES] = {
	[KF_SGD] = { "sgd", 0.01, 0, 0, 0 },
	[KF_MOMENTUM] = { "momentum", 0.01, 0, 0, 0 },
	[KF_NESTEROV] = { "nesterov", 0.01, 0, 0, 0 },
	[KF_ADAGRAD] = { "adagrad", 2e-4, 0, 0, 1e-6 },
	[KF_RMSPROP] = { "rmsprop", 3e-5, 0.9, 0, 1e-6 },
	[KF_ADADELTA] = { "adadelta", 1, 0.95, 0, 1e-6 },
	[KF_ADAM] = { "adam", 5e-5, 0.9, 0.999, 1e-8 },
};

const char *kf_rule_name(enum kf_rule rule)
{
	return rules[rule].name;
}

int kf_rule_find(const char *name)
{
	for (int i = 0; i < KF_RULES; i++)
		if (!strcmp(rules[i].name, name))
			return i;
	return -1;
}

double kf_rule_rate(enum kf_rule rule)
{
	return rules[rule].rate;
}

int kf_rule_uses_momentum(enum kf_rule rule)
{
	return rule == KF_MOMENTUM || rule == KF_NESTEROV;
}

int kf_rule_states(enum kf_rule rule)
{
	return rule == KF_SGD ? 0 : rule == KF_ADADELTA || rule == KF_ADAM ? 2 : 1;
}

struct kf_update kf_update(enum kf_rule rule, double rate, double momentum,
	double weight_decay, uint64_t t)
{
	double decay = kf_rule_uses_momentum(rule) ? momentum : rules[rule].decay;
	double decay2 = rules[rule].decay2;

	if (rule == KF_ADAM)
		rate *= sqrt(1 - pow(decay2, (double)t)) / (1 - pow(decay, (double)t));
	return (struct kf_update){ .rule = rule,
		.rate = (float)rate,
		.decay = (float)decay,
		.fresh = (float)(1 - decay),
		.decay2 = (float)decay2,
		.fresh2 = (float)(1 - decay2),
		.epsilon = (float)rules[rule].epsilon,
		.weight_decay = (float)weight_decay };
}
