/* Scores of classes: how many are right, and which was taken for which. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "rows/classes.h"
#include "score.h"

struct classes {
	const struct kf_schema *schema;
	struct kf_accuracy accuracy;
	uint64_t *confused; /* (n, n) rows by label and prediction, or NULL */
};

static void begin(struct classes *c, const struct score_how *how,
	const struct kf_schema *schema)
{
	struct kf_err err;
	size_t n;

	*c = (struct classes){ .schema = schema };
	check(kf_accuracy_init(&c->accuracy, schema, &err), &err);
	if (!how->confusion)
		return;
	n = (size_t)c->accuracy.classes.n;
	c->confused = calloc(n * n, sizeof *c->confused);
	must_alloc(c->confused);
}

static void print_class(const struct classes *c, const char *before, int64_t class)
{
	char number[KF_CLASS_NUMBER];

	printf("%s%s", before, kf_class_text(&c->schema->class_names, class, number));
}

static void add_rows(struct classes *c, const struct kf_chunk *chunk, bool print)
{
	struct kf_err err;

	for (size_t i = 0; i < chunk->n; i++) {
		int best = kf_accuracy_row(&c->accuracy, c->schema, chunk, i, &err);

		check(best, &err);
		if (c->confused)
			c->confused[chunk->label[i] * c->accuracy.classes.n + best]++;
		if (!print)
			continue;
		printf("%" PRId64, chunk->id[i]);
		print_class(c, "\t", chunk->label[i]);
		print_class(c, "\t", best);
		score_end_row(c->schema, chunk, i);
	}
	score_flush();
}

static void print_classes(const struct classes *c)
{
	const struct kf_accuracy *a = &c->accuracy;

	printf("class\taccuracy\trows\n");
	for (int i = 0; i < a->classes.n; i++) {
		print_class(c, "", i);
		if (a->rows[i])
			printf("\t%.4f\t%" PRIu64 "\n",
				(double)a->right[i] / (double)a->rows[i], a->rows[i]);
		else
			printf("\t-\t0\n");
	}
}

static void print_overall(const struct classes *c, bool rows)
{
	printf("overall\t%.4f\t%" PRIu64, kf_accuracy_overall(&c->accuracy),
		kf_accuracy_rows(&c->accuracy));
	if (rows)
		score_end_overall(c->schema);
	else
		putchar('\n');
}

static void print_confusion(const struct classes *c)
{
	int n = c->accuracy.classes.n;

	printf("label");
	for (int i = 0; i < n; i++)
		print_class(c, "\t", i);
	printf("\n");
	for (int i = 0; i < n; i++) {
		print_class(c, "", i);
		for (int j = 0; j < n; j++)
			printf("\t%" PRIu64, c->confused[i * n + j]);
		printf("\n");
	}
}

void score_classes(struct kf_reader *in, const struct score_how *how)
{
	struct kf_chunk *chunk;
	struct classes c;

	begin(&c, how, kf_reader_schema(in));
	if (how->rows) {
		printf("id\tlabel\tpredicted");
		score_end_header(c.schema);
	}
	while ((chunk = cli_next(in)))
		add_rows(&c, chunk, how->rows);
	if (kf_accuracy_rows(&c.accuracy) == 0)
		die("the stream has no rows: there is nothing to score");
	if (how->confusion) {
		print_confusion(&c);
	} else {
		if (!how->rows)
			print_classes(&c);
		print_overall(&c, how->rows);
	}
	free(c.confused);
	kf_accuracy_free(&c.accuracy);
}
