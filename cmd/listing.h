/* What kfkd-train and kfkd-stat say of layers and parameters alike. */
#ifndef LISTING_H
#define LISTING_H

#include <stdio.h>

#include "net/layers.h"

/*
 * Prints a table: for each layer its name, with what branches off from elsewhere and what
 * an add adds, "add3 of conv7 relu"; the shape of its output; its multiply-adds for an
 * image; and how many parameters it learns.
 */
void list_layers(FILE *f, const struct kf_layers *l);

/* "64 x 32 x 3 x 3"; "" for a scalar. */
void shape_text(const int64_t *shape /* (rank) */, int rank, char *text, size_t size);

#endif
