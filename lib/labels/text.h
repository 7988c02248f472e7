/* What the texts of label files have in common. */
#ifndef KF_LABEL_TEXT_H
#define KF_LABEL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* A coordinate from text of len bytes and a NUL: decimal, within any photograph. */
int kf_label_number(const char *text, size_t len, double *value, struct kf_err *err);

/* Refuses a number that is in no photograph. */
int kf_label_check(double value, struct kf_err *err);

/* Whether a text ends like the name of a picture. */
bool kf_is_picture_name(const char *text);

#endif
