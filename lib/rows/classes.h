/* Predictions of classes: which one of a row, and how often it is right. */
#ifndef KF_CLASSES_H
#define KF_CLASSES_H

#include "stream/schema.h"

/* What a class is called: its name, or as text its number, for which there is room in
 * `number`. */
#define KF_CLASS_NUMBER 24
const char *kf_class_text(const struct kf_names *class_names, int64_t class,
	char number[KF_CLASS_NUMBER]);

/* The columns class_0, class_1, ... of p, in whatever order they come. */
struct kf_classes {
	int n;
	int *column; /* (n) */
};

/* -1 when out of memory, with nothing to free. */
int kf_classes_find(struct kf_classes *c, const struct kf_names *p_columns);
void kf_classes_free(struct kf_classes *c);

/* The class whose value is the largest, the first of several; -1 where none is
 * a number. */
int kf_classes_best(const struct kf_classes *c, const float *p /* one row */);

/* How many rows have each label, and for how many of them it was predicted. */
struct kf_accuracy {
	struct kf_classes classes;
	uint64_t *rows, *right; /* (classes.n) */
};

/* Starts for a stream with labels and predictions of their classes; -1 for
 * others. */
int kf_accuracy_init(struct kf_accuracy *a, const struct kf_schema *schema,
	struct kf_err *err);

/* Adds a row and returns the class that was predicted; -1 where the label is
 * none of the classes or a prediction is no number. */
int kf_accuracy_row(struct kf_accuracy *a, const struct kf_schema *schema,
	const struct kf_chunk *c, size_t row, struct kf_err *err);

/* The rows added, and the fraction of them that is right; NaN without rows. */
uint64_t kf_accuracy_rows(const struct kf_accuracy *a);
double kf_accuracy_overall(const struct kf_accuracy *a);

void kf_accuracy_free(struct kf_accuracy *a);

#endif
