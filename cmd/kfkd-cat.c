/* kfkd-cat: joins streams, and turns them into one safetensors file and back. */
#include <unistd.h>

#include "cli.h"

static const char usage[] =
	"usage: kfkd-cat [-1] [-o OUT] [FILE ...]\n"
	"Joins tensor streams, or safetensors files that hold an X.\n"
	"  -1, --single      write one safetensors file of all rows, not a stream\n"
	"  -o, --output OUT  write to OUT, which appears when it is whole\n"
	"  -h, --help        print this\n"
	"  -V, --version     print the version\n";

static const struct option options[] = { { "single", no_argument, NULL, '1' },
	{ "output", required_argument, NULL, 'o' }, CLI_LONG };

int main(int argc, char **argv)
{
	static char *standard_input[] = { "-" };
	struct kf_schema first;
	struct kf_writer *out = NULL;
	struct kf_chunk *chunk;
	struct kf_err err;
	const char *output = NULL;
	bool single = false;
	int c;

	cli_init(argv, usage);
	while ((c = getopt_long(argc, argv, CLI_SHORT "1o:", options, NULL)) != -1)
		if (c == '1')
			single = true;
		else if (c == 'o')
			output = optarg;
		else
			cli_option(c);
	argv += optind;
	argc -= optind;
	if (argc == 0) {
		argv = standard_input;
		argc = 1;
	}
	for (int i = 0; i < argc; i++) {
		const char *name;
		int fd = cli_open(argv[i], &name);
		struct kf_reader *in = cli_stream(fd, name, true);
		const struct kf_schema *schema = kf_reader_schema(in);
		const char *what = i ? kf_schema_differs(&first, schema) : NULL;

		if (what)
			die("'%s' has another %s than '%s'", name, what, argv[0]);
		if (i == 0) {
			first = kf_schema_copy(schema);
			cli_output(output);
			cli_binary_output();
			out = (single ? kf_writer_open_single :
					kf_writer_open)(STDOUT_FILENO,
				cli_output_name(), &first, &err);
			if (!out)
				die("%s", err.msg);
		}
		while ((chunk = cli_next(in)))
			cli_write(out, chunk);
		kf_reader_close(in);
		close(fd);
	}
	cli_end(out);
	kf_schema_free(&first);
	return cli_finish();
}
