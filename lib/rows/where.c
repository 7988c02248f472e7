/* Conditions on a row. */
#define _GNU_SOURCE
#include "rows/where.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stream/texts.h"

enum op { LESS, LESS_EQUAL, MORE, MORE_EQUAL, EQUAL, UNEQUAL };

/* The longer of two that begin alike comes first. */
static const struct {
	const char *text;
	enum op op;
} ops[] = {
	{ "<=", LESS_EQUAL },
	{ "<", LESS },
	{ ">=", MORE_EQUAL },
	{ ">", MORE },
	{ "==", EQUAL },
	{ "=", EQUAL },
	{ "!=", UNEQUAL },
};

#define N_OPS (sizeof ops / sizeof *ops)

/* What a name is; by it, where a row's value comes from. */
enum source {
	ROW_ERROR,
	ROW_ID,
	ROW_LABEL,
	ROW_FACE,
	ROW_RIGHT,
	TARGET,
	PREDICTION,
	/* texts: */
	ROW_NAME,
	ROW_FILE
};

struct kf_condition {
	char *name;
	enum op op;
	double value; /* NaN: missing */
	char *text;   /* the same as it was given */
	enum source source;
	int column;
	struct kf_scale scale;
};

/* -- parsing ------------------------------------------------------------------- */

/* *value is NaN for "missing", and where this fails. */
static int parse_value(const char *text, double *value)
{
	char *end;
	double v = strtod(text, &end);
	bool number = end > text && !*end && isfinite(v);

	*value = number ? v : NAN;
	return number || !strcmp(text, "missing") ? 0 : -1;
}

static bool is(const char *name, size_t n, const char *text)
{
	return n == strlen(text) && !strncmp(name, text, n);
}

/* The condition without its name, which has n bytes; *value is where its value begins. */
static int parse(const char *text, struct kf_condition *c, size_t *n,
	const char **value)
{
	bool equality, pattern;
	const char *at = text + strcspn(text, "<>=!");
	size_t i = 0;

	for (*n = (size_t)(at - text); *n > 0 && text[*n - 1] == ' ';)
		--*n;
	while (i < N_OPS && strncmp(at, ops[i].text, strlen(ops[i].text)))
		i++;
	if (*n == 0 || i == N_OPS)
		return -1;
	c->op = ops[i].op;
	at += strlen(ops[i].text);
	*value = at += strspn(at, " ");
	equality = c->op == EQUAL || c->op == UNEQUAL;
	pattern = is(text, *n, "name") || is(text, *n, "file");
	if (pattern)
		return equality ? 0 : -1;
	if (parse_value(at, &c->value) < 0) /* a class may have such a name */
		return equality && *at && is(text, *n, "label") ? 0 : -1;
	return isnan(c->value) && !equality ? -1 : 0;
}

int kf_where_add(struct kf_where *w, const char *text, struct kf_err *err)
{
	struct kf_condition c = { 0 }, *more;
	const char *value;
	size_t n;

	if (parse(text, &c, &n, &value) < 0)
		return kf_fail(err,
			"'%.200s' is not a condition such as rmse>5, label=3 or "
			"nose_tip_x=missing",
			text);
	more = realloc(w->condition, (size_t)(w->n + 1) * sizeof *more);
	if (!more)
		return kf_fail_memory(err);
	w->condition = more;
	c.name = strndup(text, n);
	c.text = strdup(value);
	more[w->n++] = c;
	if (!c.name || !c.text)
		return kf_fail_memory(err);
	return 0;
}

/* -- names --------------------------------------------------------------------- */

static bool find_column(struct kf_condition *c, enum source source,
	const struct kf_names *names, const char *name, const struct kf_scale scale[2])
{
	int column = kf_names_find(names, name);

	if (column < 0)
		return false;
	c->source = source;
	c->column = column;
	c->scale = scale[kf_axis(name) == 1];
	return true;
}

/* A class that is given by its name; any other value stays as it is. */
static int find_class(struct kf_condition *c, const struct kf_schema *s,
	struct kf_err *err)
{
	int class = kf_names_find(&s->class_names, c->text);

	c->source = ROW_LABEL;
	if (!s->has_label)
		return kf_fail(err, "there are no labels");
	if (class >= 0 && (c->op == EQUAL || c->op == UNEQUAL))
		c->value = class;
	else if (isnan(c->value) && strcmp(c->text, "missing"))
		return kf_fail(err, "there is no class '%.200s'", c->text);
	return 0;
}

static int find_right(struct kf_where *w, struct kf_condition *c,
	const struct kf_schema *s, struct kf_err *err)
{
	c->source = ROW_RIGHT;
	if (!s->has_label)
		return kf_fail(err, "there are no labels");
	if (!w->classes.column && kf_classes_find(&w->classes, &s->p_columns) < 0)
		return kf_fail_memory(err);
	if (!w->classes.n)
		return kf_fail(err,
			"there are no predictions of classes: p has no column "
			"'class_0'");
	return 0;
}

