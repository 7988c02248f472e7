/* Files that appear whole or not at all: what is where, and when. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/lock.h"
#include "base/whole_file.h"
#include "tap.h"

static const enum kf_whole_kind kinds[] = { KF_WHOLE_OUTPUT, KF_WHOLE_STATE,
	KF_WHOLE_NEW };
static const char *const names[] = { "output", "state", "new" };

/* -- file systems -------------------------------------------------------------- */

/* Whether files are to have temporary names, as where O_TMPFILE is not supported. */
static bool named;

/* The library's calls come here. */
int openat(int dir, const char *name, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = va_arg(ap, mode_t);
	va_end(ap);
	if (named && (flags & O_TMPFILE) == O_TMPFILE) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return (int)syscall(SYS_openat, dir, name, flags, mode);
}

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
		n += strcmp(d->d_name, ".") && strcmp(d->d_name, "..");
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
static void test_left_over(enum kf_whole_kind kind, const char *name)
{
	struct kf_whole_file *f;
	struct kf_err err;

	if (fork() == 0) {
		begin("a", kind, "a long text that was left over");
		_exit(0);
	}
	wait(NULL);
	ok(count_names() == named, "%s: a killed program leaves %d names", name, named);
	f = begin("a", kind, "new");
	ok(kf_whole_commit(f, &err) == 0 && holds("a", "new") && count_names() == 1,
		"%s: ... and nothing after the next", name);
	unlink("a");
}

/* Of two that are written at once, neither removes the other's file. */
static void test_two_at_once(void)
{
	struct kf_whole_file *one = begin("a", KF_WHOLE_OUTPUT, "one"), *two;
	struct kf_err err;

	two = begin("a", KF_WHOLE_OUTPUT, "two");
	ok(kf_whole_commit(one, &err) == 0 && holds("a", "one"),
		"two at once: the first");
	ok(kf_whole_commit(two, &err) == 0 && holds("a", "two") && count_names() == 1,
		"two at once: the second");
	unlink("a");
}

/* What a stranger has put under the temporary name, here a link. */
static void test_stranger(void)
{
	char temp[300] = "";
	struct kf_whole_file *f;
	struct kf_err err;
	struct dirent *d;
	DIR *dir;

	named = true;
	f = begin("a", KF_WHOLE_STATE, "");
	named = false;
	dir = opendir(".");
	while (dir && (d = readdir(dir)))
		if (d->d_name[0] == '.' && strlen(d->d_name) > 2)
			strcpy(temp, d->d_name);
	closedir(dir);
	kf_whole_abandon(f);
	put("mine", "precious");
	put("a", "old");
	if (!*temp || symlink("mine", temp))
		abort();
	for (int i = 0; i < 2; i++) {
		named = i;
		f = begin("a", KF_WHOLE_STATE, "new");
		ok(kf_whole_commit(f, &err) == 0 && holds("a", "new") &&
				holds("mine", "precious") && count_names() == 3,
			"a link under the temporary name is not followed");
	}
	named = false;
	unlink(temp);
	unlink("mine");
	unlink("a");
}

/* -- what stays of the old file -------------------------------------------------- */

static mode_t mode_of(const char *path)
{
	struct stat sb;

	return stat(path, &sb) ? 0 : sb.st_mode & 07777;
}

static void test_mode(enum kf_whole_kind kind, const char *name)
{
	struct kf_err err;

	umask(022);
	kf_whole_commit(begin("a", kind, "new"), &err);
	ok(mode_of("a") == 0644, "%s: a new file has the rights of the umask", name);
	for (int i = 0; i < 2; i++) {
		mode_t mode = i ? 0660 : 0600;

		chmod("a", mode);
		kf_whole_commit(begin("a", kind, "again"), &err);
		ok(mode_of("a") == mode, "%s: mode %o stays", name, (unsigned)mode);
	}
	unlink("a");
}

static void test_dangling(enum kf_whole_kind kind, const char *name)
{
	struct kf_err err;
	struct stat sb;

	if (mkdir("far", 0700) || symlink("far/b", "a"))
		abort();
	kf_whole_commit(begin("a", kind, "new"), &err);
	ok(lstat("a", &sb) == 0 && S_ISLNK(sb.st_mode) && holds("far/b", "new"),
		"%s: a link to where nothing is stays, too", name);
	unlink("far/b");
	unlink("a");
	rmdir("far");
}

