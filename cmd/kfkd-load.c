/* kfkd-load: faces, digits or pictures of other formats as a tensor stream. */
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "formats/class_names.h"
#include "formats/idx.h"
#include "formats/loader.h"

enum { CLASSES = OPTION_NO_LETTER };

static const struct program program = {
	.name = "kfkd-load",
	.synopsis = { "[-c NAME,...] [-z WxH] [-l FILE [--classes FILE]] [-o OUT] [FILE]" },
	.about = "Turns a CSV of faces, IDX images or PGM images into a tensor stream.",
	.rows = {
		{ 'c', "columns", "A,B,...", "CSV: these targets, in this order (all)",
			.kind = OPTION_TEXT },
		{ 'z', "size", "WxH", "CSV: width and height of an image (square)",
			OPTION_PAIR, .max = KF_SIDE_MAX },
		{ 'l', "labels", "FILE", "IDX: the labels of the images",
			.kind = OPTION_FILE },
		{ CLASSES, "classes", "FILE",
			"IDX: the names of the classes, one a line",
			.kind = OPTION_FILE },
	},
};

static void split_columns(struct kf_names *columns, const char *text)
{
	struct kf_err err;

	kf_names_free(columns); /* of an earlier --columns */
	if (kf_names_split(columns, text, &err) < 0) {
		if (err.memory)
			die("%s", err.msg);
		misuse("--columns: %s", err.msg);
	}
}

/* Reads the labels into memory, if a file of them is given. */
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
	check(kf_labels_read(labels, fd, name, &err), &err);
	if (fd != STDIN_FILENO)
		close(fd);
	how->labels = labels;
}

static void read_classes(const char *path, struct kf_names *classes,
	struct kf_load_options *how)
{
	struct kf_err err;
	const char *name;
	int fd;

	if (!path)
		return;
	if (!how->labels)
		misuse("--classes names labels; give these by --labels");
	if (!strcmp(path, "-"))
		misuse("--classes is a file; standard input has images or labels");
	fd = cli_open(path, &name);
	check(kf_class_names_read(classes, fd, name, &err), &err);
	close(fd);
	how->class_names = classes;
}

/* Writes all of the input to standard output, as a stream. */
static void load(struct kf_input *in, const struct kf_load_options *how)
{
	const struct kf_chunk *chunk;
	struct kf_loader *loader;
	struct kf_writer *out;
	struct kf_err err;
	int rc;

	loader = kf_loader_open(in, how, &err);
	must(loader, &err);
	out = cli_writer(kf_loader_schema(loader));
	while ((rc = kf_loader_next(loader, &chunk, &err)) > 0)
		cli_write(out, chunk);
	check(rc, &err);
	cli_end(out);
	kf_loader_close(loader);
}

int main(int argc, char **argv)
{
	const char *labels_path = NULL, *classes_path = NULL, *name;
	struct options o;
	struct kf_load_options how = { 0 };
	struct kf_labels labels = { 0 };
	struct kf_names columns = { 0 }, classes = { 0 };
	struct kf_input in;
	struct kf_err err;
	int key, fd;

	options_begin(&o, &program, argc, argv);
	while ((key = options_next(&o)))
		switch (key) {
		case 'c':
			split_columns(&columns, o.text);
			how.columns = &columns;
			break;
		case 'z':
			how.w = o.pair[0];
			how.h = o.pair[1];
			break;
		case 'l': labels_path = o.text; break;
		case CLASSES: classes_path = o.text; break;
		}
	fd = cli_input(&o, &name);
	if (isatty(fd))
		misuse("%s is a terminal; give a file, or pipe one in", name);
	read_labels(labels_path, fd, &labels, &how);
	read_classes(classes_path, &classes, &how);
	check(kf_input_open(&in, fd, name, &err), &err);
	output_begin(o.output);
	load(&in, &how);
	kf_input_close(&in);
	kf_labels_free(&labels);
	kf_names_free(&columns);
	kf_names_free(&classes);
	return output_finish();
}
