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

/* Returns where the field ends, or NULL where it is not plain. */
const char *kf_plain_target(const char *p, float *value);
const char *kf_plain_id(const char *p, int64_t *id);
const char *kf_plain_text(const char *p);
/* For pixels: formats/parse_pixels.h. */

/* text has len bytes followed by a NUL, and no space at either end.  0 or -1. */
int kf_field_target(const char *text, size_t len, float *value, struct kf_err *err);
int kf_field_id(const char *text, size_t len, int64_t *id, struct kf_err *err);
/* Returns the number of pixels, or -1; pixel gets the first room of them. */
int64_t kf_field_pixels(const char *text, size_t len, uint8_t *pixel, size_t room,
	struct kf_err *err);

#endif
