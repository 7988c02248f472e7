/* A bounded buffer over read(2). */
#define _GNU_SOURCE
#include "input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Memory for size bytes of text between its slack. */
static int grow(struct kf_input *in, size_t size, struct kf_err *err)
{
	char *memory = realloc(in->memory, size + 2 * KF_INPUT_SLACK);

	if (!memory)
		return kf_fail(err, "out of memory");
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

/* Room for a piece behind the text: moves it to the front, then grows. */
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

void kf_input_use(struct kf_input *in, size_t n)
{
	in->at += n;
	in->n -= n;
}

void kf_input_close(struct kf_input *in)
{
	free(in->memory);
	*in = (struct kf_input){ 0 };
}
