/* Update rules: the constants of a step, from the table. */
#include "net/optim.h"

#include <math.h>
#include <string.h>

static const struct {
	const char *name;
	int states;
	bool momentum;
	double rate, decay, decay2, epsilon;
} rules[KF_RULE_COUNT] = {
#define ROW(NAME, word, states, momentum, rate, decay, decay2, epsilon, ...) \
	[KF_##NAME] = { #word, states, momentum, rate, decay, decay2, epsilon },
	KF_RULES(ROW)
#undef ROW
};

const char *kf_rule_name(enum kf_rule rule)
{
	return rules[rule].name;
}

int kf_rule_find(const char *name)
{
	for (int i = 0; i < KF_RULE_COUNT; i++)
		if (!strcmp(rules[i].name, name))
			return i;
	return -1;
}

double kf_rule_rate(enum kf_rule rule)
{
	return rules[rule].rate;
}

bool kf_rule_uses_momentum(enum kf_rule rule)
{
	return rules[rule].momentum;
}

int kf_rule_states(enum kf_rule rule)
{
	return rules[rule].states;
}

/* Multiplies the rate in step t. */
static double rate_factor(enum kf_rule rule, double decay, double decay2, double t)
{
	switch (rule) {
#define CASE(NAME, word, states, momentum, rate, b1, b2, epsilon, factor, ...) \
	case KF_##NAME: return factor;
		KF_RULES(CASE)
#undef CASE
	}
	return 1;
}

struct kf_update kf_update(enum kf_rule rule, double rate, double momentum,
	double weight_decay, uint64_t t)
{
	double decay = rules[rule].momentum ? momentum : rules[rule].decay;
	double decay2 = rules[rule].decay2;
	bool decoupled = rule == KF_ADAMW;

	return (struct kf_update){ .rule = rule,
		.rate = (float)(rate * rate_factor(rule, decay, decay2, (double)t)),
		.decay = (float)decay,
		.fresh = (float)(1 - decay),
		.decay2 = (float)decay2,
		.fresh2 = (float)(1 - decay2),
		.epsilon = (float)rules[rule].epsilon,
		.weight_decay = decoupled ? 0 : (float)weight_decay,
		.keep = decoupled ? (float)(1 - rate * weight_decay) : 1 };
}
