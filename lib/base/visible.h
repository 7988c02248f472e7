/* Text from elsewhere, made safe for a terminal. */
#ifndef KF_VISIBLE_H
#define KF_VISIBLE_H

#include <stddef.h>

/*
 * The length of the UTF-8 sequence at s, which ends in a NUL; 0 if it is none.
 * *control tells whether it is a control character: C0, DEL or C1.
 */
int kf_utf8_length(const char *s, int *control);

/*
 * Copies text with the bytes of control characters, and bytes that are not UTF-8,
 * escaped: "\x1b".  Returns the length that all of it takes, as snprintf does.
 */
size_t kf_visible(char *to, size_t size, const char *text);

#endif
