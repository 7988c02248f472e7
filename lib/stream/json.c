/* jansson's memory. */
#include "stream/json.h"

#include <stdlib.h>

static _Thread_local bool ran_out;

/* After a failure all others fail, too: where only the end of a string were lost, the
 * parser would copy what is behind it. */
static void *allocate(size_t size)
{
	void *p = ran_out ? NULL : malloc(size);

	ran_out |= !p;
	return p;
}

void kf_json_begin(void)
{
	json_set_alloc_funcs(allocate, free);
	ran_out = false;
}

bool kf_json_ran_out(void)
{
	return ran_out;
}
