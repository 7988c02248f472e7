/*
 * What kfkd-load reads from: a file or a pipe through read(2), in a buffer that
 * grows only as far as its user lets it, so that an endless row is an error
 * instead of using up the memory.
 */
#ifndef KF_INPUT_H
#define KF_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#ifndef KF_INPUT_PIECE /* see KF_CHUNK_BYTES */
#define KF_INPUT_PIECE ((size_t)256 << 10)
#endif
#define KF_INPUT_SLACK 64 /* readable bytes around the text; 0 after it */

struct kf_input {
	int fd;           /* stays the caller's */
	const char *name; /* for messages */
	const char *at;   /* start of what has been read and not used, */
	size_t n;         /* and its length */
	uint64_t offset;  /* of at in the input */
	bool ended;       /* nothing follows it */
	size_t piece;     /* bytes to ask read(2) for; tests make it small */
	/* private */
	char *memory;
	char *buffer; /* in memory, between the slack */
	size_t size;
};

int kf_input_open(struct kf_input *in, int fd, const char *name, struct kf_err *err);

/* Whether an input that starts with these n bytes is an image of netpbm's. */
bool kf_is_netpbm(const char *first, size_t n);

/*
 * Looks at the first bytes: refuses an empty input, a stream, and one that something
 * else must be done with first, which the message names.
 */
int kf_input_check(struct kf_input *in, struct kf_err *err);

/* Reads once, appending to what is there; at may move. */
int kf_input_more(struct kf_input *in, struct kf_err *err);

/* Reads until at least n bytes are there, or the input has ended. */
int kf_input_need(struct kf_input *in, size_t n, struct kf_err *err);

/* Whether kf_input_more would return without waiting. */
bool kf_input_ready(const struct kf_input *in);

/* Discards the first n bytes. */
void kf_input_use(struct kf_input *in, size_t n);

/* Copies up to n of the bytes that are there, and discards them; returns how
 * many. */
size_t kf_input_take(struct kf_input *in, void *to, size_t n);

/* Moves n bytes to memory, reading as far as that takes; fewer only where the input
 * ends.  Returns how many, or -1. */
ssize_t kf_input_read(struct kf_input *in, void *to, size_t n, struct kf_err *err);

void kf_input_close(struct kf_input *in);

#endif
