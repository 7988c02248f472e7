/*
 * Under AddressSanitizer: no check for leaks at exit, for tests that open a
 * backend.  LeakSanitizer itself crashes in a process that has loaded oneDNN.
 */
#ifndef NO_LEAK_CHECK_H
#define NO_LEAK_CHECK_H

const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

#endif
