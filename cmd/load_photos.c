/* Photographs and their labels as a stream. */
#define _GNU_SOURCE
#include "load_photos.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "labels/labels.h"
#include "labels/points.h"
#include "labels/text.h"
#include "photo/photo.h"

/* -- operands --------------------------------------------------------------------- */

/* Where the pictures of a label file are, for those that it names without a directory
 * from the root: the caller's to free. */
static char *directory_of(const struct photos *p, const char *path)
{
	char *copy, *directory;

	if (p->pictures)
		return strdup(p->pictures);
	if (!strchr(path, '/'))
		return strdup("");
	copy = strdup(path);
	must_alloc(copy);
	directory = strdup(dirname(copy));
	free(copy);
	return directory;
}

/* Whoever keeps pictures apart from their labels is told of the option for that. */
static void check_first(const struct photos *p, const struct kf_faces *list,
	const char *labels)
{
	const char *file = list->face[0].file;

	if (!p->skip_bad && !p->pictures && access(file, F_OK) < 0 && errno == ENOENT)
		die("'%s': there is no picture '%s'; where the labels' pictures are "
		    "elsewhere, give --pictures DIR",
			labels, file);
}

/* Faces of one file; files that differ in their points may yet give the same by names. */
static void add_labels(struct photos *p, const struct kf_point_list *points,
	struct kf_faces *faces, struct kf_input *in, const char *operand)
{
	char *directory = directory_of(p, operand);
	struct kf_faces list = { .n = 0 };
	struct kf_err err;

	must_alloc(directory);
	check(kf_faces_read(&list, in, directory, &err), &err);
	check_first(p, &list, in->name);
	if (p->points)
		check(kf_point_list_apply(points, &list, &err), &err);
	if (kf_faces_append(faces, &list, &err) < 0)
		die("'%s': %s", in->name, err.msg);
	free(directory);
	p->labels = true;
}

/* A photograph is opened by its name when its turn comes, which no pipe can be. */
static bool is_photo(struct kf_input *in)
{
	struct stat file;
	struct kf_err err;

	check(kf_input_need(in, KF_PHOTO_FIRST_BYTES, &err), &err);
	return fstat(in->fd, &file) == 0 && S_ISREG(file.st_mode) &&
		in->fd != STDIN_FILENO &&
		kf_photo_claims((const unsigned char *)in->at, in->n);
}

static bool is_labels(struct kf_input *in)
{
	struct kf_err err;
	int rc = kf_labels_claims(in, &err);

	check(rc, &err);
	return rc != KF_LABELS_NONE;
}

/* Whether it is of the one kind that kfkd-load reads in sequences, too. */
static bool is_sequence(const struct kf_input *in)
{
	return in->n > 1 && in->at[0] == 'P' && in->at[1] == '5';
}

bool photos_are(struct kf_input *in, bool sequences)
{
	return (is_photo(in) && !(sequences && is_sequence(in))) || is_labels(in);
}

bool photos_named(const struct photos *p, const char *operand)
{
	return p->skip_bad && operand && kf_is_picture_name(operand);
}

static void add_photo(struct kf_faces *faces, const char *path)
{
	struct kf_err err;

	check(kf_faces_add_photo(faces, path, &err), &err);
}

static void add_operand(struct photos *p, const struct kf_point_list *points,
	struct kf_faces *faces, struct kf_input *in, const char *operand)
{
	struct kf_err err;

	if (is_photo(in)) {
		add_photo(faces, operand);
		return;
	}
	check(kf_input_check(in, &err), &err);
	if (!is_labels(in))
		die("'%s' is neither a picture nor a file of labels", in->name);
	add_labels(p, points, faces, in, operand);
}

static void read_points(const struct photos *p, struct kf_point_list *points)
{
	struct kf_err err;
	const char *name;
	int fd;

	if (!p->points)
		return;
	fd = cli_open(p->points, &name);
	check(kf_point_list_read(points, fd, name, &err), &err);
	close(fd);
}

/* Opens an operand and adds what it is. */
static void open_operand(struct photos *p, const struct kf_point_list *points,
	struct kf_faces *faces, const char *operand)
{
	struct kf_input in;
	struct kf_err err;
	const char *name;
	int fd = cli_open(operand, &name);

	check(kf_input_open(&in, fd, name, &err), &err);
	add_operand(p, points, faces, &in, operand);
	kf_input_close(&in);
	close(fd);
}

static void add_operands(struct photos *p, struct kf_faces *faces,
	const struct options *o, struct kf_input *first)
{
	struct kf_point_list points = { .n = 0 };
	struct kf_err err;

	read_points(p, &points);
	for (int i = 0; i < o->n_operands || i == 0; i++)
		if (i == 0 && first)
			add_operand(p, &points, faces, first, o->operands[0]);
		else if (photos_named(p, o->operands[i]))
			add_photo(faces, o->operands[i]);
		else
			open_operand(p, &points, faces, o->operands[i]);
	kf_point_list_free(&points);
	if (!p->labels && (p->points || p->pictures))
		misuse("--%s has no effect without a file of labels",
			p->points ? "points" : "pictures");
	check(kf_faces_number(faces, &err), &err);
}

/* -- rows -------------------------------------------------------------------------- */

static void skip(const struct kf_err *why)
{
	warn("%s", why->msg);
}

/* Returns how many there are. */
static uint64_t write_rows(struct kf_crops *crops)
{
	const struct kf_chunk *chunk;
	struct kf_writer *out = cli_writer(kf_crops_schema(crops));
	struct kf_err err;
	uint64_t rows = 0;
	int rc;

	while ((rc = kf_crops_next(crops, &chunk, &err)) > 0) {
		rows += chunk->n;
		cli_write(out, chunk);
	}
	check(rc, &err);
	if (rows == 0)
		die("no picture could be read");
	cli_end(out);
	return rows;
}

void photos_load(struct photos *p, const struct options *o, struct kf_input *first)
{
	struct kf_faces faces = { .n = 0 };
	struct kf_crops *crops;
	struct kf_err err;
	uint64_t rows;

	add_operands(p, &faces, o, first);
	if (p->skip_bad)
		p->crop.skip = skip;
	crops = kf_crops_open(&faces, &p->crop, &err);
	must(crops, &err);
	output_begin(o->output);
	rows = write_rows(crops);
	if (rows < faces.n)
		warn("%zu of %zu faces are left out", faces.n - (size_t)rows, faces.n);
	kf_crops_close(crops);
	kf_faces_free(&faces);
}
