/* What kfkd-train does as one of several ranks. */
#ifndef TRAIN_RANKS_H
#define TRAIN_RANKS_H

#include "train/dataset.h"
#include "train_options.h"

/*
 * Joins the other ranks, if there are any, and fits options and settings to that: each has
 * its share of the processors and, if there are enough, a GPU of its own; only rank 0 writes
 * and logs; and "%r" in the operand and in what validates becomes the rank.  From here on, a rank that ends before
 * ranks_leave ends all of them.  Dies where
 * the options do not suit several processes.
 */
void ranks_join(struct settings *s, struct options *o);

/* Whether this process is the only one or the one that writes. */
bool ranks_first(const struct settings *s);

/* Dies where the ranks' data do not go together: the same, or, with "%r", of one kind. */
void ranks_check_data(const struct settings *s, const struct kf_dataset *d);

/* The same for what else they have to begin with: options, which m notes; and weights and
 * progress, of which each rank reads those of --init or --resume for itself. */
void ranks_check_options(const struct settings *s, const struct kf_model *m);
void ranks_check_start(const struct settings *s, const struct kf_trainer *t);

/* The sum of v over the ranks; v itself where there is just one, or where it is of what all
 * of them have and not of shards. */
size_t ranks_total(const struct settings *s, bool shards, size_t v);

/* A digest of what all ranks have, given this rank's. */
uint64_t ranks_digest(const struct settings *s, uint64_t digest);

/* Waits for rank 0 to have written the last checkpoint, and leaves the others.  Returns the
 * signal that ends the run, which only some of the ranks may have received. */
int ranks_stop(struct settings *s, int signal);

/* Waits for the others and leaves them. */
void ranks_leave(struct settings *s);

#endif
