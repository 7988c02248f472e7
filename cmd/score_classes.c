/* Scores of classes: how many are right. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "cli.h"
#include "rows/classes.h"
#include "score.h"

static void add_classes(struct kf_accuracy *a, const struct kf_schema *schema,
	const struct kf_chunk *chunk, bool rows)
{
	struct kf_err err;

	for (size_t i = 0; i < chunk->n; i++) {
		int best = kf_accuracy_row(a, schema, chunk, i, &err);

		check(best, &err);
		if (!rows)
			continue;
		printf("%" PRId64 "\t%" PRId64 "\t%d", chunk->id[i], chunk->label[i],
			best);
		score_print_photograph(schema, chunk, i);
		putchar('\n');
	}
	score_flush();
}

static void print_classes(const struct kf_accuracy *a)
{
	printf("class\taccuracy\trows\n");
	for (int i = 0; i < a->classes.n; i++)
		if (a->rows[i])
			printf("%d\t%.4f\t%" PRIu64 "\n", i,
				(double)a->right[i] / (double)a->rows[i], a->rows[i]);
		else
			printf("%d\t-\t0\n", i);
}

void score_classes(struct kf_reader *in, bool rows)
{
	const struct kf_schema *schema = kf_reader_schema(in);
	struct kf_accuracy accuracy;
	struct kf_chunk *chunk;
	struct kf_err err;
	double overall;

	check(kf_accuracy_init(&accuracy, schema, &err), &err);
	if (rows) {
		printf("id\tlabel\tpredicted");
		score_print_names(schema);
		putchar('\n');
	}
	while ((chunk = cli_next(in)))
		add_classes(&accuracy, schema, chunk, rows);
	overall = kf_accuracy_overall(&accuracy);
	if (isnan(overall))
		die("the stream has no rows: there is nothing to score");
	if (!rows)
		print_classes(&accuracy);
	printf("overall\t%.4f\t%" PRIu64, overall, kf_accuracy_rows(&accuracy));
	if (rows)
		score_print_none(schema);
	putchar('\n');
	kf_accuracy_free(&accuracy);
}
