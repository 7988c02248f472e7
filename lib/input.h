/*
 * What kfkd-load reads from: a file or a pipe through read(2), in a buffer
 * that grows only as far as its user lets it, so that a row without end is an
 * error and not all of memory.
 */
#ifndef KF_INPUT_H
#define KF_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

#define KF_INPUT_PIECE ((size_t)256 << 10)
#define KF_INPUT_SLACK 64 /* bytes around the text that may be read; 0 next to it */

struct kf_input {
	int fd;           /* stays the caller's */
	const char *name; /* for messages */
	const char *at;   /* what was read and not used yet: */
	size_t n;         /* bytes of it */
	bool ended;       /* nothing comes after them */
	size_t piece;     /* bytes to ask read(2) for; tests make it small */
	/* private */
	char *memory;
	char *buffer;     /* in memory, between the slack */
	size_t size;
};

int kf_input_open(struct kf_input *in, int fd, const char *name, struct kf_err *err);

/* Reads once, behind what is there; at may move. */
int kf_input_more(struct kf_input *in, struct kf_err *err);

/* Done with the first n bytes. */
void kf_input_use(struct kf_input *in, size_t n);

void kf_input_close(struct kf_input *in);

#endif
