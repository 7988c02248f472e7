/* What kfkd-stat's files share. */
#ifndef STAT_H
#define STAT_H

#include <stdbool.h>

#include "net/model.h"
#include "stream/safetensors.h"
#include "stream/schema.h"

/* Read the rest of st, which they close, and print what it holds. */
void stat_stream(struct kf_st *st);
void stat_model(struct kf_st *st, bool history);

/* Prints a row for each of these models, after a header.  Their seconds are those of the
 * logs beside them, whose names end in suffix; NULL: there are none. */
void stat_table(char **operands /* (n) */, int n, const char *suffix);

/* The epoch with the least validation loss, or train loss where nothing validated, from 0;
 * -1 if there is none: stat_table.c. */
int stat_best_epoch(const struct kf_model *m);

/* What the first so many epochs of a model took, from the log beside it; NAN where it is
 * missing or lacks some of them: stat_log.c. */
double stat_seconds(const char *model, const char *suffix, int epochs);

/* Prints the scaling of n axes, nothing where values are not scaled: stat_stream.c. */
void print_scale(const char *what, const struct kf_scale *s /* (n) */, int n);

/* Prints names with commas between, nothing where there are none: stat_stream.c. */
void print_names(const char *title, const struct kf_names *names);

#endif
