/*
 * live [-p] [-a BYTES] IMAGES COMMAND: plays a camera.  Writes PGM images to
 * the command's standard input, one at a time, and waits until each has come
 * out of the command, alone, before it writes the next; prints the longest
 * delay.  The command's output is a stream or, with -p, PGM images.  With -a,
 * this many bytes of the next image are always written in advance.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "formats/loader.h"
#include "stream/reader.h"

#define SIDE 96
#define PATIENCE 30 /* seconds for an image, and for the end */

static struct kf_err err;

static void stop(const char *what)
{
	fprintf(stderr, "live: %s\n", what);
	exit(1);
}

/* -- the command ------------------------------------------------------------------ */

static pid_t command_group;

/* On SIGALRM: kills the command, all its processes, and fails. */
static void end_late(int number)
{
	static const char text[] = "live: nothing came in time\n";
	ssize_t rc = write(STDERR_FILENO, text, sizeof text - 1);

	(void)rc;
	kill(-command_group, SIGKILL);
	_exit(128 + number);
}

static pid_t start(const char *command, int *to, int *from)
{
	int in[2], out[2];
	pid_t pid = -1;

	if (pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0)
		pid = fork();
	if (pid < 0)
		stop("cannot start the command");
	if (pid == 0) {
		setpgid(0, 0);
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	setpgid(pid, pid); /* whichever of the two comes first */
	command_group = pid;
	signal(SIGALRM, end_late);
	close(in[0]);
	close(out[1]);
	*to = in[1];
	*from = out[0];
	return pid;
}

/* -- images ----------------------------------------------------------------------- */

struct image {
	char bytes[SIDE * SIDE + 64];
	size_t n;
};

/* The image of that number, from 1, is as grey as its number. */
static struct image draw(int number)
{
	struct image i;

	i.n = (size_t)sprintf(i.bytes, "P5\n# %d\n%d %d\n255\n", number, SIDE, SIDE);
	memset(i.bytes + i.n, number, (size_t)SIDE * SIDE);
	i.n += (size_t)SIDE * SIDE;
	return i;
}

static void send_bytes(int to, const struct image *i, size_t from, size_t end)
{
	if (kf_write(to, "command", i->bytes + from, end - from, &err) < 0)
		stop(err.msg);
}

/* -- what comes out ----------------------------------------------------------------- */

/* Either of two. */
struct output {
	int fd;
	bool pictures;
	struct kf_reader *stream;
	struct kf_input in;
	struct kf_loader *images;
};

/* Opens when there is something to read: opening waits for the first image. */
static void open_output(struct output *o)
{
	if (!o->pictures && !o->stream &&
		!(o->stream = kf_reader_open(o->fd, "output", false, &err)))
		stop(err.msg);
	if (o->pictures && !o->images) {
		static const struct kf_load_options none;

		if (kf_input_open(&o->in, o->fd, "output", &err) < 0 ||
			!(o->images = kf_loader_open(&o->in, &none, &err)))
			stop(err.msg);
	}
}

/* The next chunk, or NULL at the end. */
static const struct kf_chunk *next(struct output *o)
{
	const struct kf_chunk *chunk;
	struct kf_chunk *c;
	int rc;

	if (o->pictures) {
		rc = kf_loader_next(o->images, &chunk, &err);
	} else {
		rc = kf_reader_next(o->stream, &c, &err);
		chunk = c;
	}
	if (rc < 0)
		stop(err.msg);
	return rc ? chunk : NULL;
}

/* Waits for one image and nothing else; with marks on it, only its size tells. */
static void expect(struct output *o, int number)
{
	const struct kf_schema *s;
	const struct kf_chunk *c;
	int grey;

	open_output(o);
	s = o->pictures ? kf_loader_schema(o->images) : kf_reader_schema(o->stream);
	c = next(o);
	if (!c || c->n != 1)
		stop("not one image came");
	if (o->pictures)
		return;
	grey = s->dtype == KF_U8 ? *(uint8_t *)c->X :
				   (int)lroundf(*(float *)c->X * 255);
	if (c->id[0] != number || grey != number)
		stop("another image came");
}

/* -- main -------------------------------------------------------------------------- */

int main(int argc, char **argv)
{
	struct output out = { 0 };
	size_t ahead = 0, sent = 0;
	double longest = 0;
	int c, n, to, status;
	pid_t pid;

	while ((c = getopt(argc, argv, "pa:")) != -1)
		if (c == 'p')
			out.pictures = true;
		else if (c == 'a')
			ahead = strtoul(optarg, NULL, 10);
		else
			return 2;
	if (argc - optind != 2 || (n = (int)strtol(argv[optind], NULL, 10)) > 255)
		return 2;
	pid = start(argv[optind + 1], &to, &out.fd);
	for (int i = 1; i <= n; i++) {
		struct image this = draw(i), following = draw(i + 1);
		double start;

		alarm(PATIENCE);
		send_bytes(to, &this, sent, this.n);
		sent = i < n ? ahead : 0;
		send_bytes(to, &following, 0, sent);
		start = kf_seconds();
		expect(&out, i);
		if (i > 1 &&
			kf_seconds() - start >
				longest) /* the first waits for programs */
			longest = kf_seconds() - start;
	}
	alarm(PATIENCE);
	close(to);
	if (next(&out))
		stop("more came than was sent");
	if (waitpid(pid, &status, 0) != pid || status)
		stop("the command failed");
	kf_reader_close(out.stream);
	kf_loader_close(out.images);
	if (out.pictures)
		kf_input_close(&out.in);
	printf("%d images, one for one; longest delay %.1f ms\n", n, longest * 1e3);
	return 0;
}
