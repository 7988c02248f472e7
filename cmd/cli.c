/* Opening operands, and streams that die where they fail. */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

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
	output_check_input(fd);
	return fd;
}

int cli_input(const struct options *o, const char **name)
{
	if (o->n_operands > 1)
		misuse("more than one file: '%s'", o->operands[1]);
	return cli_open(o->operands[0], name);
}

void cli_header(struct kf_st *st, struct kf_source *src)
{
	struct kf_err err;
	int rc;

	if (isatty(src->fd))
		misuse("%s is a terminal; give a file, or pipe one in", src->name);
	rc = kf_st_open(st, src, &err);
	check(rc, &err);
	if (rc == 0)
		die("'%s' is empty: there is no stream or model in it", src->name);
}

static void refuse_terminal(int fd, const char *name)
{
	if (isatty(fd))
		misuse("%s is a terminal; give a file, or pipe a stream in", name);
}

struct kf_reader *cli_stream(int fd, const char *name)
{
	struct kf_err err;
	struct kf_reader *r;

	refuse_terminal(fd, name);
	r = kf_reader_open(fd, name, false, &err);
	must(r, &err);
	return r;
}

struct kf_reader *cli_open_stream(const char *operand)
{
	const char *name;
	int fd = cli_open(operand, &name);

	return cli_stream(fd, name);
}

struct kf_reader *cli_reader(const struct options *o)
{
	const char *name;
	int fd = cli_input(o, &name);

	return cli_stream(fd, name);
}

struct kf_reader *cli_eager_reader(const struct options *o)
{
	const char *name;
	int fd = cli_input(o, &name);
	struct kf_err err;
	struct kf_reader *r;

	refuse_terminal(fd, name);
	r = kf_reader_open_eager(fd, name, &err);
	must(r, &err);
	return r;
}

struct kf_chunk *cli_next(struct kf_reader *r)
{
	struct kf_chunk *chunk;
	struct kf_err err;
	int rc = kf_reader_next(r, &chunk, &err);

	check(rc, &err);
	return rc ? chunk : NULL;
}

struct kf_writer *cli_writer(const struct kf_schema *s)
{
	struct kf_err err;
	struct kf_writer *w;

	output_is_binary();
	w = kf_writer_open(output_descriptor(), output_name(), s, &err);
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
