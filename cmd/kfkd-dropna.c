/* kfkd-dropna: drops the rows that have a missing target. */
#include "cli.h"
#include "rows/filter.h"

static const char usage[] =
	"usage: kfkd-dropna [-o OUT] [FILE]\n"
	"Drops the rows of a tensor stream that have a missing target.\n"
	"  -o, --output OUT  write to OUT, which appears when it is whole\n"
	"  -h, --help        print this\n"
	"  -V, --version     print the version\n";

static const struct option options[] = { { "output", required_argument, NULL, 'o' },
	CLI_LONG };

int main(int argc, char **argv)
{
	const char *output = NULL;
	const struct kf_schema *schema;
	struct kf_reader *in;
	struct kf_writer *out;
	struct kf_chunk *chunk;
	int c;

	cli_init(argv, usage);
	while ((c = getopt_long(argc, argv, CLI_SHORT "o:", options, NULL)) != -1)
		if (c == 'o')
			output = optarg;
		else
			cli_option(c);
	in = cli_reader(argc, argv);
	schema = kf_reader_schema(in);
	if (!schema->columns.n)
		die("the stream has no targets, so none is missing");
	cli_output(output);
	out = cli_writer(schema);
	while ((chunk = cli_next(in))) {
		kf_drop_missing(chunk, schema);
		cli_write(out, chunk);
	}
	cli_end(out);
	kf_reader_close(in);
	return cli_finish();
}
