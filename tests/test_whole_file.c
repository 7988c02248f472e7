/* Files that appear whole or not at all: what is where, and when. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/whole_file.h"
#include "tap.h"

static const enum kf_whole_kind kinds[] = { KF_WHOLE_OUTPUT, KF_WHOLE_STATE,
	KF_WHOLE_NEW };
static const char *const names[] = { "output", "state", "new" };

/* -- helpers ------------------------------------------------------------------- */

/* How many names the current directory has. */
static int count_names(void)
{
	DIR *dir = opendir(".");
	struct dirent *d;
	int n = 0;

	if (!dir)
		abort();
	while ((d = readdir(dir)))
		n += d->d_name[0] != '.';
	closedir(dir);
	return n;
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (!f || fputs(text, f) < 0 || fclose(f))
		abort();
}

static bool holds(const char *path, const char *text)
{
	char got[100] = "";
	FILE *f = fopen(path, "r");

	if (!f)
		return false;
	got[fread(got, 1, sizeof got - 1, f)] = '\0';
	fclose(f);
	return !strcmp(got, text);
}

static struct kf_whole_file *begin(const char *path, enum kf_whole_kind kind,
	const char *text)
{
	struct kf_err err;
	struct kf_whole_file *f = kf_whole_open(path, kind, &err);

	if (!f || kf_write(kf_whole_fd(f), path, text, strlen(text), &err) < 0) {
		note("%s", err.msg);
		abort();
	}
	return f;
}

/* -- content ------------------------------------------------------------------- */

static void test_content(enum kf_whole_kind kind, const char *name)
{
	struct kf_whole_file *f = begin("a", kind, "one");
	struct kf_err err;

	ok(access("a", F_OK) < 0, "%s: nothing is there before the commit", name);
	ok(kf_whole_commit(f, &err) == 0 && holds("a", "one"),
		"%s: all of it is there afterwards", name);
	ok(count_names() == 1, "%s: ... and nothing else", name);
	unlink("a");
	kf_whole_abandon(begin("a", kind, "two"));
	ok(count_names() == 0, "%s: nothing is left of an abandoned one", name);
	f = begin("a", kind, "three");
	kf_whole_remove_pending();
	ok(count_names() == 0, "%s: nor after the removal of what is pending", name);
	ok(kf_whole_commit(f, &err) < 0 && count_names() == 0,
		"%s: ... which cannot be committed any more", name);
}

static void test_replacing(enum kf_whole_kind kind, const char *name)
{
	struct kf_whole_file *f;
	struct kf_err err;

	put("a", "old");
	f = begin("a", kind, "new");
	ok(holds("a", "old"), "%s: the old one stays until the commit", name);
	ok(kf_whole_commit(f, &err) == 0 && holds("a", "new") && count_names() == 1,
		"%s: ... and is replaced then", name);
	kf_whole_abandon(begin("a", kind, "another"));
	ok(holds("a", "new") && count_names() == 1,
		"%s: an abandoned one replaces nothing", name);
	if (symlink("a", "link"))
		abort();
	f = begin("link", kind, "linked");
	ok(kf_whole_commit(f, &err) == 0 && holds("a", "linked") && count_names() == 2,
		"%s: a symbolic link stays one", name);
	unlink("link");
	unlink("a");
}

static void test_new(void)
{
	struct kf_whole_file *f;
	struct kf_err err;

	put("a", "old");
	f = begin("a", KF_WHOLE_NEW, "new");
	ok(kf_whole_commit(f, &err) < 0 &&
			!strcmp(err.msg, "cannot create 'a': File exists"),
		"new: what is there already is an error");
	ok(holds("a", "old") && count_names() == 1, "new: ... and stays");
	unlink("a");
}

static void test_elsewhere(enum kf_whole_kind kind, const char *name)
{
	struct kf_err err;

	ok(!kf_whole_open("none/a", kind, &err) &&
			!strcmp(err.msg,
				"cannot create 'none/a': "
				"No such file or directory"),
		"%s: no such directory", name);
}

