/* The log of a run of kfkd-train. */
#define _GNU_SOURCE
#include "train_log.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/lock.h"
#include "cli.h"

static const char header[] =
	"epoch\ttrain\tvalid\tpx\trate\tmomentum\tseconds\trows_per_s\n";

/* The log, which is also written to what is no file, such as a pipe. */
static struct {
	const char *path;
	int fd; /* -1 if there is none, or no longer */
	bool file, failed;
	off_t end; /* of its last whole line */
} l = { .fd = -1 };

/* -- opening ----------------------------------------------------------------------- */

static void check_is_log(void)
{
	char start[sizeof header];
	struct kf_source src = { .fd = l.fd, .name = l.path };
	struct kf_err err;
	ssize_t n = kf_read(&src, start, sizeof header - 1, &err);

	check(n < 0 ? -1 : 0, &err);
	if (n && memcmp(start, header, (size_t)n))
		die("'%s' is not a log of kfkd-train, and --log does not replace it",
			l.path);
}

void train_log_open(const char *path)
{
	struct stat st;
	struct kf_err err;

	l.path = path;
	l.file = stat(path, &st) < 0 || S_ISREG(st.st_mode);
	l.fd = l.file ? open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666) :
			open(path, O_WRONLY | O_CLOEXEC);
	if (l.fd < 0)
		die("cannot write '%s': %s", path, strerror(errno));
	if (!l.file)
		return;
	if (kf_locked_by_another(l.fd))
		check(kf_fail_in_use(path, &err), &err);
	check_is_log();
}

/* -- lines ------------------------------------------------------------------------- */

static int add_text(const char *text, size_t n, struct kf_err *err)
{
	if (kf_write(l.fd, l.path, text, n, err) == 0) {
		l.end += (off_t)n;
		return 0;
	}
	/* its readers see whole lines */
	if (l.file && ftruncate(l.fd, l.end))
		return -1; /* with the reason of the first failure */
	return -1;
}

/* "-" for what there is none of. */
static void print_number(FILE *f, const char *fmt, double v)
{
	if (isnan(v))
		fputs("-", f);
	else
		fprintf(f, fmt, v);
}

static void print_epoch(FILE *f, const struct kf_train_options *o,
	const struct kf_epoch *e, const struct progress *p)
{
	double momentum = kf_rule_uses_momentum(o->rule) ?
		kf_schedule_at(&o->momentum, e->epoch, o->epochs) :
		NAN;

	fprintf(f, "%d\t%.9g\t", e->epoch, e->train_loss);
	print_number(f, "%.9g", e->valid_loss);
	fputc('\t', f);
	print_number(f, "%.6g", progress_pixels(p, e));
	fprintf(f, "\t%.9g\t",
		kf_schedule_warm(&o->rate, o->warmup, e->epoch, o->epochs));
	print_number(f, "%.9g", momentum);
	fputc('\t', f);
	print_number(f, "%.6g", e->seconds);
	fputc('\t', f);
	print_number(f, "%.6g", (double)e->rows / e->seconds);
	fputc('\n', f);
}

static int add_epoch(const struct kf_trainer *t, const struct kf_epoch *e,
	const struct progress *p, struct kf_err *err)
{
	char *line = NULL;
	size_t n;
	FILE *f = open_memstream(&line, &n);
	int rc;

	must_alloc(f);
	print_epoch(f, &t->options, e, p);
	if (fclose(f))
		must_alloc(NULL);
	rc = add_text(line, n, err);
	free(line);
	return rc;
}

void train_log_epoch(const struct kf_trainer *t, const struct kf_epoch *e,
	const struct progress *p)
{
	struct kf_err err;

	if (l.fd < 0 || add_epoch(t, e, p, &err) == 0)
		return;
	progress_clear(p);
	warn("%s; training goes on", err.msg);
	l.failed = true;
	close(l.fd);
	l.fd = -1;
}

/* -- the start ----------------------------------------------------------------------- */

/* Whether a line is that of epoch n + 1 of the run whose losses m has. */
static bool is_line(const char *line, const struct kf_model *m, int n)
{
	char *end;

	return strtol(line, &end, 10) == n + 1 && *end == '\t' &&
		strtof(end, &end) == m->train_loss[n] && *end == '\t';
}

/* How many epochs, at most `epochs`, have their lines at the start of the file, which ends
 * at *end.  Those of another run are none of them. */
static int count_lines(const struct kf_model *m, int epochs, off_t *end)
{
	int n = 0, fd = open(l.path, O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	char *line = NULL;
	size_t room = 0;
	ssize_t length;

	if (!f)
		die("cannot read '%s': %s", l.path, strerror(errno));
	while ((length = getline(&line, &room, f)) > 0 && line[length - 1] == '\n') {
		if (*end && (n == epochs || !is_line(line, m, n)))
			break;
		n += *end > 0;
		*end += length;
	}
	free(line);
	fclose(f);
	return n;
}

void train_log_start(const struct kf_trainer *t, const struct kf_model *m,
	const struct progress *p)
{
	int n = 0;
	struct kf_err err;

	if (l.fd < 0)
		return;
	if (l.file && t->epoch)
		n = count_lines(m, t->epoch, &l.end);
	if (l.file && ftruncate(l.fd, l.end))
		die("cannot write '%s': %s", l.path, strerror(errno));
	if (!l.end)
		check(add_text(header, sizeof header - 1, &err), &err);
	for (; n < t->epoch; n++) {
		const struct kf_epoch e = { .epoch = n + 1,
			.train_loss = m->train_loss[n],
			.valid_loss = m->valid_loss[n],
			.seconds = NAN };

		check(add_epoch(t, &e, p, &err), &err);
	}
}

int train_log_close(void)
{
	if (l.fd >= 0 && close(l.fd)) {
		warn("cannot write '%s': %s", l.path, strerror(errno));
		l.failed = true;
	}
	l.fd = -1;
	return l.failed ? -1 : 0;
}
