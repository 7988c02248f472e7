/* The options of kfkd-train. */
#ifndef TRAIN_OPTIONS_H
#define TRAIN_OPTIONS_H

#include "device.h"
#include "net/model.h"
#include "train/train.h"

struct settings {
	const char *line; /* of layers */
	const char *init, *checkpoint, *resume;
	struct kf_train_options train;
	struct device device;
	int every;
	bool quiet;
};

/* From the command line, over those of the preset.  First call in main. */
struct settings train_settings(struct options *o, int argc, char **argv);

/*
 * Notes in a model all that its weights depend on, beside data and --init: a
 * checkpoint holds only for the same.
 */
void train_note_settings(struct kf_model *m, const struct settings *s);

#endif
