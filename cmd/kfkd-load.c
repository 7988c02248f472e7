/* kfkd-load: faces, digits or photographs of other formats as a tensor stream. */
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "formats/class_names.h"
#include "formats/idx.h"
#include "formats/loader.h"
#include "load_photos.h"

enum { CLASSES = OPTION_NO_LETTER, ENLARGE, SHIFT, POINTS, PICTURES, SKIP_BAD };

static const char *crop_word(int i)
{
	static const char *const words[] = { "box", "points", NULL };

	return words[i];
}

static int columns_of(int fd, struct kf_names *columns)
{
	struct kf_load_options how = { 0 };
	struct kf_loader *loader;
	struct kf_input in;
	struct kf_err err;
	int rc = -1;

	if (kf_input_open(&in, fd, "", &err) < 0)
		return -1;
	loader = kf_loader_open(&in, &how, &err);
	if (loader)
		rc = kf_names_copy(columns, &kf_loader_schema(loader)->columns);
	kf_loader_close(loader);
	kf_input_close(&in);
	return rc;
}

static const struct program program = {
	.name = "kfkd-load",
	.synopsis = { "[-c NAME,...] [-z WxH] [-l FILE [--classes FILE]] [-o OUT] [FILE]",
		"[-C box|points] [-z WxH] [OPTION ...] [-o OUT] FILE ..." },
	.about = "Turns a CSV of faces, IDX images, PGM images, or photographs and files of their\n"
		 "labels (COCO's JSON, .pts, dlib's XML, CSV with file names) into a tensor\n"
		 "stream.",
	.rows = {
		{ 'c', "columns", "A,B,...", "CSV: these targets, in this order (all)",
			.kind = OPTION_COLUMNS },
		{ 'z', "size", "WxH",
			"CSV: width and height of an image (square)\n"
			"photographs: of what each becomes (crops: 96x96)",
			OPTION_PAIR, .max = KF_SIDE_MAX },
		{ 'l', "labels", "FILE", "IDX: the labels of the images",
			.kind = OPTION_FILE },
		{ CLASSES, "classes", "FILE",
			"IDX, photographs: the names of the classes, one a line",
			.kind = OPTION_FILE },
		{ .help = "Photographs:" },
		{ 'C', "crop", "BY",
			"%s: cut out faces, by the square around that",
			OPTION_WORD, .word = crop_word },
		{ ENLARGE, "enlarge", "F", "make the square's side larger (1.25)",
			OPTION_REAL, .low = 0.1, .high = 100 },
		{ SHIFT, "shift", "X,Y",
			"move it right and down by these parts of its side (0,0)",
			.kind = OPTION_TEXT },
		{ POINTS, "points", "FILE", "names for points, a choice of them, means",
			.kind = OPTION_FILE },
		{ PICTURES, "pictures", "DIR",
			"where the labels' pictures are (beside the labels)",
			.kind = OPTION_FILE },
		{ SKIP_BAD, "skip-bad",
			.help = "leave out what cannot be read, and count it" },
	},
	.columns = columns_of,
};

/* The options that go with photographs alone. */
static const int of_photos[] = { 'C', ENLARGE, SHIFT, POINTS, PICTURES, SKIP_BAD };

#define N_OF_PHOTOS (sizeof of_photos / sizeof *of_photos)

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

static void read_classes(const char *path, struct kf_names *classes)
{
	struct kf_err err;
	const char *name;
	int fd;

	if (!path)
		return;
	if (!strcmp(path, "-"))
		misuse("--classes is a file; standard input has images or labels");
	fd = cli_open(path, &name);
	check(kf_class_names_read(classes, fd, name, &err), &err);
	close(fd);
}

static enum kf_crop_by parse_crop(const char *text)
{
	if (strcmp(text, "box") && strcmp(text, "points"))
		misuse("--crop: '%s' is neither box nor points", text);
	return strcmp(text, "box") ? KF_CROP_POINTS : KF_CROP_BOX;
}

