/*
 * Texts in rows: a U8 tensor (n, width) has one in each row, UTF-8 without control
 * characters, filled up with zeros.  A row of zeros has none.
 */
#ifndef KF_TEXTS_H
#define KF_TEXTS_H

#include <stddef.h>

#include "base/err.h"

#define KF_TEXT_MAX 4096 /* bytes, the most that width may be */

/* The width for texts of up to so many bytes: more than that by less than a step, so that
 * most streams have the same. */
#define KF_TEXT_STEP 64
int kf_texts_width(size_t longest);

/* Refuses what no row can hold: control characters, what is not UTF-8, too long a text. */
int kf_texts_check(const char *text, struct kf_err *err);

/* Sets a row; the text fits. */
void kf_texts_set(char *tensor, int width, size_t row, const char *text);

/* The text of a row, with a NUL; returns its length. */
size_t kf_texts_get(const char *tensor, int width, size_t row,
	char text[KF_TEXT_MAX + 1]);

/* Whether n rows are such texts: the first that is not, else n. */
size_t kf_texts_scan(const char *tensor, int width, size_t n);

/* Makes rows of `width` bytes wider, from one tensor to another that does not overlap. */
void kf_texts_widen(const char *from, int width, char *to, int wider, size_t n);

#endif
