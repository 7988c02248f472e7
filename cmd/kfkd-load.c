/* kfkd-load: faces, digits or pictures of other formats as a tensor stream. */
#include <unistd.h>

#include "cli.h"
#include "formats/idx.h"
#include "formats/loader.h"

static const char usage[] =
	"usage: kfkd-load [-c NAME,...] [-z WxH] [-l FILE] [-o OUT] [FILE]\n"
	"Turns a CSV of faces, IDX images or PGM images into a tensor stream.\n"
	"  -c, --columns A,B,...  CSV: these targets, in this order (all)\n"
	"  -z, --size WxH         CSV: width and height of an image (square)\n"
	"  -l, --labels FILE      IDX: the labels of the images\n"
	"  -o, --output OUT       write to OUT, which appears when it is whole\n"
	"  -h, --help             print this\n"
	"  -V, --version          print the version\n";

static const struct option options[] = { { "columns", required_argument, NULL, 'c' },
	{ "size", required_argument, NULL, 'z' },
	{ "labels", required_argument, NULL, 'l' },
	{ "output", required_argument, NULL, 'o' }, CLI_LONG };

/* The file of labels, where there is one, into memory. */
static void read_labels(const char *path, int images, struct kf_labels *labels,
	struct kf_load_options *how)
{
	struct kf_err err;
	const char *name;
	int fd;

	if (!path)
		return;
	fd = cli_open(path, &name);
	if (fd == images)
		misuse("standard input cannot be both labels and images");
	if (kf_labels_read(labels, fd, name, &err) < 0)
		die("%s", err.msg);
	if (fd != STDIN_FILENO)
		close(fd);
	how->labels = labels;
}

/* All of the input, to standard output. */
static void load(struct kf_input *in, const struct kf_load_options *how)
{
	const struct kf_chunk *chunk;
	struct kf_loader *loader;
	struct kf_writer *out;
	struct kf_err err;
	int rc;

	loader = kf_loader_open(in, how, &err);
	if (!loader)
		die("%s", err.msg);
	out = cli_writer(kf_loader_schema(loader));
	while ((rc = kf_loader_next(loader, &chunk, &err)) > 0)
		cli_write(out, chunk);
	if (rc < 0)
		die("%s", err.msg);
	cli_end(out);
	kf_loader_close(loader);
}

int main(int argc, char **argv)
{
	const char *output = NULL, *labels_path = NULL, *name;
	struct kf_load_options how = { 0 };
	struct kf_labels labels = { 0 };
	struct kf_names columns = { 0 };
	struct kf_input in;
	struct kf_err err;
	int c, fd;

	cli_init(argv, usage);
	while ((c = getopt_long(argc, argv, CLI_SHORT "c:z:l:o:", options, NULL)) != -1)
		if (c == 'c') {
			kf_names_free(&columns);
			if (kf_names_split(&columns, optarg, &err) < 0)
				misuse("--columns: %s", err.msg);
			how.columns = &columns;
		} else if (c == 'z') {
			cli_pair("--size", optarg, KF_SIDE_MAX, &how.w, &how.h);
		} else if (c == 'l') {
			labels_path = optarg;
		} else if (c == 'o') {
			output = optarg;
		} else {
			cli_option(c);
		}
	fd = cli_input(argc, argv, &name);
	if (isatty(fd))
		misuse("%s is a terminal; give a file, or pipe one in", name);
	read_labels(labels_path, fd, &labels, &how);
	if (kf_input_open(&in, fd, name, &err) < 0)
		die("%s", err.msg);
	cli_output(output);
	load(&in, &how);
	kf_input_close(&in);
	kf_labels_free(&labels);
	kf_names_free(&columns);
	return cli_finish();
}
