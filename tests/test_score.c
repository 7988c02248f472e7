/* Scores of rows whose errors are known, and the worst of them. */
#include <math.h>
#include <string.h>

#include "random64.h"
#include "rows/classes.h"
#include "rows/nme.h"
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

/* -- the normalised mean error ------------------------------------------------------- */

#define NME_ROWS 300
#define NME_POINTS 4
#define NME_COLUMNS (2 * NME_POINTS)

/* Plain computations.  d of a row, over the box or between the points 0 and 3. */
static double plain_d(const float *y, bool box)
{
	double x0 = 1e9, x1 = -1e9, y0 = 1e9, y1 = -1e9;

	if (!box)
		return sqrt(pow(y[0] - y[6], 2) + pow(y[1] - y[7], 2));
	for (int i = 0; i < NME_COLUMNS; i += 2) {
		if (isnan(y[i]) || isnan(y[i + 1]))
			continue;
		x0 = y[i] < x0 ? y[i] : x0;
		x1 = y[i] > x1 ? y[i] : x1;
		y0 = y[i + 1] < y0 ? y[i + 1] : y0;
		y1 = y[i + 1] > y1 ? y[i + 1] : y1;
	}
	return x0 > x1 ? 0 : sqrt((x1 - x0) * (y1 - y0));
}

/* The error of a point in a row; NaN where it has none. */
static double plain_error(const float *y, const float *p, int point, bool box)
{
	double d = plain_d(y, box);
	double dx = y[2 * point] - p[2 * point];
	double dy = y[2 * point + 1] - p[2 * point + 1];

	return d > 0 ? sqrt(dx * dx + dy * dy) / d : NAN;
}

/* The mean of those that are present. */
static double plain_mean(const double *v, int n)
{
	double sum = 0;
	int present = 0;

	for (int i = 0; i < n; i++)
		if (!isnan(v[i])) {
			sum += v[i];
			present++;
		}
	return present ? sum / present : NAN;
}

/* Of all rows, of each, and of each of the points 0 to 2, which are predicted. */
static double plain_nme(float y[][NME_COLUMNS], float p[][NME_COLUMNS], bool box,
	double point[3], double row[NME_ROWS])
{
	static double error[3][NME_ROWS];

	for (int i = 0; i < NME_ROWS; i++) {
		double own[3];

		for (int j = 0; j < 3; j++)
			own[j] = error[j][i] = plain_error(y[i], p[i], j, box);
		row[i] = plain_mean(own, 3);
	}
	for (int j = 0; j < 3; j++)
		point[j] = plain_mean(error[j], NME_ROWS);
	return plain_mean(row, NME_ROWS);
}

static bool same_error(double a, double b)
{
	return isnan(b) ? isnan(a) : near(a, b);
}

/* Whole pixels from 0 to 3, so that some d are 0; a third of the rows lack most values. */
static void fill_nme(float y[][NME_COLUMNS], float p[][NME_COLUMNS])
{
	for (int i = 0; i < NME_ROWS; i++)
		for (int j = 0; j < NME_COLUMNS; j++) {
			unsigned missing = i % 3 ? 10 : 70;

			y[i][j] = (float)(random64() >> 20 & 3);
			p[i][j] = (float)(random64() % 1000) / 100;
			if ((random64() >> 20) % 100 < missing)
				y[i][j] = NAN;
		}
}

