/* kfkd-save: a tensor stream as CSV in Kaggle's layout. */
#include "cli.h"
#include "save_csv.h"

static const char usage[] =
	"usage: kfkd-save [-inp] [-o OUT] [FILE]\n"
	"Writes a tensor stream as CSV in Kaggle's layout.\n"
	"  -i, --ids          with a column ImageId, as where there are no targets\n"
	"  -n, --no-ids       without, even where rows do not count from 1\n"
	"  -p, --predictions  predictions in place of targets\n"
	"  -o, --output OUT   write to OUT, which appears when it is whole\n"
	"  -h, --help         print this\n"
	"  -V, --version      print the version\n";

static const struct option options[] = {
	{ "ids", no_argument, NULL, 'i' }, { "no-ids", no_argument, NULL, 'n' },
	{ "predictions", no_argument, NULL, 'p' },
	{ "output", required_argument, NULL, 'o' }, CLI_LONG
};

int main(int argc, char **argv)
{
	const char *output = NULL;
	struct kf_save save = { .file = stdout };
	static char buffer[1 << 18];
	struct kf_reader *in;
	struct kf_chunk *chunk;
	struct kf_err err;
	int c, ids = -1;

	cli_init(argv, usage);
	while ((c = getopt_long(argc, argv, CLI_SHORT "inpo:", options, NULL)) != -1)
		if (c == 'i')
			ids = KF_IDS_ALWAYS;
		else if (c == 'n')
			ids = KF_IDS_NEVER;
		else if (c == 'p')
			save.predictions = true;
		else if (c == 'o')
			output = optarg;
		else
			cli_option(c);
	in = cli_reader(argc, argv);
	save.schema = kf_reader_schema(in);
	if (ids < 0) /* Kaggle's test.csv has ids, its training.csv has none */
		ids = save.predictions || save.schema->columns.n ? KF_IDS_COUNTED :
			KF_IDS_ALWAYS;
	save.ids = (enum kf_save_ids)ids;
	cli_output(output);
	save.name = cli_output_name();
	setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
	if (kf_save_header(&save, &err) < 0)
		die("%s", err.msg);
	while ((chunk = cli_next(in)))
		if (kf_save_rows(&save, chunk, &err) < 0)
			die("%s", err.msg);
	kf_reader_close(in);
	return cli_finish();
}
