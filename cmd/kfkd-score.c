/* kfkd-score: how far predictions are from the truth, or how often they are
 * right. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rows/classes.h"
#include "cli.h"
#include "rows/score.h"

static const struct program program = {
	.name = "kfkd-score",
	.synopsis = { "[-r] [-o OUT] [FILE]" },
	.about = "Prints the root mean square error in pixels, per keypoint and overall, of a\n"
		 "tensor stream with targets and predictions; where it has labels in place of\n"
		 "targets, the part of predicted classes that is right.",
	.rows = {
		{ 'r', "rows", .help = "print each row's error, not each keypoint's" },
	},
};

/* After each chunk, so that a failed write is noticed at once. */
static void flush(void)
{
	if (fflush(stdout))
		die("cannot write '%s': %s", output_name(), strerror(errno));
}

/* -- keypoints ------------------------------------------------------------------- */

static void print_score(const char *name, const struct kf_point_score *p)
{
	if (p->n)
		printf("%s\t%.4f\t%" PRIu64 "\n", name, kf_score_rmse(p), p->n);
	else
		printf("%s\t-\t0\n", name);
}

static void score_rows(struct kf_score *s, const struct kf_schema *schema,
	const struct kf_chunk *chunk)
{
	struct kf_point_score row;
	struct kf_err err;
	char id[24];

	for (size_t i = 0; i < chunk->n; i++) {
		check(kf_score_row(s, schema, chunk, i, &row, &err), &err);
		snprintf(id, sizeof id, "%" PRId64, chunk->id[i]);
		print_score(id, &row);
	}
	flush();
}

static void score_keypoints(struct kf_reader *in, bool rows)
{
	const struct kf_schema *schema = kf_reader_schema(in);
	struct kf_score score;
	struct kf_chunk *chunk;
	struct kf_point_score all;
	struct kf_err err;

	check(kf_score_init(&score, schema, &err), &err);
	if (rows)
		printf("id\tRMSE\tvalues\n");
	while ((chunk = cli_next(in)))
		if (rows)
			score_rows(&score, schema, chunk);
		else
			check(kf_score_add(&score, schema, chunk, &err), &err);
	all = kf_score_sum(&score);
	if (all.n == 0)
		die("no row has a target that was predicted");
	if (!rows)
		printf("keypoint\tRMSE\tvalues\n");
	for (int i = 0; !rows && i < score.n; i++)
		print_score(score.point[i].name, &score.point[i]);
	print_score("overall", &all);
	kf_score_free(&score);
}

/* -- classes --------------------------------------------------------------------- */

static void add_classes(struct kf_accuracy *a, const struct kf_schema *schema,
	const struct kf_chunk *chunk, bool rows)
{
	struct kf_err err;

	for (size_t i = 0; i < chunk->n; i++) {
		int best = kf_accuracy_row(a, schema, chunk, i, &err);

		check(best, &err);
		if (rows)
			printf("%" PRId64 "\t%" PRId64 "\t%d\n", chunk->id[i],
				chunk->label[i], best);
	}
	flush();
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

static void score_classes(struct kf_reader *in, bool rows)
{
	const struct kf_schema *schema = kf_reader_schema(in);
	struct kf_accuracy accuracy;
	struct kf_chunk *chunk;
	struct kf_err err;
	double overall;

	check(kf_accuracy_init(&accuracy, schema, &err), &err);
	if (rows)
		printf("id\tlabel\tpredicted\n");
	while ((chunk = cli_next(in)))
		add_classes(&accuracy, schema, chunk, rows);
	overall = kf_accuracy_overall(&accuracy);
	if (isnan(overall))
		die("the stream has no rows: there is nothing to score");
	if (!rows)
		print_classes(&accuracy);
	printf("overall\t%.4f\t%" PRIu64 "\n", overall, kf_accuracy_rows(&accuracy));
	kf_accuracy_free(&accuracy);
}

int main(int argc, char **argv)
{
	const struct kf_schema *schema;
	struct options o;
	struct kf_reader *in;
	bool rows = false;
	int key;

	options_begin(&o, &program, argc, argv);
	while ((key = options_next(&o)))
		if (key == 'r')
			rows = true;
	in = cli_reader(&o);
	output_begin(o.output);
	schema = kf_reader_schema(in);
	if (schema->has_label && schema->columns.n == 0)
		score_classes(in, rows);
	else
		score_keypoints(in, rows);
	kf_reader_close(in);
	return output_finish();
}
