/*
 * jansson, with a memory that tells when it ran out: its parser drops characters of
 * a string that it cannot store, and goes on.
 */
#ifndef KF_JSON_H
#define KF_JSON_H

#include <jansson.h>
#include <stdbool.h>

void kf_json_begin(void);
/* Whether an allocation of jansson's has failed in this thread since then. */
bool kf_json_ran_out(void);

#endif
