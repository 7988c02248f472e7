/* Files written under another name, which are renamed when they are whole. */
#define _GNU_SOURCE
#include "base/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/signals.h"

static const struct {
	bool replaces;     /* what is there */
	bool takes_device; /* and writes to it in place */
	bool shared_name;  /* the same temporary name in each process */
	bool holds;        /* signals back */
	bool syncs;
} kinds[KF_WHOLE_KINDS] = {
	[KF_WHOLE_OUTPUT] = { .replaces = true, .takes_device = true, .syncs = true },
	[KF_WHOLE_STATE] = { .replaces = true,
		.shared_name = true,
		.holds = true,
		.syncs = true },
	[KF_WHOLE_NEW] = { .holds = true },
};

struct kf_whole_file {
	enum kf_whole_kind kind;
	int fd;
	char *path;   /* as given, for messages */
	char *target; /* its name once it is whole */
	char *temp;   /* its name until then; NULL for a device */
	sigset_t before;
	struct kf_whole_file *volatile next; /* of those that are pending */
};

/*
 * Handlers walk this list.  A file is in it before its temporary name exists and
 * until after that is gone, and each change is the store of one pointer.
 */
static struct kf_whole_file *volatile pending;

static void add_pending(struct kf_whole_file *f)
{
	f->next = pending;
	pending = f;
}

static void drop_pending(struct kf_whole_file *f)
{
	struct kf_whole_file *volatile *at = &pending;

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
}

void kf_whole_remove_pending(void)
{
	for (struct kf_whole_file *f = pending; f; f = f->next)
		if (f->temp)
			unlink(f->temp);
}

/* Holds back the signals that would end the program. */
static void hold_signals(sigset_t *before)
{
	sigset_t ending;

	kf_ending_signals(&ending);
	sigprocmask(SIG_BLOCK, &ending, before);
}

/* Frees f, and lets through the signals that were held back. */
static void release(struct kf_whole_file *f)
{
	sigset_t before = f->before;
	bool held = kinds[f->kind].holds;

	drop_pending(f);
	free(f->path);
	free(f->target);
	free(f->temp);
	free(f);
	if (held)
		sigprocmask(SIG_SETMASK, &before, NULL);
}

/* A new file beside the target, or the device that is there; -1 with errno. */
static int open_file(struct kf_whole_file *f, bool device)
{
	bool shared = kinds[f->kind].shared_name;
	char *temp;
	int n;

	if (device)
		return open(f->path, O_WRONLY | O_CLOEXEC);
	n = shared ? asprintf(&temp, "%s.tmp", f->target) :
		     asprintf(&temp, "%s.%ld.tmp", f->target, (long)getpid());
	if (n < 0)
		return -1;
	f->temp = temp;
	return open(temp, O_WRONLY | O_CREAT | O_CLOEXEC | (shared ? O_TRUNC : O_EXCL),
		0666);
}

struct kf_whole_file *kf_whole_open(const char *path, enum kf_whole_kind kind,
	struct kf_err *err)
{
	struct kf_whole_file *f;
	struct stat sb;
	bool device =
		kinds[kind].replaces && stat(path, &sb) == 0 && !S_ISREG(sb.st_mode);

	if (device && !kinds[kind].takes_device) {
		kf_fail(err, "cannot create '%s': not a regular file", path);
		return NULL;
	}
	f = calloc(1, sizeof *f);
	if (!f) {
		kf_fail(err, "out of memory");
		return NULL;
	}
	f->kind = kind;
	f->fd = -1;
	if (kinds[kind].holds)
		hold_signals(&f->before);
	add_pending(f);
	if (kinds[kind].replaces)
		f->target = realpath(path, NULL);
	if (!kinds[kind].replaces || (!f->target && errno != ENOMEM))
		f->target = strdup(path);
	f->path = strdup(path);
	if (f->path && f->target)
		f->fd = open_file(f, device);
	if (f->fd < 0) {
		kf_fail_errno(err, "cannot create '%s'", path);
		release(f);
		return NULL;
	}
	return f;
}

int kf_whole_fd(const struct kf_whole_file *f)
{
	return f->fd;
}

/* rename replaces what has the name; link leaves it alone and fails. */
static int give_name(const struct kf_whole_file *f)
{
	if (kinds[f->kind].replaces)
		return rename(f->temp, f->target);
	if (link(f->temp, f->target))
		return -1;
	unlink(f->temp);
	return 0;
}

int kf_whole_commit(struct kf_whole_file *f, struct kf_err *err)
{
	bool sync = f->temp && kinds[f->kind].syncs;
	int rc = 0;

	if (sync && fsync(f->fd) && errno != EINVAL)
		rc = kf_fail_errno(err, "cannot write '%s'", f->path);
	if (close(f->fd) && rc == 0)
		rc = kf_fail_errno(err, "cannot write '%s'", f->path);
	if (f->temp && rc == 0 && give_name(f))
		rc = kf_fail_errno(err, "cannot create '%s'", f->path);
	if (f->temp && rc < 0)
		unlink(f->temp);
	release(f);
	return rc;
}

void kf_whole_abandon(struct kf_whole_file *f)
{
	if (!f)
		return;
	close(f->fd);
	if (f->temp)
		unlink(f->temp);
	release(f);
}