static void parse_shift(const char *text, double shift[2])
{
	const char *comma = strchr(text, ',');
	char x[64];

	if (!comma || comma - text >= (int)sizeof x)
		misuse("--shift: '%s' is not two numbers such as 0,-0.1", text);
	snprintf(x, sizeof x, "%.*s", (int)(comma - text), text);
	shift[0] = option_real("shift", x, -100, 100);
	shift[1] = option_real("shift", comma + 1, -100, 100);
}

/* An option that goes with photographs alone, or 0. */
static int photo_option(const struct options *o)
{
	int option = 0;

	for (size_t i = 0; i < N_OF_PHOTOS; i++)
		if (options_given(o, of_photos[i]))
			option = of_photos[i];
	return option;
}

/* Options that do not go with photographs, or not without each other. */
static void check_photos(const struct options *o)
{
	if (options_given(o, 'c') || options_given(o, 'l'))
		die("--%s does not go with photographs",
			options_given(o, 'c') ? "columns" : "labels");
	if (!options_given(o, 'C') &&
		(options_given(o, ENLARGE) || options_given(o, SHIFT)))
		misuse("--enlarge and --shift go with --crop");
}

/* The same for what is no photograph. */
static void check_others(const struct options *o, struct kf_input *in)
{
	struct kf_err err;

	if (o->n_operands > 1 || photo_option(o))
		check(kf_input_check(in, &err), &err);
	if (o->n_operands > 1)
		misuse("more than one file: '%s'", o->operands[1]);
	if (options_given(o, CLASSES) && !options_given(o, 'l'))
		misuse("--classes names labels; give these by --labels");
	if (photo_option(o))
		die("--%s does not go with '%s', which is neither a photograph nor "
		    "labels of some (JSON, XML, .pts, or names of pictures in a CSV)",
			options_name(o, photo_option(o)), in->name);
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

/* Opens the first operand and tells by it what there is to do. */
static void load_operands(const struct options *o, struct photos *photos,
	const char *labels_path, struct kf_load_options *how)
{
	bool sequences =
		!photo_option(o) && !options_given(o, 'z') && o->n_operands <= 1;
	struct kf_labels labels = { 0 };
	struct kf_input in;
	struct kf_err err;
	const char *name;
	int fd = cli_open(o->operands[0], &name);

	if (isatty(fd))
		misuse("%s is a terminal; give a file, or pipe one in", name);
	read_labels(labels_path, fd, &labels, how);
	check(kf_input_open(&in, fd, name, &err), &err);
	if (photos_are(&in, sequences)) {
		check_photos(o);
		photos_load(photos, o, &in);
	} else {
		check_others(o, &in);
		output_begin(o->output);
		load(&in, how);
	}
	kf_input_close(&in);
	kf_labels_free(&labels);
}

int main(int argc, char **argv)
{
	const char *labels_path = NULL, *classes_path = NULL;
	struct options o;
	struct kf_load_options how = { 0 };
	struct kf_names columns = { 0 }, classes = { 0 };
	struct photos photos = { .crop = { .enlarge = 1.25 } };
	int key;

	options_begin(&o, &program, argc, argv);
	while ((key = options_next(&o)))
		switch (key) {
		case 'c':
			split_columns(&columns, o.text);
			how.columns = &columns;
			break;
		case 'z':
			how.w = photos.crop.w = o.pair[0];
			how.h = photos.crop.h = o.pair[1];
			break;
		case 'l': labels_path = o.text; break;
		case CLASSES: classes_path = o.text; break;
		case 'C': photos.crop.by = parse_crop(o.text); break;
		case ENLARGE: photos.crop.enlarge = o.real; break;
		case SHIFT: parse_shift(o.text, photos.crop.shift); break;
		case POINTS: photos.points = o.text; break;
		case PICTURES: photos.pictures = o.text; break;
		case SKIP_BAD: photos.skip_bad = true; break;
		}
	read_classes(classes_path, &classes);
	how.class_names = photos.crop.class_names = classes_path ? &classes : NULL;
	if (photos_named(&photos, o.operands[0])) {
		check_photos(&o);
		photos_load(&photos, &o, NULL);
	} else {
		load_operands(&o, &photos, labels_path, &how);
	}
	kf_names_free(&columns);
	kf_names_free(&classes);
	return output_finish();
}
