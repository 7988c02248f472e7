/* The options of kfkd-train. */
#ifndef TRAIN_OPTIONS_H
#define TRAIN_OPTIONS_H

#include "device.h"
#include "net/model.h"
#include "rows/split.h"
#include "train/train.h"

struct settings {
	const char *line; /* of layers */
	const char *init, *checkpoint, *resume, *log;
	const char *validation;     /* a stream of rows that validate, */
	const char *validation_all; /* with "%r" for the rank, as it was given, */
	size_t validation_rows;     /* and how many these are, once that is known; */
	struct kf_split fold;       /* or else the fold that does, if it has folds */
	struct kf_train_options train;
	struct device device;
	size_t memory; /* bytes that the data may take; 0: see --memory */
	int every;
	const char *comm; /* the engine that joins ranks */
	bool keeps;       /* whether a checkpoint is read or written, by any rank */
	bool overwrite;   /* what --checkpoint would lose */
	bool quiet;
};

/* Those of the preset, overridden by the command line.  First call in main. */
struct settings train_settings(struct options *o, int argc, char **argv);

/*
 * Notes in the model all that the course of the run depends on, apart from the data and
 * --init: it can only be resumed with the same.
 */
void train_note_settings(struct kf_model *m, const struct settings *s);

#endif
