/* Losses of coordinates: their words and arguments. */
#include "net/loss.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIXELS_MAX 1e6F

static const struct {
	const char *word, *form;
} losses[KF_LOSS_COUNT] = {
#define ROW(NAME, word, form, gradient) [KF_##NAME] = { #word, #word form },
	KF_LOSSES(ROW)
#undef ROW
};

/* What is not given, in pixels; 0 where a loss has no such argument. */
static const float usual[KF_LOSS_COUNT][2] = {
	[KF_SMOOTHL1] = { 1 },
	[KF_WING] = { 10, 2 },
};

static const char known_losses[] =
#define NAME(NAME, word, form, gradient) " " #word form
	KF_LOSSES(NAME);
#undef NAME

const char *kf_loss_form(int i)
{
	return i < KF_LOSS_COUNT ? losses[i].form : NULL;
}

static int arguments(enum kf_loss_kind kind)
{
	int n = 0;

	while (n < 2 && usual[kind][n] > 0)
		n++;
	return n;
}

/* Reads as many numbers above 0 as the loss has, with commas between, at a place in
 * text. */
static int parse_arguments(struct kf_loss *l, const char *text, const char *at,
	struct kf_err *err)
{
	float *const to[2] = { &l->a, &l->e };
	int n = arguments(l->kind);

	for (int i = 0; i < n; i++) {
		char *end;
		float v = strtof(at, &end);

		if (end == at || *end != (i + 1 < n ? ',' : '\0') ||
			!(v > 0 && v <= PIXELS_MAX))
			break;
		*to[i] = v;
		if (!*end)
			return 0;
		at = end + 1;
	}
	return kf_fail(err, "'%.40s' should be %s%s", text, losses[l->kind].form,
		n ? ", with pixels above 0" : "");
}

int kf_loss_parse(struct kf_loss *l, const char *text, struct kf_err *err)
{
	size_t n = strcspn(text, ":");

	for (int i = 0; i < KF_LOSS_COUNT; i++) {
		if (strlen(losses[i].word) != n || strncmp(losses[i].word, text, n))
			continue;
		*l = (struct kf_loss){ (enum kf_loss_kind)i, usual[i][0], usual[i][1] };
		return text[n] ? parse_arguments(l, text, text + n + 1, err) : 0;
	}
	return kf_fail(err, "there is no '%.40s', but%s", text, known_losses);
}

void kf_loss_print(const struct kf_loss *l, char *text, size_t size)
{
	static const char *const formats[] = { "%s", "%s:%.9g", "%s:%.9g,%.9g" };

	snprintf(text, size, formats[arguments(l->kind)], losses[l->kind].word, l->a,
		l->e);
}

struct kf_loss kf_loss_scaled(const struct kf_loss *l, double pixels)
{
	struct kf_loss scaled = *l;

	if (l->kind != KF_SQUARED) {
		scaled.a = (float)(l->a / pixels);
		scaled.e = (float)(l->e / pixels);
	}
	return scaled;
}
