/* Scores of keypoints: the root mean square error, and the normalised mean error. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "cli.h"
#include "rows/nme.h"
#include "rows/original.h"
#include "rows/score.h"
#include "score.h"

struct keypoints {
	struct score_how how;
	const struct kf_schema *schema; /* of the stream */
	struct kf_schema photograph;    /* where rows are taken there */
	struct kf_original original;
	bool before, after; /* taken there before the RMSE, or after it for the NME */
	struct kf_score score;
	struct kf_nme nme;
};

static void begin(struct keypoints *k, const struct score_how *how,
	const struct kf_schema *schema)
{
	const struct kf_schema *nme = schema;
	struct kf_err err;

	*k = (struct keypoints){ .how = *how, .schema = schema };
	k->before = how->original;
	k->after = how->nme && !how->original && schema->has_transform;
	if (k->before || k->after) {
		nme = &k->photograph;
		check(kf_original_open(&k->original, schema, &k->photograph, &err),
			&err);
	}
	check(kf_score_init(&k->score, k->before ? nme : schema, &err), &err);
	if (how->nme)
		check(kf_nme_init(&k->nme, &k->score, nme, how->from, how->to, &err),
			&err);
}

static void end(struct keypoints *k)
{
	kf_score_free(&k->score);
	kf_nme_free(&k->nme);
	kf_original_free(&k->original);
	kf_schema_free(&k->photograph);
}

/* Adds a row; alone gets its squares.  Returns its normalised mean error. */
static double add_row(struct keypoints *k, struct kf_chunk *c, size_t row,
	struct kf_point_score *alone)
{
	const struct kf_schema *schema = k->before ? &k->photograph : k->schema;
	struct kf_err err;

	if (k->before)
		check(kf_original_row(&k->original, c, row, &err), &err);
	check(kf_score_row(&k->score, schema, c, row, alone, &err), &err);
	if (k->after)
		check(kf_original_row(&k->original, c, row, &err), &err);
	return k->how.nme ? kf_nme_row(&k->nme, c, row) : NAN;
}

static void print_header(const struct keypoints *k)
{
	printf("%s\tRMSE\tvalues%s", k->how.rows ? "id" : "keypoint",
		k->how.nme ? "\tNME" : "");
	if (k->how.rows)
		score_end_header(k->schema);
	else
		putchar('\n');
}

static void print_score(const struct keypoints *k, const char *name,
	const struct kf_point_score *p, double nme)
{
	if (p->n)
		printf("%s\t%.4f\t%" PRIu64, name, kf_score_rmse(p), p->n);
	else
		printf("%s\t-\t0", name);
	if (k->how.nme && isnan(nme))
		printf("\t-");
	else if (k->how.nme)
		printf("\t%.4f", 100 * nme);
}

static void add_rows(struct keypoints *k, struct kf_chunk *chunk)
{
	struct kf_point_score row;
	char id[24];

	for (size_t i = 0; i < chunk->n; i++) {
		double nme = add_row(k, chunk, i, &row);

		if (!k->how.rows)
			continue;
		snprintf(id, sizeof id, "%" PRId64, chunk->id[i]);
		print_score(k, id, &row, nme);
		score_end_row(k->schema, chunk, i);
	}
	score_flush();
}

static void print_keypoints(const struct keypoints *k)
{
	for (int i = 0; i < k->score.n; i++) {
		const struct kf_point_score *point = &k->score.point[i];

		print_score(k, point->name, point,
			k->how.nme ? kf_nme_mean(&k->nme.point[i]) : NAN);
		putchar('\n');
	}
}

void score_keypoints(struct kf_reader *in, const struct score_how *how)
{
	struct keypoints k;
	struct kf_chunk *chunk;
	struct kf_point_score all;

	begin(&k, how, kf_reader_schema(in));
	if (how->rows)
		print_header(&k);
	while ((chunk = cli_next(in)))
		add_rows(&k, chunk);
	all = kf_score_sum(&k.score);
	if (all.n == 0)
		die("no row has a target that was predicted");
	if (!how->rows) {
		print_header(&k);
		print_keypoints(&k);
	}
	print_score(&k, "overall", &all, kf_nme_mean(&k.nme.all));
	if (how->rows)
		score_end_overall(k.schema);
	else
		putchar('\n');
	end(&k);
}
