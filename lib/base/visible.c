/* Escaping control characters. */
#include "base/visible.h"

#include <stdbool.h>
#include <stdio.h>

/* Whether a sequence of n bytes stands for a code point that takes as many, and is
 * neither a surrogate nor beyond the last one. */
static bool well_formed(unsigned long code, int n)
{
	static const unsigned long least[] = { 0, 0, 0x80, 0x800, 0x10000 };

	return code >= least[n] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

int kf_utf8_length(const char *s, int *control)
{
	const unsigned char *b = (const unsigned char *)s;
	unsigned long code = *b;
	int n = 0;

	*control = 0;
	if (*b < 0x80)
		n = 1;
	else if (*b >= 0xc2 && *b < 0xe0)
		n = 2;
	else if (*b >= 0xe0 && *b < 0xf0)
		n = 3;
	else if (*b >= 0xf0 && *b < 0xf5)
		n = 4;
	if (n > 1)
		code &= 0x7fu >> n;
	for (int i = 1; i < n; i++) {
		if ((b[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (b[i] & 0x3f);
	}
	if (n == 0 || !well_formed(code, n))
		return 0;
	*control = code < ' ' || (code >= 0x7f && code < 0xa0);
	return n;
}

size_t kf_visible(char *to, size_t size, const char *text)
{
	size_t length = 0;

	while (*text) {
		int control, n = kf_utf8_length(text, &control);
		bool escape = n == 0 || control;

		for (int i = 0; i < (n ? n : 1); i++, text++) {
			char *at = length < size ? to + length : NULL;
			size_t left = at ? size - length : 0;

			length += (size_t)snprintf(at, left, escape ? "\\x%02x" : "%c",
				(unsigned char)*text);
		}
	}
	if (size > 0)
		to[length < size ? length : size - 1] = '\0';
	return length;
}
