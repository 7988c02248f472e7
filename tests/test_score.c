/* Scores of rows whose errors are known. */
#include <math.h>
#include <string.h>

#include "score.h"
#include "tap.h"

static struct kf_names names(const char *text)
{
	struct kf_names n = { 0 };
	struct kf_err err;

	if (kf_names_split(&n, text, &err) < 0)
		note("%s", err.msg);
	return n;
}

static bool near(double a, double b)
{
	return fabs(a - b) < 1e-6;
}

/* Two rows in pixels; predictions in another order, one more, one fewer. */
static void test_rows(void)
{
	float y[] = { 10, 20, 30, 40, 5, NAN, 31, 41 };
	float p[] = { 30, 13, 99, 24, 31, 8, 99, 7 };
	int64_t id[] = { 1, 2 };
	struct kf_schema s = { .columns = names("a_x,a_y,lone,b_y"),
		.p_columns = names("lone,a_x,c_x,a_y"), .c = 1, .h = 4, .w = 4 };
	struct kf_chunk c = { .n = 2, .id = id, .y = y, .p = p };
	struct kf_score score;
	struct kf_err err;

	if (!ok(kf_score_init(&score, &s, &err) == 0, "columns are matched"))
		return;
	ok(score.n == 2 && !strcmp(score.point[0].name, "a") &&
		!strcmp(score.point[1].name, "lone"), "two points have predictions");
	ok(kf_score_add(&score, &s, &c, &err) == 0, "rows are added");
	/* a: 3, 4 and 3, a_y of row 2 is missing; lone: 0 and 0 */
	ok(score.point[0].n == 3 && score.point[1].n == 2,
		"missing targets do not count");
	ok(near(kf_score_rmse(&score.point[0]), sqrt(34 / 3.0)), "x and y together");
	ok(kf_score_rmse(&score.point[1]) == 0, "no error");
	ok(near(kf_score_overall(&score), sqrt(34 / 5.0)), "overall");
	kf_score_add(&score, &s, &c, &err);
	ok(near(kf_score_overall(&score), sqrt(34 / 5.0)) && score.point[0].n == 6,
		"overall, twice");
	p[1] = INFINITY;
	ok(kf_score_add(&score, &s, &c, &err) < 0 && strstr(err.msg, "id 1") &&
		strstr(err.msg, "'a_x'"), "refuses: %s", err.msg);
	kf_score_free(&score);
	kf_schema_free(&s);
}

/* An image of 20 x 40: x and y have scales of their own, and so has p. */
static void test_scales(void)
{
	float y[] = { 0.5F, -0.25F }, p[] = { 18, 10 };
	int64_t id[] = { 7 };
	struct kf_schema s = { .columns = names("a_x,a_y"),
		.p_columns = names("a_x,a_y"), .c = 1, .h = 40, .w = 20, .y_scale = { { 10, 10 }, { 20, 20 } } };
	struct kf_chunk c = { .n = 1, .id = id, .y = y, .p = p };
	struct kf_score score;
	struct kf_err err;

	kf_score_init(&score, &s, &err);
	kf_score_add(&score, &s, &c, &err); /* 15 against 18, 15 against 10 */
	ok(near(kf_score_overall(&score), sqrt((9 + 25) / 2.0)),
		"scaled targets, predictions in pixels");
	kf_score_free(&score);
	s.p_scale[0] = (struct kf_scale){ 5, 1 };
	s.p_scale[1] = (struct kf_scale){ 0, 2 };
	kf_score_init(&score, &s, &err);
	kf_score_add(&score, &s, &c, &err); /* 15 against 23, 15 against 20 */
	ok(near(kf_score_overall(&score), sqrt((64 + 25) / 2.0)), "two scales");
	kf_score_free(&score);
	kf_schema_free(&s);
}

static void test_refusals(void)
{
	static const struct {
		const char *y, *p, *says;
	} cases[] = {
		{ "a_x", "", "kfkd-predict" },
		{ "", "a_x", "no targets" },
		{ "a_x,b_x", "a_y,c_x", "no column in common" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct kf_schema s = { .columns = names(cases[i].y),
			.p_columns = names(cases[i].p) };
		struct kf_score score;
		struct kf_err err = { "" };

		ok(kf_score_init(&score, &s, &err) < 0 &&
			strstr(err.msg, cases[i].says),
			"refuses: %s", err.msg);
		kf_schema_free(&s);
	}
}

int main(void)
{
	test_rows();
	test_scales();
	test_refusals();
	return done_testing();
}
