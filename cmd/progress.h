/* What kfkd-train prints on standard error while it works. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include "net/layers.h"
#include "train/train.h"

struct progress {
	bool quiet;
	bool terminal; /* a line with the time left */
	bool colour;
	bool classify; /* a column for the accuracy, in place of pixels */
	int epochs;
	int done;       /* rows of the table */
	double pixels;  /* RMSE of a loss of 1 */
	double seconds; /* spent so far */
	double since;   /* when the epoch at hand began, */
	double told;    /* and when its batches were told last */
	int best_epoch; /* of the validation loss */
	float best_loss;
};

void progress_start(struct progress *p, bool quiet, int epochs, bool classify,
	double pixels);

/* The table of layers. */
void progress_layers(const struct progress *p, const struct kf_layers *l);

/* The table's header, a row, and the line below the table. */
void progress_head(struct progress *p);
void progress_row(struct progress *p, const struct kf_epoch *e);
void progress_end(const struct progress *p);

/* Before a batch, on a terminal: in place of the time left, how many of the epoch's batches
 * are done, or that it validates.  Epochs that take less than a second stay without. */
void progress_batch(struct progress *p, int epoch, size_t done, size_t batches);

/* The root mean square error, in pixels, of an epoch's validation, or of its training where
 * nothing validates; NaN for classes. */
double progress_pixels(const struct progress *p, const struct kf_epoch *e);

/* After resuming: the best validation loss of earlier runs. */
void progress_best(struct progress *p, int epoch, float loss);

/* Clears the line with the time left, before anything else is printed. */
void progress_clear(const struct progress *p);

/* Prints a line, unless quiet. */
void progress_say(const struct progress *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
