/*
 * Under AddressSanitizer: libnetpbm loses the comments of a header that it refuses.
 */
#ifndef NETPBM_LEAKS_H
#define NETPBM_LEAKS_H

const char *__lsan_default_suppressions(void);
const char *__lsan_default_options(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libnetpbm";
}

/* It is not told each time. */
const char *__lsan_default_options(void)
{
	return "print_suppressions=0";
}

#endif
