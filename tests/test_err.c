/* Messages and their places. */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "tap.h"

static void test_messages(void)
{
	struct kf_err err;

	memset(&err, 0xff, sizeof err);
	ok(kf_fail(&err, "%d fields", 3) == -1 && !strcmp(err.msg, "3 fields"),
		"a message");
	ok(!err.placed, "... has no place, whatever was there before");
	errno = ENOENT;
	ok(kf_fail_errno(&err, "cannot open '%s'", "x") == -1 &&
			!strcmp(err.msg, "cannot open 'x': No such file or directory"),
		"a message of the system");
	ok(err.placed, "... names its place");
}

static void test_places(void)
{
	struct kf_err err;

	kf_fail(&err, "not a number");
	ok(kf_place(&err, "'%s', line %d", "x", 7) == -1 &&
			!strcmp(err.msg, "'x', line 7: not a number"),
		"a place goes before the message");
	ok(kf_place(&err, "'%s'", "y") == -1 &&
			!strcmp(err.msg, "'x', line 7: not a number"),
		"... and a second one does not");
	kf_fail(&err, "another");
	kf_place(&err, "here");
	ok(!strcmp(err.msg, "here: another"), "the next failure has none again");
	errno = EIO;
	kf_fail_errno(&err, "cannot read 'x'");
	kf_place(&err, "'x'");
	ok(!strcmp(err.msg, "cannot read 'x': Input/output error"),
		"a message of the system gets no place");
}

/* A message of n letters, and its place of m. */
static void cut(struct kf_err *err, int n, int m)
{
	char text[1024];

	memset(text, 'm', sizeof text);
	kf_fail(err, "%.*s", n, text);
	memset(text, 'p', sizeof text);
	kf_place(err, "%.*s", m, text);
}

static void test_long(void)
{
	const size_t most = sizeof((struct kf_err *)0)->msg - 1;
	struct kf_err err;

	cut(&err, 1000, 10);
	ok(strlen(err.msg) == most && !strncmp(err.msg, "pppppppppp: mmm", 15) &&
			err.msg[most - 1] == 'm',
		"a long message is cut at its end");
	cut(&err, 10, 1000);
	ok(strlen(err.msg) == most && strspn(err.msg, "p") == most,
		"a long place leaves no room for the message");
	cut(&err, 10, (int)most - 12);
	ok(strlen(err.msg) == most && !strcmp(err.msg + most - 12, ": mmmmmmmmmm"),
		"what just fits is whole");
	cut(&err, 10, (int)most - 1);
	ok(strlen(err.msg) == most && err.msg[most - 1] == ':',
		"a cut may fall between the two");
}

int main(void)
{
	test_messages();
	test_places();
	test_long();
	return done_testing();
}
