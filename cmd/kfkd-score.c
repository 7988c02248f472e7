/* kfkd-score: how far predictions are from the truth. */
#include <math.h>
#include <stdio.h>

#include "cli.h"
#include "score.h"

static const char usage[] =
	"usage: kfkd-score [-o OUT] [FILE]\n"
	"Prints the root mean square error in pixels, per keypoint and overall, of a\n"
	"tensor stream with targets and predictions.\n"
	"  -o, --output OUT  write to OUT, which appears when it is whole\n"
	"  -h, --help        print this\n"
	"  -V, --version     print the version\n";

static const struct option options[] = {
	{ "output", required_argument, NULL, 'o' }, CLI_LONG
};

/* The last line is for other programs: it holds the overall error alone. */
static void print_score(const struct kf_score *s)
{
	double overall = kf_score_overall(s);

	if (isnan(overall))
		die("no row has a target that was predicted");
	printf("keypoint\tRMSE\tvalues\n");
	for (int i = 0; i < s->n; i++)
		if (s->point[i].n)
			printf("%s\t%.4f\t%llu\n", s->point[i].name,
				kf_score_rmse(&s->point[i]),
				(unsigned long long)s->point[i].n);
		else
			printf("%s\t-\t0\n", s->point[i].name);
	printf("overall\t%.4f\n", overall);
}

int main(int argc, char **argv)
{
	const char *output = NULL;
	const struct kf_schema *schema;
	struct kf_score score;
	struct kf_reader *in;
	struct kf_chunk *chunk;
	struct kf_err err;
	int c;

	cli_init(argv, usage);
	while ((c = getopt_long(argc, argv, CLI_SHORT "o:", options, NULL)) != -1)
		if (c == 'o')
			output = optarg;
		else
			cli_option(c);
	in = cli_reader(argc, argv);
	schema = kf_reader_schema(in);
	if (kf_score_init(&score, schema, &err) < 0)
		die("%s", err.msg);
	while ((chunk = cli_next(in)))
		if (kf_score_add(&score, schema, chunk, &err) < 0)
			die("%s", err.msg);
	cli_output(output);
	print_score(&score);
	kf_score_free(&score);
	kf_reader_close(in);
	return cli_finish();
}
