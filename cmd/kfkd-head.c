/* kfkd-head: the first rows of a stream. */
#include "cli.h"

static const char usage[] =
	"usage: kfkd-head [-n N] [-o OUT] [FILE]\n"
	"Passes on the first rows of a tensor stream.\n"
	"  -n, --rows N      how many (16)\n"
	"  -o, --output OUT  write to OUT, which appears when it is whole\n"
	"  -h, --help        print this\n"
	"  -V, --version     print the version\n";

static const struct option options[] = { { "rows", required_argument, NULL, 'n' },
	{ "output", required_argument, NULL, 'o' }, CLI_LONG };

int main(int argc, char **argv)
{
	const char *output = NULL;
	unsigned long long left = 16;
	struct kf_reader *in;
	struct kf_writer *out;
	struct kf_chunk *chunk;
	int c;

	cli_init(argv, usage);
	while ((c = getopt_long(argc, argv, CLI_SHORT "n:o:", options, NULL)) != -1)
		if (c == 'n')
			left = (unsigned long long)cli_int("--rows", optarg, 0,
				INT64_MAX);
		else if (c == 'o')
			output = optarg;
		else
			cli_option(c);
	in = cli_reader(argc, argv);
	cli_output(output);
	out = cli_writer(kf_reader_schema(in));
	while (left > 0 && (chunk = cli_next(in))) {
		if (chunk->n > left)
			chunk->n = left;
		left -= chunk->n;
		cli_write(out, chunk);
	}
	cli_end(out);
	kf_reader_close(in);
	return cli_finish();
}
