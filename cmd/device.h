/* The options with which a program chooses a backend. */
#ifndef DEVICE_H
#define DEVICE_H

#include "net/backend.h"
#include "options.h"

struct device {
	const char *backend;
	struct kf_backend_options options;
};

/* A program's own keys without a letter start at DEVICE_KEYS_END. */
enum { DEVICE_TF32 = OPTION_NO_LETTER, DEVICE_BF16, DEVICE_KEYS_END };

/* Rows for a program's table. */
#define BACKEND_ROW \
	'b', "backend", "BACKEND", "%s; auto takes what can run here (auto)", \
		OPTION_WORD, .word = device_word
#define THREADS_ROW \
	't', "threads", "N", "at most N threads (as many as processors)", OPTION_INT, \
		.min = 1, .max = KF_THREADS_MAX
#define TF32_ROW \
	DEVICE_TF32, "tf32", .help = "cuda: products faster, rounded to 10 bits"
#define BF16_ROW \
	DEVICE_BF16, "bf16", \
		.help = "products much faster, of factors rounded to 7 bits"

const char *device_word(int i); /* the i-th argument that --backend can have */

/* Notes the option with this key, if it is one of these. */
void device_option(struct device *d, int key, const struct options *o);

#endif
