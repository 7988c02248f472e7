/*
 * Pixels from text: what kfkd-load spends its time on, nearly all bytes of a CSV of
 * faces being these.  There are several ways to the same result, for processors with
 * and without certain instructions.
 */
#ifndef KF_PARSE_PIXELS_H
#define KF_PARSE_PIXELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Exactly n pixels of one to three digits and at most 255, separated by single
 * spaces.  Returns where the last ends, or NULL for anything else; pixel may hold
 * anything then, but nothing is written beyond the n.
 *
 * The seven bytes before text must be readable, the last of them less than '0', as are
 * commas and ends of lines; and so must the 63 bytes after the first one that is neither
 * a digit nor a space.
 */
const char *kf_parse_pixels(const char *text, uint8_t *pixel, size_t n);

/* A way to do that. */
struct kf_pixel_parser {
	const char *name;   /* of the instructions that it takes */
	bool (*runs)(void); /* whether this processor has them */
	const char *(*parse)(const char *text, uint8_t *pixel, size_t n);
};

/* The fastest that runs is taken; they are in this order, and the last always runs. */
#if defined __x86_64__
#define KF_PIXEL_PARSERS 3
#else
#define KF_PIXEL_PARSERS 1
#endif
extern const struct kf_pixel_parser kf_pixel_parsers[KF_PIXEL_PARSERS];

#endif
