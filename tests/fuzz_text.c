/*
 * Parses the text of augmentations, of scales, of losses and of schedules' shapes: what is
 * accepted can be printed, and parses to the same again.  And of ranges, which hold their
 * ends and nothing beside, and of conditions on rows.
 */
#define _GNU_SOURCE
#include "fuzz.h"

#include "net/loss.h"
#include "rows/ranges.h"
#include "rows/where.h"
#include "stream/scale.h"
#include "train/augment.h"
#include "train/schedule.h"

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

static void loss(const char *text)
{
	struct kf_loss l, again;
	char printed[100];
	struct kf_err err;

	if (kf_loss_parse(&l, text, &err) < 0)
		return;
	kf_loss_print(&l, printed, sizeof printed);
	if (kf_loss_parse(&again, printed, &err) < 0 || l.kind != again.kind ||
		l.a != again.a || l.e != again.e)
		abort();
}

static void shape(const char *text)
{
	struct kf_schedule s = { .from = 1, .to = 2 }, again = s;
	char printed[100];
	struct kf_err err;

	if (kf_schedule_shape(&s, text, &err) < 0)
		return;
	kf_schedule_print(&s, printed, sizeof printed); /* "1:2:step:3" */
	if (s.shape != KF_LINEAR_SHAPE &&
		(kf_schedule_shape(&again, printed + 4, &err) < 0 ||
			s.shape != again.shape || s.stages != again.stages))
		abort();
	if (!(kf_schedule_at(&s, 3, 7) >= 1 && kf_schedule_at(&s, 3, 7) <= 2))
		abort();
}

static void ranges(const char *text)
{
	struct kf_ranges r = { 0 };
	struct kf_err err;

	if (kf_ranges_add(&r, text, 0, &err) == 0)
		kf_ranges_add(&r, "7,5", 0, &err);
	for (size_t i = 0; i < r.n; i++) {
		const struct kf_range *range = &r.range[i];

		if (!kf_ranges_hold(&r, range->first) ||
			!kf_ranges_hold(&r, range->last) ||
			kf_ranges_hold(&r, range->first - 1) ||
			(range->last < INT64_MAX &&
				kf_ranges_hold(&r, range->last + 1)))
			abort();
	}
	kf_ranges_free(&r);
}

static void where(const char *text)
{
	static char *classes[] = { "a", "7" }, *outputs[] = { "class_0", "class_1" };
	static char who[4] = "anna", photograph[4] = "";
	static float p[] = { .25f, .75f };
	const struct kf_schema s = { .dtype = KF_U8,
		.c = 1,
		.h = 1,
		.w = 1,
		.has_label = true,
		.has_face = true,
		.name_width = sizeof who,
		.file_width = sizeof photograph,
		.classes = 2,
		.class_names = { 2, classes },
		.p_columns = { 2, outputs } };
	int64_t id = 3;
	const struct kf_chunk c = { .n = 1,
		.id = &id,
		.label = &id,
		.face = &id,
		.name = who,
		.file = photograph,
		.p = p };
	struct kf_where w = { 0 };
	struct kf_err err;

	if (kf_where_add(&w, text, &err) == 0 && kf_where_begin(&w, &s, &err) == 0 &&
		kf_where_row(&w, &s, &c, 0, &err) < 0)
		abort();
	kf_where_free(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = fuzz_text(data, n);

	augment(text);
	loss(text);
	shape(text);
	ranges(text);
	where(text);
	scales(text, 1);
	scales(text, 2);
	free(text);
	return 0;
}
