/*
 * The fields of a CSV of faces, each in two ways.  kf_plain_* read in place,
 * and only what is just as it should be; kf_field_* read anything and say what
 * is wrong with it.  Where the first has a value, the second has the same.
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
/* For pixels: kf_parse_pixels. */

/* text has len bytes and a NUL behind them, and no space at its ends. */
int kf_field_target(const char *text, size_t len, float *value, struct kf_err *err);
int kf_field_id(const char *text, size_t len, int64_t *id, struct kf_err *err);
/* Returns how many there are, or -1; the first room of them go to pixel. */
int64_t kf_field_pixels(const char *text, size_t len, uint8_t *pixel, size_t room,
	struct kf_err *err);

#endif