static void test_nme(bool box)
{
	static float y[NME_ROWS][NME_COLUMNS], p[NME_ROWS][NME_COLUMNS];
	static int64_t id[NME_ROWS];
	static double row[NME_ROWS];
	struct kf_schema s = { .columns = names("a_x,a_y,b_x,b_y,c_x,c_y,d_x,d_y"),
		.p_columns = names("a_x,a_y,b_x,b_y,c_x,c_y,e_x,e_y") };
	struct kf_chunk c = { .n = NME_ROWS, .id = id, .y = y[0], .p = p[0] };
	struct kf_point_score alone;
	struct kf_score score;
	struct kf_nme nme;
	struct kf_err err = { .msg = "" };
	double point[3], all;
	int wrong = 0, none = 0;

	fill_nme(y, p);
	all = plain_nme(y, p, box, point, row);
	kf_score_init(&score, &s, &err);
	if (!ok(kf_nme_init(&nme, &score, &s, box ? NULL : "a", box ? NULL : "d",
			&err) == 0,
		    "%s %s", box ? "over the box" : "over two points", err.msg))
		return;
	for (size_t i = 0; i < NME_ROWS; i++) {
		kf_score_row(&score, &s, &c, i, &alone, &err);
		wrong += !same_error(kf_nme_row(&nme, &c, i), row[i]);
		none += isnan(row[i]);
	}
	ok(wrong == 0, "... of each row");
	ok(none > 20 && none < 200 && nme.all.n == NME_ROWS - (uint64_t)none,
		"... without %d that have none", none);
	ok(near(kf_nme_mean(&nme.all), all), "... of all: %.6f", all);
	ok(near(kf_nme_mean(&nme.point[0]), point[0]) &&
			near(kf_nme_mean(&nme.point[1]), point[1]) &&
			near(kf_nme_mean(&nme.point[2]), point[2]),
		"... of each point");
	kf_nme_free(&nme);
	kf_score_free(&score);
	kf_schema_free(&s);
}

/* Scaled by half of 20 x 40, and columns in any order: 3 and 4 pixels off, d = 10. */
static void test_nme_scales(void)
{
	float y[] = { 0.5F, 0, -0.5F, 0, 7 }, p[] = { 18, 24, 9, 20, 5 };
	int64_t id[] = { 7 };
	struct kf_schema s = { .columns = names("b_x,b_y,a_x,a_y,lone"),
		.p_columns = names("b_x,b_y,lone,a_y,a_x"),
		.c = 1,
		.h = 40,
		.w = 20,
		.y_scale = { { 10, 10 }, { 20, 20 } } };
	struct kf_chunk c = { .n = 1, .id = id, .y = y, .p = p };
	struct kf_score score;
	struct kf_nme nme;
	struct kf_err err = { .msg = "" };

	kf_score_init(&score, &s, &err);
	ok(kf_nme_init(&nme, &score, &s, "b", "a", &err) == 0 &&
			near(kf_nme_row(&nme, &c, 0), 0.25) &&
			near(nme.point[0].errors, 0.5) && nme.point[1].errors == 0 &&
			nme.point[2].n == 0,
		"scaled targets, predictions in pixels %s", err.msg);
	kf_nme_free(&nme);
	ok(kf_nme_init(&nme, &score, &s, NULL, NULL, &err) == 0 &&
			isnan(kf_nme_row(&nme, &c, 0)) && nme.all.n == 0,
		"a box without height");
	kf_nme_free(&nme);
	kf_score_free(&score);
	kf_schema_free(&s);
}

static void test_nme_refusals(void)
{
	static const struct {
		const char *y, *p, *from, *to, *says;
	} cases[] = {
		{ "a_x,a_y,b_x", "a_x,a_y", "a", "b", "no point 'b' among" },
		{ "a_x,a_y,b_x", "a_x,a_y", "", "a", "no point '' among" },
		{ "a_x,b_y,c", "a_x,b_y,c", NULL, NULL, "no point in common" },
		{ "a_x,a_y", "a_x,b_y", NULL, NULL, "no point in common" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct kf_schema s = { .columns = names(cases[i].y),
			.p_columns = names(cases[i].p) };
		struct kf_score score;
		struct kf_nme nme;
		struct kf_err err = { .msg = "" };

		kf_score_init(&score, &s, &err);
		ok(kf_nme_init(&nme, &score, &s, cases[i].from, cases[i].to, &err) <
					0 &&
				strstr(err.msg, cases[i].says),
			"refuses: %s", err.msg);
		kf_score_free(&score);
		kf_schema_free(&s);
	}
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
	test_nme(false);
	test_nme(true);
	test_nme_scales();
	test_nme_refusals();
	test_classes();
	test_class_refusals();
	return done_testing();
}
