/* A run of kfkd-train. */
#ifndef TRAIN_RUN_H
#define TRAIN_RUN_H

#include "net/net.h"
#include "progress.h"
#include "train/dataset.h"
#include "train_options.h"

/* Opens the backend; dies on failure.  First call, before train_run. */
struct kf_backend *train_open_backend(const struct device *d);

/*
 * Trains the net to its last epoch, after resuming if that is asked for, and
 * adds the losses to m's history.  A signal ends the program, once the
 * checkpoint that --checkpoint asks for is written.
 */
void train_run(struct kf_net *net, struct kf_dataset *data, struct kf_model *m,
	const struct settings *s, struct progress *p);

#endif