static void test_devices(void)
{
	struct kf_whole_file *f;
	struct kf_err err;
	struct stat sb;
	char buf[8] = "";
	int ends[2];

	ok(!kf_whole_open("/dev/null", KF_WHOLE_STATE, &err) &&
			!strcmp(err.msg,
				"cannot create '/dev/null': "
				"not a regular file"),
		"state: a device is refused");
	f = begin("/dev/null", KF_WHOLE_OUTPUT, "lost");
	ok(kf_whole_commit(f, &err) == 0 && stat("/dev/null", &sb) == 0 &&
			S_ISCHR(sb.st_mode),
		"output: a device is written in place");
	if (pipe(ends))
		abort();
	snprintf(buf, sizeof buf, "%d", ends[1]);
	if (chdir("/dev/fd"))
		abort();
	f = begin(buf, KF_WHOLE_OUTPUT, "piped");
	ok(kf_whole_commit(f, &err) == 0 && read(ends[0], buf, 5) == 5 &&
			!memcmp(buf, "piped", 5),
		"output: so is a pipe, which has no path of its own");
}

/* What a killed program left. */
static void test_left_over(void)
{
	struct kf_whole_file *f;
	struct kf_err err;

	if (fork() == 0) {
		begin("a", KF_WHOLE_STATE, "a long text that was left over");
		_exit(0);
	}
	wait(NULL);
	ok(count_names() == 1, "state: something is left over");
	f = begin("a", KF_WHOLE_STATE, "new");
	ok(kf_whole_commit(f, &err) == 0 && holds("a", "new") && count_names() == 1,
		"state: ... which the next one uses");
	unlink("a");
}

/* -- signals ------------------------------------------------------------------- */

static void remove_and_end(int signal)
{
	kf_whole_remove_pending();
	raise(signal); /* by default now */
}

/* A program that gets a signal while it writes two files; how it ends. */
static int end_by(int number, enum kf_whole_kind kind)
{
	struct sigaction sa = { .sa_handler = remove_and_end,
		.sa_flags = (int)SA_RESETHAND };
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct kf_whole_file *f;
		struct kf_err err;

		sigaction(number, &sa, NULL);
		begin("a", KF_WHOLE_OUTPUT, "half");
		f = begin("b", kind, "whole");
		raise(number);
		kf_whole_commit(f, &err);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		abort();
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void test_signals(void)
{
	static const int enders[] = { SIGHUP, SIGINT, SIGTERM };

	for (int i = 0; i < 3; i++) {
		const char *name = strsignal(enders[i]);

		ok(end_by(enders[i], KF_WHOLE_OUTPUT) == enders[i] &&
				count_names() == 0,
			"%s: two outputs leave nothing", name);
		for (int k = 1; k < 3; k++) {
			ok(end_by(enders[i], kinds[k]) == enders[i] &&
					count_names() == 1 && holds("b", "whole"),
				"%s: %s: it waits for the commit", name, names[k]);
			unlink("b");
		}
	}
}

/* Whatever the order in which they are done with. */
static void test_several(void)
{
	struct kf_whole_file *f[3];
	struct kf_err err;

	f[0] = begin("a", KF_WHOLE_OUTPUT, "1");
	f[1] = begin("b", KF_WHOLE_OUTPUT, "2");
	f[2] = begin("c", KF_WHOLE_OUTPUT, "3");
	kf_whole_abandon(f[1]);
	ok(kf_whole_commit(f[0], &err) == 0 && count_names() == 2,
		"one of several is committed");
	kf_whole_remove_pending();
	ok(count_names() == 1 && holds("a", "1"), "... and stays");
	kf_whole_abandon(f[2]);
	unlink("a");
}

int main(void)
{
	char dir[] = "/tmp/kfkd-whole-XXXXXX";

	if (!mkdtemp(dir) || chdir(dir))
		abort();
	for (int i = 0; i < 3; i++) {
		test_content(kinds[i], names[i]);
		test_elsewhere(kinds[i], names[i]);
		if (kinds[i] != KF_WHOLE_NEW)
			test_replacing(kinds[i], names[i]);
	}
	test_new();
	test_left_over();
	test_signals();
	test_several();
	test_devices(); /* leaves the directory */
	ok(rmdir(dir) == 0, "nothing is left in all");
	return done_testing();
}
