/* Control characters that are escaped. */
#include <string.h>

#include "base/visible.h"
#include "stream/names.h"
#include "tap.h"

static const struct {
	const char *what, *text, *shown;
} texts[] = {
	{ "nothing", "", "" },
	{ "plain text", "a_x, 'b' \\ 1%", "a_x, 'b' \\ 1%" },
	{ "letters of other languages",
		"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x99\x82",
		"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x99\x82" },
	{ "C0 and DEL", "\x1b[2J\n\t\x7f", "\\x1b[2J\\x0a\\x09\\x7f" },
	{ "C1 in UTF-8",
		"a\xc2\x80\xc2\x9b"
		"b\xc2\xa0",
		"a\\xc2\\x80\\xc2\\x9b"
		"b\xc2\xa0" },
	{ "C1 as a byte",
		"\x9b"
		"31m",
		"\\x9b"
		"31m" },
	{ "C1 in more bytes than it takes", "\xe0\x82\x9b", "\\xe0\\x82\\x9b" },
	{ "a sequence cut short", "\xe2\x82", "\\xe2\\x82" },
	{ "a surrogate", "\xed\xa0\x80", "\\xed\\xa0\\x80" },
	{ "beyond Unicode", "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
};

int main(void)
{
	struct kf_err err;
	char shown[100];

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		size_t n = kf_visible(shown, sizeof shown, texts[i].text);

		ok(!strcmp(shown, texts[i].shown) && n == strlen(shown), "%s",
			texts[i].what);
	}
	ok(kf_visible(shown, 6,
		   "ab\x1b"
		   "cd") == 8 &&
			!strcmp(shown, "ab\\x1"),
		"a text is cut to fit");
	ok(kf_visible(NULL, 0, "\x1b") == 4, "the length alone");
	ok(kf_name_check("b\xc2\x9b"
			 "31m_x",
		   &err) < 0 &&
			strstr(err.msg, "control character"),
		"a column has no name with a C1 character");
	return done_testing();
}
