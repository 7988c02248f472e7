/* Conditions on a row. */
#define _GNU_SOURCE
#include "rows/where.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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
enum source { ROW_ERROR, ROW_ID, ROW_LABEL, TARGET, PREDICTION };

struct kf_condition {
	char *name;
	enum op op;
	double value; /* NaN: missing */
	enum source source;
	int column;
	struct kf_scale scale;
};

/* -- parsing ------------------------------------------------------------------- */

static int parse_value(const char *text, double *value)
{
	char *end;

	*value = NAN;
	if (!strcmp(text, "missing"))
		return 0;
	*value = strtod(text, &end);
	return end == text || *end || !isfinite(*value) ? -1 : 0;
}

/* The condition without its name, which has n bytes. */
static int parse(const char *text, struct kf_condition *c, size_t *n)
{
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
	at += strspn(at, " ");
	if (parse_value(at, &c->value) < 0)
		return -1;
	return isnan(c->value) && c->op != EQUAL && c->op != UNEQUAL ? -1 : 0;
}

int kf_where_add(struct kf_where *w, const char *text, struct kf_err *err)
{
	struct kf_condition c = { 0 }, *more;
	size_t n;

	if (parse(text, &c, &n) < 0)
		return kf_fail(err,
			"'%.200s' is not a condition such as rmse>5, label=3 or "
			"nose_tip_x=missing",
			text);
	more = realloc(w->condition, (size_t)(w->n + 1) * sizeof *more);
	if (!more)
		return kf_fail_memory(err);
	w->condition = more;
	c.name = strndup(text, n);
	if (!c.name)
		return kf_fail_memory(err);
	more[w->n++] = c;
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
	if (!strcmp(c->name, "label")) {
		c->source = ROW_LABEL;
		return s->has_label ? 0 : kf_fail(err, "there are no labels");
	}
	if (find_column(c, TARGET, &s->columns, c->name, s->y_scale))
		return 0;
	if (!strncmp(c->name, "p.", 2) &&
		find_column(c, PREDICTION, &s->p_columns, c->name + 2, s->p_scale))
		return 0;
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

int kf_where_row(struct kf_where *w, const struct kf_schema *s,
	const struct kf_chunk *c, size_t row, struct kf_err *err)
{
	double value = NAN;

	for (int i = 0; i < w->n; i++) {
		if (value_of(w, &w->condition[i], s, c, row, &value, err) < 0)
			return -1;
		if (!fulfilled(&w->condition[i], value))
			return 0;
	}
	return 1;
}

void kf_where_free(struct kf_where *w)
{
	for (int i = 0; i < w->n; i++)
		free(w->condition[i].name);
	free(w->condition);
	kf_score_free(&w->score);
	*w = (struct kf_where){ 0 };
}
