/* kfkd-load: a file of faces as a tensor stream. */
#include <unistd.h>

#include "cli.h"
#include "faces_csv.h"

static const char usage[] =
	"usage: kfkd-load [-c NAME,...] [-z WxH] [-o OUT] [FILE]\n"
	"Turns a CSV of faces into a tensor stream.\n"
	"  -c, --columns A,B,...  these targets, in this order (all)\n"
	"  -z, --size WxH         width and height of an image (square)\n"
	"  -o, --output OUT       write to OUT, which appears when it is whole\n"
	"  -h, --help             print this\n"
	"  -V, --version          print the version\n";

static const struct option options[] = {
	{ "columns", required_argument, NULL, 'c' },
	{ "size", required_argument, NULL, 'z' },
	{ "output", required_argument, NULL, 'o' }, CLI_LONG
};

/* All of the input, to standard output. */
static void load_csv(struct kf_input *in, const struct kf_csv_options *how)
{
	struct kf_csv *csv;
	struct kf_writer *out;
	struct kf_chunk *chunk;
	struct kf_err err;
	int rc;

	csv = kf_csv_open(in, how, &err);
	if (!csv)
		die("%s", err.msg);
	out = cli_writer(kf_csv_schema(csv));
	while ((rc = kf_csv_next(csv, &chunk, &err)) > 0)
		cli_write(out, chunk);
	if (rc < 0)
		die("%s", err.msg);
	cli_end(out);
	kf_csv_close(csv);
}

int main(int argc, char **argv)
{
	const char *output = NULL, *name;
	struct kf_csv_options how = { 0 };
	struct kf_names columns = { 0 };
	struct kf_input in;
	struct kf_err err;
	int c, fd;

	cli_init(argv, usage);
	while ((c = getopt_long(argc, argv, CLI_SHORT "c:z:o:", options, NULL)) != -1)
		if (c == 'c') {
			kf_names_free(&columns);
			if (kf_names_split(&columns, optarg, &err) < 0)
				misuse("--columns: %s", err.msg);
			how.columns = &columns;
		} else if (c == 'z') {
			cli_pair("--size", optarg, 16384, &how.w, &how.h);
		} else if (c == 'o') {
			output = optarg;
		} else {
			cli_option(c);
		}
	fd = cli_input(argc, argv, &name);
	if (isatty(fd))
		misuse("%s is a terminal; give a file, or pipe one in", name);
	if (kf_input_open(&in, fd, name, &err) < 0)
		die("%s", err.msg);
	cli_output(output);
	/* CSV has no mark of its own: it is what no other format claims. */
	load_csv(&in, &how);
	kf_input_close(&in);
	kf_names_free(&columns);
	return cli_finish();
}
