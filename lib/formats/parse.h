/* Numbers from text. */
#ifndef KF_PARSE_H
#define KF_PARSE_H

/*
 * A decimal number with an optional sign, fraction and exponent, rounded as
 * strtof does.  Returns where it ends, or NULL where there is none: no hex,
 * no nan, no inf.  A number too large for a float becomes an infinity.
 */
const char *kf_parse_number(const char *text, float *value);

#endif
