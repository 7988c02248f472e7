/* Predictions of classes. */
#include "rows/classes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* -- columns --------------------------------------------------------------------- */

int kf_classes_find(struct kf_classes *c, const struct kf_names *p_columns)
{
	char name[32];

	*c = (struct kf_classes){ 0 };
	c->column = malloc(((size_t)p_columns->n + 1) * sizeof *c->column);
	if (!c->column)
		return -1;
	do {
		snprintf(name, sizeof name, "class_%d", c->n);
		c->column[c->n] = kf_names_find(p_columns, name);
	} while (c->column[c->n] >= 0 && ++c->n < p_columns->n);
	return 0;
}

void kf_classes_free(struct kf_classes *c)
{
	free(c->column);
	*c = (struct kf_classes){ 0 };
}

int kf_classes_best(const struct kf_classes *c, const float *p)
{
	int best = -1;

	for (int i = 0; i < c->n; i++) {
		float v = p[c->column[i]];

		if (!isnan(v) && (best < 0 || v > p[c->column[best]]))
			best = i;
	}
	return best;
}

const char *kf_class_text(const struct kf_names *class_names, int64_t class,
	char number[KF_CLASS_NUMBER])
{
	if (class >= 0 && class < class_names->n)
		return class_names->name[class];
	snprintf(number, KF_CLASS_NUMBER, "%lld", (long long)class);
	return number;
}

/* -- accuracy -------------------------------------------------------------------- */

static int check_schema(const struct kf_schema *schema, int classes, struct kf_err *err)
{
	if (!schema->p_columns.n)
		return kf_fail(err,
			"there are no predictions; pipe through "
			"kfkd-predict");
	if (classes == 0)
		return kf_fail(err,
			"there are labels, but no predictions of classes: "
			"p has no column 'class_0'");
	if (schema->classes && schema->classes != classes)
		return kf_fail(err, "there are %d classes, and predictions of %d",
			schema->classes, classes);
	return 0;
}

int kf_accuracy_init(struct kf_accuracy *a, const struct kf_schema *schema,
	struct kf_err *err)
{
	*a = (struct kf_accuracy){ 0 };
	if (!schema->has_label)
		return kf_fail(err, "there are no labels to compare with");
	if (kf_classes_find(&a->classes, &schema->p_columns) < 0)
		return kf_fail_memory(err);
	if (check_schema(schema, a->classes.n, err) < 0) {
		kf_accuracy_free(a);
		return -1;
	}
	a->rows = calloc((size_t)a->classes.n, sizeof *a->rows);
	a->right = calloc((size_t)a->classes.n, sizeof *a->right);
	if (!a->rows || !a->right) {
		kf_accuracy_free(a);
		return kf_fail_memory(err);
	}
	return 0;
}

int kf_accuracy_row(struct kf_accuracy *a, const struct kf_schema *schema,
	const struct kf_chunk *c, size_t row, struct kf_err *err)
{
	const float *p = c->p + row * (size_t)schema->p_columns.n;
	long long id = (long long)c->id[row], label = (long long)c->label[row];
	int best;

	if (label < 0 || label >= a->classes.n)
		return kf_fail(err,
			"the row with id %lld: its label, %lld, is none of "
			"the %d classes",
			id, label, a->classes.n);
	for (int i = 0; i < a->classes.n; i++)
		if (!isfinite(p[a->classes.column[i]]))
			return kf_fail(err,
				"the row with id %lld: the prediction of "
				"'class_%d' is not a finite number",
				id, i);
	best = kf_classes_best(&a->classes, p);
	a->rows[label]++;
	a->right[label] += best == label;
	return best;
}

uint64_t kf_accuracy_rows(const struct kf_accuracy *a)
{
	uint64_t rows = 0;

	for (int i = 0; i < a->classes.n; i++)
		rows += a->rows[i];
	return rows;
}

double kf_accuracy_overall(const struct kf_accuracy *a)
{
	uint64_t rows = kf_accuracy_rows(a), right = 0;

	for (int i = 0; i < a->classes.n; i++)
		right += a->right[i];
	return rows ? (double)right / (double)rows : NAN;
}

void kf_accuracy_free(struct kf_accuracy *a)
{
	kf_classes_free(&a->classes);
	free(a->rows);
	free(a->right);
	*a = (struct kf_accuracy){ 0 };
}
