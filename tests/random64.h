/* Random numbers of a test, the same in each run (Marsaglia, "Xorshift RNGs", 2003). */
#ifndef RANDOM64_H
#define RANDOM64_H

#include <stdint.h>

static uint64_t state = 88172645463325252u;

static inline uint64_t random64(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

#endif
