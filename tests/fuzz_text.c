/*
 * Parses the text of augmentations and of scales: what is accepted can be printed, and
 * parses to the same again.
 */
#define _GNU_SOURCE
#include "fuzz.h"

#include "stream/scale.h"
#include "train/augment.h"

static void augment(const char *text)
{
	struct kf_augment a = { 0 }, again = { 0 };
	char printed[400], twice[400];
	struct kf_err err;

	if (kf_augment_parse(&a, text, &err) < 0)
		return;
	kf_augment_print(&a, printed, sizeof printed);
	/* nothing to do is not a word */
	if (!kf_augment_any(&a))
		return;
	if (kf_augment_parse(&again, printed, &err) < 0)
		abort();
	kf_augment_print(&again, twice, sizeof twice);
	if (strcmp(printed, twice))
		abort();
}

static void scales(const char *text, int n)
{
	struct kf_scale s[2], again[2];
	char printed[80];

	if (kf_scales_parse(s, n, text) < 0)
		return;
	kf_scales_print(s, n, printed, sizeof printed);
	if (kf_scales_parse(again, n, printed) < 0 || !kf_scales_equal(s, again, n))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = fuzz_text(data, n);

	augment(text);
	scales(text, 1);
	scales(text, 2);
	free(text);
	return 0;
}
