/*
 * What kfkd-load does: an input in one of several formats, told by its first
 * bytes, becomes chunks of rows.
 */
#ifndef KF_LOADER_H
#define KF_LOADER_H

#include "formats/input.h"
#include "stream/schema.h"

struct kf_labels; /* idx.h */

struct kf_load_options {
	/* For a CSV: */
	const struct kf_names *columns; /* targets in order; NULL: all there are */
	int w, h;                       /* of an image; 0: square, as the first is */
	bool libcsv_only;               /* no row is read in place: for tests */
	/* For IDX: */
	const struct kf_labels *labels; /* of the images, or NULL */
};

/*
 * Reads as far as it takes to know the schema.  in stays the caller's and must
 * outlive the loader, as must the options.
 */
struct kf_loader *kf_loader_open(struct kf_input *in,
	const struct kf_load_options *options, struct kf_err *err);
const struct kf_schema *kf_loader_schema(const struct kf_loader *l);

/*
 * The next rows, a full chunk unless the format is a live one; they are the
 * loader's and live until the next call.  Returns 1, 0 at the end, or -1.
 */
int kf_loader_next(struct kf_loader *l, const struct kf_chunk **chunk,
	struct kf_err *err);
void kf_loader_close(struct kf_loader *l);

/* -- for the formats ------------------------------------------------------------ */

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
	size_t size;        /* of its own struct, which comes filled with zeros */
	/* Whether it begins so; behind a shorter input are zeros. */
	bool (*claims)(const unsigned char first[KF_FIRST_BYTES]);
	/* Makes the schema known; loader.c calls close where this fails, too. */
	int (*open)(struct kf_loader *l, struct kf_err *err);
	/* Fills the chunk with rows, at least one: 1; 0 at the end; -1. */
	int (*next)(struct kf_loader *l, struct kf_err *err);
	/* Frees what is the format's own. */
	void (*close)(struct kf_loader *l);
};

#endif
