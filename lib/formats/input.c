/* A bounded buffer over read(2). */
#define _GNU_SOURCE
#include "formats/input.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/filetype.h"

/* Allocates size bytes for text, and slack on both sides. */
static int grow(struct kf_input *in, size_t size, struct kf_err *err)
{
	char *memory = realloc(in->memory, size + 2 * KF_INPUT_SLACK);

	if (!memory)
		return kf_fail_memory(err);
	in->memory = memory;
	in->buffer = memory + KF_INPUT_SLACK;
	in->size = size;
	return 0;
}

int kf_input_open(struct kf_input *in, int fd, const char *name, struct kf_err *err)
{
	*in = (struct kf_input){ .fd = fd, .name = name, .piece = KF_INPUT_PIECE };
	if (grow(in, 2 * in->piece, err) < 0)
		return -1;
	memset(in->memory, 0, 2 * KF_INPUT_SLACK);
	in->at = in->buffer;
	return 0;
}

/* Whether this is how a safetensors file starts: a length, then JSON. */
static bool is_safetensors(const char *first, size_t n)
{
	return n > 8 && !memcmp(first + 3, "\0\0\0\0", 5) && first[8] == '{';
}

bool kf_is_netpbm(const char *first, size_t n)
{
	return n > 2 && first[0] == 'P' && first[1] >= '1' && first[1] <= '7' &&
		memchr(" \t\n\v\f\r#", first[2], 7);
}

int kf_input_check(struct kf_input *in, struct kf_err *err)
{
	const struct kf_filetype *type;
	size_t n;

	/* no more than the smallest image has: it may be all that comes for now */
	if (kf_input_need(in, 10, err) < 0)
		return -1;
	if (in->n == 0)
		return kf_fail(err, "'%s' is empty", in->name);
	if (is_safetensors(in->at, in->n))
		return kf_fail(err,
			"'%s' is a tensor stream or model, not CSV, PGM or IDX; "
			"kfkd-stat tells what is in it",
			in->name);
	if (kf_is_netpbm(in->at, in->n))
		return 0;
	if (kf_input_need(in, KF_FILETYPE_BYTES, err) < 0)
		return -1;
	/* not all that is there: the answer must not depend on how it arrives */
	n = in->n < KF_FILETYPE_BYTES ? in->n : KF_FILETYPE_BYTES;
	type = kf_filetype_of(in->at, n);
	if (type)
		return kf_fail(err, "'%s' is %s; %s", in->name, type->what,
			type->advice);
	return 0;
}

/* Makes room for a piece after the text: moves the text to the front, and
 * grows the buffer if that is not enough. */
static int make_room(struct kf_input *in, struct kf_err *err)
{
	if (in->size - (size_t)(in->at - in->buffer) - in->n >= in->piece)
		return 0;
	memmove(in->buffer, in->at, in->n);
	if (in->size - in->n < in->piece && grow(in, 2 * in->size, err) < 0)
		return -1;
	in->at = in->buffer;
	return 0;
}

int kf_input_more(struct kf_input *in, struct kf_err *err)
{
	char *end;
	ssize_t n;

	if (make_room(in, err) < 0)
		return -1;
	end = in->buffer + (in->at - in->buffer) + in->n;
	do
		n = read(in->fd, end, in->piece);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return kf_fail_errno(err, "cannot read '%s'", in->name);
	memset(end + n, 0, KF_INPUT_SLACK);
	in->n += (size_t)n;
	in->ended = n == 0;
	return 0;
}

int kf_input_need(struct kf_input *in, size_t n, struct kf_err *err)
{
	while (in->n < n && !in->ended)
		if (kf_input_more(in, err) < 0)
			return -1;
	return 0;
}

bool kf_input_ready(const struct kf_input *in)
{
	struct pollfd p = { .fd = in->fd, .events = POLLIN };

	return poll(&p, 1, 0) != 0; /* after a failure, read(2) says more */
}

void kf_input_use(struct kf_input *in, size_t n)
{
	in->at += n;
	in->n -= n;
	in->offset += n;
}

size_t kf_input_take(struct kf_input *in, void *to, size_t n)
{
	if (n > in->n)
		n = in->n;
	memcpy(to, in->at, n);
	kf_input_use(in, n);
	return n;
}

ssize_t kf_input_read(struct kf_input *in, void *to, size_t n, struct kf_err *err)
{
	size_t done = 0;

	for (;;) {
		done += kf_input_take(in, (char *)to + done, n - done);
		if (done == n || in->ended)
			return (ssize_t)done;
		if (kf_input_more(in, err) < 0)
			return -1;
	}
}

void kf_input_close(struct kf_input *in)
{
	free(in->memory);
	*in = (struct kf_input){ 0 };
}
