/* Scores of rows whose errors are known, and the worst of them. */
#include <math.h>
#include <string.h>

#include "rows/classes.h"
#include "rows/score.h"
#include "tap.h"
#include "rows/worst.h"

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
		.p_columns = names("lone,a_x,c_x,a_y"),
		.c = 1,
		.h = 4,
		.w = 4 };
	struct kf_chunk c = { .n = 2, .id = id, .y = y, .p = p };
	struct kf_score score;
	struct kf_err err;

	if (!ok(kf_score_init(&score, &s, &err) == 0, "columns are matched"))
		return;
	ok(score.n == 2 && !strcmp(score.point[0].name, "a") &&
			!strcmp(score.point[1].name, "lone"),
		"two points have predictions");
	ok(kf_score_add(&score, &s, &c, &err) == 0, "rows are added");
	/* a: 3, 4 and 3, a_y of row 2 is missing; lone: 0 and 0 */
	ok(score.point[0].n == 3 && score.point[1].n == 2,
		"missing targets do not count");
	ok(near(kf_score_rmse(&score.point[0]), sqrt(34 / 3.0)), "x and y together");
	ok(kf_score_rmse(&score.point[1]) == 0, "no error");
	ok(near(kf_score_overall(&score), sqrt(34 / 5.0)), "overall");
	ok(kf_score_sum(&score).n == 5, "... of 5 values");
	kf_score_add(&score, &s, &c, &err);
	ok(near(kf_score_overall(&score), sqrt(34 / 5.0)) && score.point[0].n == 6,
		"overall, twice");
	p[1] = INFINITY;
	ok(kf_score_add(&score, &s, &c, &err) < 0 && strstr(err.msg, "id 1") &&
			strstr(err.msg, "'a_x'"),
		"refuses: %s", err.msg);
	p[1] = 13;
	p[7] = NAN; /* the target is missing, too */
	ok(kf_score_add(&score, &s, &c, &err) < 0 && strstr(err.msg, "id 2") &&
			strstr(err.msg, "'a_y'"),
		"refuses: %s", err.msg);
	kf_score_free(&score);
	kf_schema_free(&s);
}

/* An image of 20 x 40: x and y have scales of their own, and so has p. */
static void test_scales(void)
{
	float y[] = { 0.5F, -0.25F }, p[] = { 18, 10 };
	int64_t id[] = { 7 };
	struct kf_schema s = { .columns = names("a_x,a_y"),
		.p_columns = names("a_x,a_y"),
		.c = 1,
		.h = 40,
		.w = 20,
		.y_scale = { { 10, 10 }, { 20, 20 } } };
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
		struct kf_err err = { .msg = "" };

		ok(kf_score_init(&score, &s, &err) < 0 &&
				strstr(err.msg, cases[i].says),
			"refuses: %s", err.msg);
		kf_schema_free(&s);
	}
}

/* -- single rows ----------------------------------------------------------------- */

static void test_row(void)
{
	float y[] = { 0, 0, NAN, NAN, 1, NAN }, p[] = { 3, 4, 1, 1, 8, 9 };
	int64_t id[] = { 1, 2, 3 };
	struct kf_schema s = { .columns = names("a_x,b_y"),
		.p_columns = names("a_x,b_y") };
	struct kf_chunk c = { .n = 3, .id = id, .y = y, .p = p };
	struct kf_point_score row;
	struct kf_score score;
	struct kf_err err;

	kf_score_init(&score, &s, &err);
	kf_score_row(&score, &s, &c, 0, &row, &err);
	ok(row.n == 2 && near(kf_score_rmse(&row), sqrt(25 / 2.0)),
		"a row's own error");
	kf_score_row(&score, &s, &c, 1, &row, &err);
	ok(row.n == 0 && isnan(kf_score_rmse(&row)), "a row without targets has none");
	kf_score_row(&score, &s, &c, 2, &row, &err);
	ok(row.n == 1 && near(kf_score_rmse(&row), 7), "missing targets do not count");
	ok(near(kf_score_overall(&score), sqrt((25 + 49) / 3.0)),
		"and all rows were added");
	kf_score_free(&score);
	kf_schema_free(&s);
}

