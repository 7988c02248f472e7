/* The weights that a run of kfkd-train starts with. */
#ifndef TRAIN_START_H
#define TRAIN_START_H

#include "net/net.h"
#include "progress.h"

/*
 * Takes over the weights of a model that fit, and says which do not; or those that another
 * program has saved, which must be all of the net's.  Dies where none fit, or not all.
 */
void train_start_from(struct kf_net *net, const char *path, struct progress *p);

#endif
