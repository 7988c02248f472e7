/*
 * A format that kfkd-load reads: how it is told from others, and how it becomes
 * rows.  To add one, fill a kf_format and list it in loader.c.
 */
#ifndef KF_FORMAT_H
#define KF_FORMAT_H

#include "formats/input.h"
#include "stream/schema.h"

struct kf_labels; /* idx.h */

struct kf_load_options {
	/* For a CSV: */
	const struct kf_names *columns; /* targets in order; NULL: all there are */
	int w, h;                       /* of an image; 0: square, as the first is */
	bool libcsv_only;               /* no row is read in place: for tests */
	/* For IDX: */
	const struct kf_labels *labels;     /* of the images, or NULL */
	const struct kf_names *class_names; /* of the labels, or NULL */
};

/* A format's own struct begins with this one. */
struct kf_loader {
	const struct kf_format *format;
	struct kf_input *in;
	const struct kf_load_options *options;
	struct kf_schema schema;
	struct kf_chunk chunk;
};

#define KF_FIRST_BYTES 4

struct kf_format {
	const char *name;
	bool takes_targets; /* --columns and --size */
	bool takes_labels;  /* --labels */
	size_t size;        /* of its own struct, which is zeroed for it */
	/* Whether an input that starts like this is one; a shorter input is padded
	 * with zeros. */
	bool (*claims)(const unsigned char first[KF_FIRST_BYTES]);
	/* Finds out the schema; loader.c calls close where this fails, too. */
	int (*open)(struct kf_loader *l, struct kf_err *err);
	/* Fills the chunk with rows, at least one: 1; 0 at the end; -1. */
	int (*next)(struct kf_loader *l, struct kf_err *err);
	/* Frees what is the format's own. */
	void (*close)(struct kf_loader *l);
};

#endif
