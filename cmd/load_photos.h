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
};

/* Whether what has been opened is a photograph, or labels of some.  With sequences a PGM
 * image, which others may follow, is none.  Dies where it cannot be read. */
bool photos_are(struct kf_input *in, bool sequences);

/* Loads all operands; the first is open already. */
void photos_load(struct photos *p, const struct options *o, struct kf_input *first);

#endif