static int find_text(struct kf_condition *c, enum source source, int width,
	struct kf_err *err)
{
	c->source = source;
	return width ? 0 : kf_fail(err, "the rows have no %ss", c->name);
}

static int find(struct kf_where *w, struct kf_condition *c, const struct kf_schema *s,
	struct kf_err *err)
{
	if (!strcmp(c->name, "rmse")) {
		c->source = ROW_ERROR;
		return w->score.n ? 0 : kf_score_init(&w->score, s, err);
	}
	if (!strcmp(c->name, "id")) {
		c->source = ROW_ID;
		return 0;
	}
	if (!strcmp(c->name, "label"))
		return find_class(c, s, err);
	if (!strcmp(c->name, "name"))
		return find_text(c, ROW_NAME, s->name_width, err);
	if (!strcmp(c->name, "file"))
		return find_text(c, ROW_FILE, s->file_width, err);
	if (find_column(c, TARGET, &s->columns, c->name, s->y_scale))
		return 0;
	if (!strncmp(c->name, "p.", 2) &&
		find_column(c, PREDICTION, &s->p_columns, c->name + 2, s->p_scale))
		return 0;
	if (!strcmp(c->name, "right"))
		return find_right(w, c, s, err);
	if (!strcmp(c->name, "face")) {
		c->source = ROW_FACE;
		return s->has_face ? 0 :
				     kf_fail(err, "the rows have no faces' numbers");
	}
	return kf_fail(err, "there is no column '%.200s'", c->name);
}

int kf_where_begin(struct kf_where *w, const struct kf_schema *s, struct kf_err *err)
{
	for (int i = 0; i < w->n; i++)
		if (find(w, &w->condition[i], s, err) < 0)
			return -1;
	return 0;
}

/* -- rows ---------------------------------------------------------------------- */

static int value_of(struct kf_where *w, const struct kf_condition *c,
	const struct kf_schema *s, const struct kf_chunk *rows, size_t row,
	double *value, struct kf_err *err)
{
	size_t m = (size_t)s->columns.n, k = (size_t)s->p_columns.n;
	struct kf_point_score alone;

	switch (c->source) {
	case ROW_ERROR:
		if (kf_score_row(&w->score, s, rows, row, &alone, err) < 0)
			return -1;
		*value = alone.n ? kf_score_rmse(&alone) : NAN;
		break;
	case ROW_ID: *value = (double)rows->id[row]; break;
	case ROW_LABEL: *value = (double)rows->label[row]; break;
	case ROW_FACE: *value = (double)rows->face[row]; break;
	case ROW_RIGHT:
		*value = kf_classes_best(&w->classes, rows->p + row * k) ==
			rows->label[row];
		break;
	case ROW_NAME:
	case ROW_FILE: break; /* matches() has them */
	case TARGET:
		*value = kf_unscale(rows->y[row * m + (size_t)c->column], c->scale);
		break;
	case PREDICTION:
		*value = kf_unscale(rows->p[row * k + (size_t)c->column], c->scale);
		break;
	}
	return 0;
}

static bool holds(enum op op, double a, double b)
{
	switch (op) {
	case LESS: return a < b;
	case LESS_EQUAL: return a <= b;
	case MORE: return a > b;
	case MORE_EQUAL: return a >= b;
	case EQUAL: return a == b;
	case UNEQUAL: return a != b;
	}
	return false;
}

static bool fulfilled(const struct kf_condition *c, double value)
{
	if (isnan(c->value))
		return isnan(value) == (c->op == EQUAL);
	if (isnan(value))
		return false;
	if (c->source == TARGET || c->source == PREDICTION)
		return holds(c->op, (float)value, (float)c->value);
	return holds(c->op, value, c->value);
}

/* Of a name or file: whether it is as the pattern says. */
static bool matches(const struct kf_condition *c, const struct kf_schema *s,
	const struct kf_chunk *rows, size_t row)
{
	char text[KF_TEXT_MAX + 1];

	if (c->source == ROW_NAME)
		kf_texts_get(rows->name, s->name_width, row, text);
	else
		kf_texts_get(rows->file, s->file_width, row, text);
	return (fnmatch(c->text, text, 0) == 0) == (c->op == EQUAL);
}

int kf_where_row(struct kf_where *w, const struct kf_schema *s,
	const struct kf_chunk *c, size_t row, struct kf_err *err)
{
	double value = NAN;

	for (int i = 0; i < w->n; i++) {
		const struct kf_condition *condition = &w->condition[i];
		bool yes;

		if (condition->source == ROW_NAME || condition->source == ROW_FILE) {
			yes = matches(condition, s, c, row);
		} else {
			if (value_of(w, condition, s, c, row, &value, err) < 0)
				return -1;
			yes = fulfilled(condition, value);
		}
		if (!yes)
			return 0;
	}
	return 1;
}

void kf_where_free(struct kf_where *w)
{
	for (int i = 0; i < w->n; i++)
		free(w->condition[i].name), free(w->condition[i].text);
	free(w->condition);
	kf_classes_free(&w->classes);
	kf_score_free(&w->score);
	*w = (struct kf_where){ 0 };
}
