/* Text to numbers: what kfkd-load spends its time on. */
#ifndef KF_PARSE_H
#define KF_PARSE_H

#include <stddef.h>
#include <stdint.h>

/*
 * A decimal number with an optional sign, fraction and exponent, rounded as
 * strtof does.  Returns where it ends, or NULL where there is none: no hex,
 * no nan, no inf.  A number too large for a float becomes an infinity.
 */
const char *kf_parse_number(const char *text, float *value);

/*
 * Exactly n pixels of one to three digits and at most 255, separated by single
 * spaces.  Returns where the last ends, or NULL for anything else.  The three
 * bytes before text must be readable, the last of them not a digit, and so must
 * the 63 bytes after the first one that is neither a digit nor a space.
 */
const char *kf_parse_pixels(const char *text, uint8_t *pixel, size_t n);

#endif
