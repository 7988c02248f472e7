/*
 * The fields of a CSV of faces, each in two ways. kf_plain_* read in place, and
 * accept only the usual form; kf_field_* read anything and say what is wrong
 * with it.  Where the former succeed, the latter give the same value.
 */
#ifndef KF_FIELDS_H
#define KF_FIELDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "stream/texts.h"

/* Of a row's name with the zeros behind it.  Rows are passed on as they are read, so that
 * no width can follow from the longest. */
#define KF_NAME_WIDTH KF_TEXT_STEP

/* Returns where the field ends, or NULL where it is not plain. */
const char *kf_plain_target(const char *p, float *value);
const char *kf_plain_id(const char *p, int64_t *id);
const char *kf_plain_text(const char *p);
const char *kf_plain_name(const char *p, char name[KF_NAME_WIDTH]);
/* For pixels: formats/parse_pixels.h. */

/* text has len bytes followed by a NUL, and no space at either end.  0 or -1. */
int kf_field_target(const char *text, size_t len, float *value, struct kf_err *err);
int kf_field_id(const char *text, size_t len, int64_t *id, struct kf_err *err);
/* This text may have spaces at its ends. */
int kf_field_name(const char *text, size_t len, char name[KF_NAME_WIDTH],
	struct kf_err *err);
/* Returns the number of pixels, or -1; pixel gets the first room of them. */
int64_t kf_field_pixels(const char *text, size_t len, uint8_t *pixel, size_t room,
	struct kf_err *err);

#endif
