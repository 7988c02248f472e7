/* A run of kfkd-train. */
#ifndef TRAIN_RUN_H
#define TRAIN_RUN_H

#include "net/net.h"
#include "progress.h"
#include "train/dataset.h"
#include "train_options.h"

/*
 * First call: takes the files of --checkpoint and --log for this run, and has it outlive
 * the readers of what it says.  Dies where one of them is in use, or would be lost.
 */
void train_begin(const struct settings *s);

/* Opens the backend; dies on failure. */
struct kf_backend *train_open_backend(const struct device *d);

/*
 * Trains the net to its last epoch, after resuming if that is asked for, and
 * adds the losses to m's history.  A signal ends the program, once the
 * checkpoint that --checkpoint asks for is written.  Returns the program's exit
 * status: 1 if the last checkpoint or the log failed.
 */
int train_run(struct kf_net *net, struct kf_dataset *data, struct kf_model *m,
	struct settings *s, struct progress *p);

/* What follows is the model on standard output; if its reader goes away, the program
 * ends by SIGPIPE like others. */
void train_end(void);

#endif
