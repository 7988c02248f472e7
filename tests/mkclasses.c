/*
 * Writes a stream of labelled images with predictions of their classes, for
 * tests of what reads such streams:
 *
 *   mkclasses ROWS CLASSES [NAMES] > STREAM
 *
 * Row i, from 1, has the label i % CLASSES, and an image of 28 x 28 of one grey
 * level.  Every fifth is taken for the next class.  NAMES are those of the classes, with
 * commas between.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream/writer.h"

static int fill(struct kf_chunk *c, const struct kf_schema *s, int rows, int classes,
	struct kf_err *err)
{
	if (kf_chunk_reserve(c, s, (size_t)rows, err) < 0)
		return -1;
	c->n = (size_t)rows;
	for (int i = 0; i < rows; i++) {
		int label = (i + 1) % classes, taken = (label + (i % 5 == 4)) % classes;

		c->id[i] = i + 1;
		c->label[i] = label;
		/* columns run from the last class to the first */
		for (int j = 0; j < classes; j++)
			c->p[i * classes + j] = j == classes - 1 - taken ? 0.6f : 0.1f;
		memset((char *)c->X + i * 28 * 28, 20 * label % 256, 28 * 28);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct kf_schema s = { .has_label = true,
		.dtype = KF_U8,
		.c = 1,
		.h = 28,
		.w = 28 };
	struct kf_chunk chunk = { 0 };
	struct kf_writer *out;
	struct kf_err err;
	int rows, classes;
	char name[32];

	if (argc < 3)
		return 2;
	rows = atoi(argv[1]);
	classes = s.classes = atoi(argv[2]);
	for (int i = classes - 1; i >= 0; i--) {
		snprintf(name, sizeof name, "class_%d", i);
		kf_names_add(&s.p_columns, name);
	}
	if (argc > 3 && kf_names_split(&s.class_names, argv[3], &err) < 0)
		return 2;
	out = kf_writer_open(STDOUT_FILENO, "standard output", &s, &err);
	if (!out || fill(&chunk, &s, rows, classes, &err) < 0 ||
		kf_writer_write(out, &chunk, &err) < 0 ||
		kf_writer_end(out, &err) < 0) {
		fprintf(stderr, "mkclasses: %s\n", err.msg);
		return 1;
	}
	kf_writer_close(out);
	kf_chunk_free(&chunk);
	kf_names_free(&s.p_columns);
	kf_names_free(&s.class_names);
	return 0;
}