static void test_worst(void)
{
	static const double errors[] = { 1, 5, 2, 5, 4, 0, INFINITY, 3 };
	enum { ROWS = sizeof errors / sizeof *errors };
	struct kf_schema s = { .columns = names("a_x"),
		.p_columns = names("a_x,a_y"),
		.has_label = true,
		.c = 1,
		.h = 1,
		.w = 2 };
	struct kf_chunk c = { 0 };
	struct kf_worst worst;
	struct kf_err err;
	bool whole = true;

	if (kf_chunk_reserve(&c, &s, ROWS, &err) < 0 ||
		!ok(kf_worst_init(&worst, &s, 4, &err) == 0, "room for four rows"))
		return;
	for (int i = 0; i < ROWS; i++) {
		c.id[i] = c.label[i] = i;
		c.y[i] = c.p[2 * i] = c.p[2 * i + 1] = (float)i;
		memset((char *)c.X + 2 * i, i, 2);
	}
	for (size_t i = 0; i < ROWS; i++)
		kf_worst_add(&worst, &c, i, errors[i]);
	ok(worst.n == 4 && worst.chunk.n == 4, "four rows are kept");
	for (int i = 0; i < worst.n; i++) {
		static const int want[] = { 6, 1, 3, 4 };
		size_t at = worst.row[i].at;
		const unsigned char *X = worst.chunk.X;
		int k = want[i];

		ok(worst.chunk.id[at] == k && worst.row[i].error == errors[k],
			"number %d is row %d", i + 1, k);
		whole = whole && worst.chunk.label[at] == k && worst.chunk.y[at] == k &&
			worst.chunk.p[2 * at + 1] == k && X[2 * at] == k &&
			X[2 * at + 1] == k;
	}
	ok(whole, "with all that belongs to them");
	kf_worst_add(&worst, &c, 7, 4);
	ok(worst.n == 4 && worst.chunk.id[worst.row[3].at] == 4,
		"of two equal errors the first is kept");
	kf_worst_free(&worst);
	s.h = s.w = 96;
	ok(kf_worst_init(&worst, &s, 1000000, &err) < 0 && strstr(err.msg, "at most"),
		"too many: %s", err.msg);
	kf_chunk_free(&c);
	kf_schema_free(&s);
}

/* -- classes --------------------------------------------------------------------- */

static void test_classes(void)
{
	float p[] = { 9, 0.1f, 0.7f, 0.2f, 9, 0.5f, 0.5f, 0, 9, 0.3f, 0.3f, 0.4f };
	int64_t id[] = { 1, 2, 3 }, label[] = { 2, 0, 1 };
	struct kf_schema s = { .has_label = true,
		.p_columns = names("nose_x,class_1,class_2,class_0") };
	struct kf_chunk c = { .n = 3, .id = id, .label = label, .p = p };
	struct kf_accuracy a;
	struct kf_err err;

	if (!ok(kf_accuracy_init(&a, &s, &err) == 0 && a.classes.n == 3,
		    "three classes"))
		return;
	ok(isnan(kf_accuracy_overall(&a)), "no rows, no accuracy");
	ok(kf_accuracy_row(&a, &s, &c, 0, &err) == 2, "the largest is predicted");
	ok(kf_accuracy_row(&a, &s, &c, 1, &err) == 1, "of equal ones the first class");
	ok(kf_accuracy_row(&a, &s, &c, 2, &err) == 0, "columns are found by name");
	ok(a.rows[0] == 1 && a.rows[1] == 1 && a.rows[2] == 1 && a.right[0] == 0 &&
			a.right[1] == 0 && a.right[2] == 1,
		"rows and hits of each label");
	ok(near(kf_accuracy_overall(&a), 1 / 3.0) && kf_accuracy_rows(&a) == 3,
		"overall, of 3 rows");
	label[1] = 3;
	ok(kf_accuracy_row(&a, &s, &c, 1, &err) < 0 && strstr(err.msg, "id 2") &&
			strstr(err.msg, "3"),
		"refuses: %s", err.msg);
	label[1] = -1;
	ok(kf_accuracy_row(&a, &s, &c, 1, &err) < 0, "refuses: %s", err.msg);
	label[1] = 0;
	p[5] = NAN;
	ok(kf_accuracy_row(&a, &s, &c, 1, &err) < 0 && strstr(err.msg, "class_1"),
		"refuses: %s", err.msg);
	kf_accuracy_free(&a);
	kf_schema_free(&s);
}

static void test_class_refusals(void)
{
	static const struct {
		bool label;
		int classes;
		const char *p, *says;
	} cases[] = {
		{ false, 0, "class_0", "no labels" },
		{ true, 10, "", "kfkd-predict" },
		{ true, 0, "nose_x,class_1", "'class_0'" },
		{ true, 10, "class_0,class_1,class_3",
			"10 classes, and predictions of 2" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct kf_schema s = { .has_label = cases[i].label,
			.classes = cases[i].classes,
			.p_columns = names(cases[i].p) };
		struct kf_accuracy a;
		struct kf_err err = { .msg = "" };

		ok(kf_accuracy_init(&a, &s, &err) < 0 && strstr(err.msg, cases[i].says),
			"refuses: %s", err.msg);
		kf_names_free(&s.p_columns);
	}
}

int main(void)
{
	test_rows();
	test_scales();
	test_refusals();
	test_row();
	test_worst();
	test_classes();
	test_class_refusals();
	return done_testing();
}
