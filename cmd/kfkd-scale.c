/* kfkd-scale: pixels to [0,1], targets to [-1,1], or back. */
#include "cli.h"
#include "rows/filter.h"

static const char usage[] =
	"usage: kfkd-scale [-u] [-o OUT] [FILE]\n"
	"Scales pixels to [0,1] and targets to [-1,1].\n"
	"  -u, --undo        back to pixels of 0 to 255 and targets in pixels\n"
	"  -o, --output OUT  write to OUT, which appears when it is whole\n"
	"  -h, --help        print this\n"
	"  -V, --version     print the version\n";

static const struct option options[] = { { "undo", no_argument, NULL, 'u' },
	{ "output", required_argument, NULL, 'o' }, CLI_LONG };

int main(int argc, char **argv)
{
	const char *output = NULL;
	const struct kf_schema *schema;
	struct kf_schema scaled;
	struct kf_reader *in;
	struct kf_writer *out;
	struct kf_chunk *chunk, to = { 0 };
	struct kf_err err;
	bool undo = false;
	int c;

	cli_init(argv, usage);
	while ((c = getopt_long(argc, argv, CLI_SHORT "uo:", options, NULL)) != -1)
		if (c == 'u')
			undo = true;
		else if (c == 'o')
			output = optarg;
		else
			cli_option(c);
	in = cli_reader(argc, argv);
	schema = kf_reader_schema(in);
	if ((undo ? kf_unscale_schema : kf_scale_schema)(schema, &scaled, &err) < 0)
		die("%s", err.msg);
	cli_output(output);
	out = cli_writer(&scaled);
	while ((chunk = cli_next(in))) {
		if ((undo ? kf_unscale_rows : kf_scale_rows)(schema, chunk, &scaled,
			    &to, &err) < 0)
			die("%s", err.msg);
		cli_write(out, &to);
	}
	cli_end(out);
	kf_chunk_free(&to);
	kf_schema_free(&scaled);
	kf_reader_close(in);
	return cli_finish();
}
