/* What all programs share. */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/whole_file.h"

const char *cli_name = "kfkd";
static const struct program *program;
static const char *output_path;      /* of -o, or NULL */
static struct kf_whole_file *output; /* the same */

void cli_init(char **argv, const struct program *p)
{
	const char *slash = strrchr(argv[0], '/');

	cli_name = slash ? slash + 1 : argv[0];
	argv[0] = (char *)cli_name;
	program = p;
}

/* -- messages ---------------------------------------------------------------- */

/* One line in one write; names from untrusted input cannot break it up. */
static void say(const char *fmt, va_list ap)
{
	char text[5000];

	vsnprintf(text, sizeof text, fmt, ap);
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 127)
			*p = '?';
	fprintf(stderr, "%s: %s\n", cli_name, text);
}

void warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	exit(1);
}

void misuse(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	options_usage(program, stderr);
	exit(2);
}

void check(int rc, const struct kf_err *err)
{
	if (rc < 0)
		die("%s", err->msg);
}

void must(const void *p, const struct kf_err *err)
{
	if (!p)
		die("%s", err->msg);
}

void must_alloc(const void *p)
{
	if (!p)
		die("out of memory");
}

/* -- input -------------------------------------------------------------------- */

int cli_open(const char *operand, const char **name)
{
	int fd;

	*name = operand;
	if (!strcmp(operand, "-")) {
		*name = "standard input";
		return STDIN_FILENO;
	}
	fd = open(operand, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die("cannot open '%s': %s", operand, strerror(errno));
	return fd;
}

int cli_input(const struct options *o, const char **name)
{
	if (o->n_operands > 1)
		misuse("more than one file: '%s'", o->operands[1]);
	return cli_open(o->operands[0], name);
}

struct kf_reader *cli_stream(int fd, const char *name, bool adopt)
{
	struct kf_err err;
	struct kf_reader *r;

	if (isatty(fd))
		misuse("%s is a terminal; give a file, or pipe a stream in", name);
	r = kf_reader_open(fd, name, adopt, &err);
	must(r, &err);
	return r;
}

struct kf_reader *cli_open_stream(const char *operand)
{
	const char *name;
	int fd = cli_open(operand, &name);

	return cli_stream(fd, name, false);
}

struct kf_reader *cli_reader(const struct options *o)
{
	const char *name;
	int fd = cli_input(o, &name);

	return cli_stream(fd, name, false);
}

struct kf_chunk *cli_next(struct kf_reader *r)
{
	struct kf_chunk *chunk;
	struct kf_err err;
	int rc = kf_reader_next(r, &chunk, &err);

	check(rc, &err);
	return rc ? chunk : NULL;
}

/* -- output ------------------------------------------------------------------- */

static void remove_and_end(int signal)
{
	kf_whole_remove_pending();
	raise(signal); /* SA_RESETHAND restored its default */
}

/* A signal that is ignored, as under nohup, stays so. */
static void remove_at_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction sa = { .sa_handler = remove_and_end,
		.sa_flags = (int)SA_RESETHAND },
			 old;

	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &sa, NULL);
}

void cli_output(const char *path)
{
	struct kf_err err;

	if (!path)
		return;
	output_path = path;
	remove_at_signals();
	atexit(kf_whole_remove_pending);
	output = kf_whole_open(path, KF_WHOLE_OUTPUT, &err);
	must(output, &err);
	if (dup2(kf_whole_fd(output), STDOUT_FILENO) < 0)
		die("cannot write '%s': %s", path, strerror(errno));
}

const char *cli_output_name(void)
{
	return output_path ? output_path : "standard output";
}

void cli_binary_output(void)
{
	if (isatty(STDOUT_FILENO))
		misuse("standard output is a terminal, and what comes is binary");
}

struct kf_writer *cli_writer(const struct kf_schema *s)
{
	struct kf_err err;
	struct kf_writer *w;

	cli_binary_output();
	w = kf_writer_open(STDOUT_FILENO, cli_output_name(), s, &err);
	must(w, &err);
	return w;
}

void cli_write(struct kf_writer *w, const struct kf_chunk *c)
{
	struct kf_err err;

	check(kf_writer_write(w, c, &err), &err);
}

void cli_end(struct kf_writer *w)
{
	struct kf_err err;

	check(kf_writer_end(w, &err), &err);
	kf_writer_close(w);
}

void cli_end_by_signal(int number)
{
	sigset_t set;

	kf_whole_remove_pending();
	signal(number, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(number);
	exit(128 + number); /* not reached */
}

int cli_finish(void)
{
	struct kf_err err;

	if (fflush(stdout) || ferror(stdout) || close(STDOUT_FILENO))
		die("cannot write '%s': %s", cli_output_name(), strerror(errno));
	if (output)
		check(kf_whole_commit(output, &err), &err);
	return 0;
}
