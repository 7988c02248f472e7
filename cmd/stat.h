/* What kfkd-stat's files share. */
#ifndef STAT_H
#define STAT_H

#include <stdbool.h>

#include "stream/safetensors.h"
#include "stream/schema.h"

/* Read the rest of st, which they close, and print what it holds. */
void stat_stream(struct kf_st *st);
void stat_model(struct kf_st *st, bool history);

/* Prints the scaling of n axes, nothing where values are not scaled: stat_stream.c. */
void print_scale(const char *what, const struct kf_scale *s /* (n) */, int n);

/* Prints names with commas between, nothing where there are none: stat_stream.c. */
void print_names(const char *title, const struct kf_names *names);

#endif
