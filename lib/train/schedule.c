/* The validation split, and values that change over the epochs. */
#include "train/schedule.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAGES 3
#define STAGES_MAX 1000000

size_t kf_valid_rows(size_t n, double share)
{
	/* rounding may leave the product slightly above an integer */
	return (size_t)ceil((double)n * share - 1e-6);
}

static int parse_stages(struct kf_schedule *s, const char *text, struct kf_err *err)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end || n < 2 || n > STAGES_MAX)
		return kf_fail(err,
			"'step:%.40s' is not a number of stages from 2 to %d", text,
			STAGES_MAX);
	s->stages = (int)n;
	return 0;
}

int kf_schedule_shape(struct kf_schedule *s, const char *text, struct kf_err *err)
{
	int rc = 0;

	s->stages = 0;
	if (!strcmp(text, "linear")) {
		s->shape = KF_LINEAR_SHAPE;
	} else if (!strcmp(text, "cosine")) {
		s->shape = KF_COSINE_SHAPE;
	} else if (!strcmp(text, "step")) {
		s->shape = KF_STEP_SHAPE;
		s->stages = STAGES;
	} else if (!strncmp(text, "step:", 5)) {
		s->shape = KF_STEP_SHAPE;
		rc = parse_stages(s, text + 5, err);
	} else {
		rc = kf_fail(err, "'%.40s' is none of linear, cosine, step and step:N",
			text);
	}
	if (rc == 0 && s->shape == KF_STEP_SHAPE && !(s->from > 0 && s->to > 0))
		rc = kf_fail(err, "'%.40s' goes by factors, from and to values above 0",
			text);
	return rc;
}

bool kf_schedule_changes(const struct kf_schedule *s)
{
	return s->from != s->to;
}

void kf_schedule_print(const struct kf_schedule *s, char *text, size_t size)
{
	if (!kf_schedule_changes(s))
		snprintf(text, size, "%.9g", s->from);
	else if (s->shape == KF_STEP_SHAPE)
		snprintf(text, size, "%.9g:%.9g:step:%d", s->from, s->to, s->stages);
	else
		snprintf(text, size, "%.9g:%.9g%s", s->from, s->to,
			s->shape == KF_COSINE_SHAPE ? ":cosine" : "");
}

double kf_schedule_at(const struct kf_schedule *s, int epoch, int epochs)
{
	long long stage;
	int i = epoch < 2 ? 0 : epoch - 2;

	/* some shapes would round a value that stays the same */
	if (epochs < 2 || !kf_schedule_changes(s))
		return s->from;
	switch (s->shape) {
	case KF_LINEAR_SHAPE: break;
	case KF_COSINE_SHAPE:
		return s->to +
			(s->from - s->to) * (1 + cos(acos(-1) * (epoch - 1) / epochs)) /
			2;
	case KF_STEP_SHAPE:
		stage = (long long)(epoch - 1) * s->stages / epochs;
		return s->from * pow(s->to / s->from, (double)stage / (s->stages - 1));
	}
	return s->from + (s->to - s->from) * i / (epochs - 1);
}

double kf_schedule_warm(const struct kf_schedule *s, int warmup, int epoch, int epochs)
{
	if (epoch <= warmup)
		return s->from * epoch / (warmup + 1);
	return kf_schedule_at(s, epoch - warmup, epochs - warmup);
}
