/* PNG, row by row: 8 bits of grey or of each colour. */
#ifndef KF_PICTURE_PNG_H
#define KF_PICTURE_PNG_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"

/* A picture that is being written. */
struct kf_png_writer;

/*
 * Writes what comes before the rows.  f and name, which is the file's in messages, stay
 * the caller's.  NULL with err filled.
 */
struct kf_png_writer *kf_png_begin(FILE *f, const char *name, int w, int h, bool colour,
	struct kf_err *err);
/* The next n rows of bytes, one behind the other: 0 or -1. */
int kf_png_rows(struct kf_png_writer *png, const unsigned char *rows, int n,
	struct kf_err *err);
/* Writes what comes after the last row: 0 or -1. */
int kf_png_end(struct kf_png_writer *png, struct kf_err *err);
/* In any case; NULL is allowed. */
void kf_png_free(struct kf_png_writer *png);

#endif