/* A file that is open but has no name any more, by /proc. */
static void test_in_place(void)
{
	struct kf_whole_file *f;
	struct kf_err err;
	char path[40], got[20] = "";
	int fd = open("a", O_RDWR | O_CREAT, 0600);

	if (fd < 0 || write(fd, "a long old text", 15) != 15)
		abort();
	unlink("a");
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	ok(!kf_whole_open(path, KF_WHOLE_STATE, &err) &&
			strstr(err.msg, "can only be written in place"),
		"state: what cannot be replaced is refused");
	f = begin(path, KF_WHOLE_OUTPUT, "new");
	ok(kf_whole_in_place(f) && kf_whole_commit(f, &err) == 0 &&
			pread(fd, got, sizeof got - 1, 0) == 3 && !strcmp(got, "new"),
		"output: it is written in place");
	kf_whole_abandon(kf_whole_open(path, KF_WHOLE_OUTPUT, &err));
	ok(pread(fd, got, sizeof got - 1, 0) == 3,
		"output: ... and keeps its content until something is written");
	kf_whole_abandon(begin(path, KF_WHOLE_OUTPUT, "x"));
	ok(pread(fd, got, sizeof got - 1, 0) == 1,
		"output: ... but not behind what was written");
	close(fd);
	ok(count_names() == 0, "output: ... without another file");
}

static void test_names(void)
{
	char name[300] = "";
	struct kf_err err;

	memset(name, 'a', 255);
	for (int i = 0; i < 2; i++) {
		kf_whole_commit(begin(name, KF_WHOLE_OUTPUT, "new"), &err);
		ok(holds(name, "new"), "a name of 255 bytes, time %d", i);
	}
	unlink(name);
	name[255] = 'a';
	ok(!kf_whole_open(name, KF_WHOLE_OUTPUT, &err) &&
			strstr(err.msg, "File name too long"),
		"one of 256 is refused at once");
	ok(!kf_whole_open("", KF_WHOLE_OUTPUT, &err), "so is an empty name");
	ok(!kf_whole_open("x/", KF_WHOLE_OUTPUT, &err), "and that of a directory");
}

/* -- locks ----------------------------------------------------------------------- */

/* Whether another open of the file gets the lock, as in another program. */
static bool lock_free(const char *path)
{
	struct kf_err err;
	int lock = -1;
	bool got = kf_lock(path, &lock, &err) == 0;

	close(lock);
	return got;
}

static void test_locks(void)
{
	struct kf_err err;
	int lock = -1, other = -1;

	ok(kf_lock("a", &lock, &err) == 0 && lock < 0 && count_names() == 0,
		"lock: where nothing is, nothing comes");
	ok(kf_whole_commit_locked(begin("a", KF_WHOLE_STATE, "1"), &lock, &err) == 0 &&
			lock >= 0 && !lock_free("a"),
		"lock: the first file is locked");
	ok(kf_whole_commit_locked(begin("a", KF_WHOLE_STATE, "2"), &other, &err) < 0 &&
			holds("a", "1") && strstr(err.msg, "in use"),
		"lock: who came too late replaces nothing");
	ok(kf_whole_commit_locked(begin("a", KF_WHOLE_STATE, "3"), &lock, &err) == 0 &&
			holds("a", "3") && !lock_free("a"),
		"lock: it passes to the next file");
	ok(kf_lock("a", &lock, &err) == 0, "lock: once more changes nothing");
	close(lock);
	ok(lock_free("a") && count_names() == 1, "lock: it ends and leaves nothing");
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
	static const int enders[] = { SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGQUIT };
	const struct rlimit no_core = { 0, 0 };

	setrlimit(RLIMIT_CORE, &no_core);
	for (int i = 0; i < 5; i++) {
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
	ok(kf_whole_commit(f[0], &err) == 0 && count_names() == 1 + named,
		"one of several is committed");
	kf_whole_remove_pending();
	ok(count_names() == 1 && holds("a", "1"), "... and stays");
	kf_whole_abandon(f[2]);
	unlink("a");
}

static void test_all(void)
{
	for (int i = 0; i < 3; i++) {
		test_content(kinds[i], names[i]);
		test_elsewhere(kinds[i], names[i]);
		test_left_over(kinds[i], names[i]);
		if (kinds[i] == KF_WHOLE_NEW)
			continue;
		test_replacing(kinds[i], names[i]);
		test_mode(kinds[i], names[i]);
		test_dangling(kinds[i], names[i]);
	}
	test_new();
	test_two_at_once();
	test_signals();
	test_several();
	test_in_place();
	test_names();
	test_locks();
}

int main(void)
{
	char dir[] = "/tmp/kfkd-whole-XXXXXX";

	if (!mkdtemp(dir) || chdir(dir))
		abort();
	for (int i = 0; i < 2; i++) {
		named = i;
		note("%s", named ? "with temporary names" : "without");
		test_all();
	}
	test_stranger();
	test_devices(); /* leaves the directory */
	ok(rmdir(dir) == 0, "nothing is left in all");
	return done_testing();
}
