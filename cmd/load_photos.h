/* What kfkd-load does with photographs and their labels. */
#ifndef LOAD_PHOTOS_H
#define LOAD_PHOTOS_H

#include "formats/input.h"
#include "labels/crops.h"
#include "options.h"

/* What the command line asks for. */
struct photos {
	struct kf_crop_options crop;
	const char *points;   /* operand of --points, or NULL */
	const char *pictures; /* where the labels' pictures are; NULL: beside them */
	bool skip_bad;
	bool labels; /* some were read (private) */
};

/* Whether what has been opened is a photograph, or labels of some.  With sequences a PGM
 * image, which others may follow, is none.  Dies where it cannot be read. */
bool photos_are(struct kf_input *in, bool sequences);

/* Whether an operand is a photograph by its name alone, which goes where the bad ones are
 * left out: what cannot be opened, or is empty, may be one of them. */
bool photos_named(const struct photos *p, const char *operand);

/* Loads all operands; the first is open already, unless it is NULL. */
void photos_load(struct photos *p, const struct options *o, struct kf_input *first);

#endif
