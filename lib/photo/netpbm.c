/*
 * Netpbm's formats, by libnetpbm.  On errors it ends the program, unless it is given a
 * place to jump to; its messages reach a function that only knows what is in variables
 * of this file.
 */
#define _GNU_SOURCE
#include "photo/netpbm.h"

#include <netpbm/pam.h>
#include <setjmp.h>
#include <stdbool.h>
#include <string.h>

struct netpbm {
	struct pam pam;
	tuple *row;
	jmp_buf failed;
	struct kf_photo *photo;
	FILE *f;
};

/* -- errors -------------------------------------------------------------------------- */

/* Whose failure libnetpbm reports. */
static struct kf_err *reported;

static void on_error(const char *text)
{
	if (strcasestr(text, "memory") || strstr(text, "allocate"))
		kf_fail_memory(reported);
	else
		kf_fail(reported, "truncated or damaged: %.*s",
			(int)strcspn(text, "\n"), text);
}

static void on_message(const char *text)
{
	(void)text;
}

/* -- pixels -------------------------------------------------------------------------- */

static int check(const struct pam *pam, struct kf_err *err)
{
	if (pam->depth > 4 || !strcmp(pam->tuple_type, "CMYK"))
		return kf_fail(err,
			"its pixels are neither grey nor RGB, but %u samples '%.40s'",
			pam->depth, pam->tuple_type);
	return 0;
}

/* The sum of kf_grey_sum for a pixel of one or three samples, or of two or four, the
 * last of which is alpha. */
static uint64_t grey_sum(const sample *s, unsigned depth)
{
	if (depth <= 2)
		return 1000 * (uint64_t)s[0];
	return kf_grey_sum((uint32_t)s[0], (uint32_t)s[1], (uint32_t)s[2]);
}

/* A film or a camera's pictures, behind each other, are no photograph.  Behind the plain
 * formats, whose pixels are numbers, blanks may stand. */
static int check_end(const struct netpbm *r, struct kf_err *err)
{
	int format = r->pam.format, c;
	bool plain =
		format == PBM_FORMAT || format == PGM_FORMAT || format == PPM_FORMAT;

	do
		c = getc(r->f);
	while (plain && (c == ' ' || (c >= '\t' && c <= '\r')));
	if (c == EOF)
		return 0;
	return kf_fail(err,
		c == 'P' ? "it holds several images; as a sequence of PGM "
			   "give it alone, or on standard input" :
			   "damaged: there is more after its last pixel");
}

static int decode(struct netpbm *r)
{
	struct pam *pam = &r->pam;
	struct kf_places to;

	pnm_readpaminit(r->f, pam, sizeof *pam);
	if (check(pam, reported) < 0 ||
		kf_photo_begin(r->photo, (uint64_t)pam->width, (uint64_t)pam->height, 1,
			&to, reported) < 0)
		return -1;
	r->row = pnm_allocpamrow(pam);
	for (int y = 0; y < pam->height; y++) {
		uint8_t *grey = to.first + y * to.dy;

		pnm_readpamrow(pam, r->row);
		for (int x = 0; x < pam->width; x++)
			grey[x] = kf_grey_byte(grey_sum(r->row[x], pam->depth),
				(uint32_t)pam->maxval);
	}
	return check_end(r, reported);
}

/* Where decode has not returned, its variables are lost. */
static int decode_or_fail(struct netpbm *r)
{
	if (setjmp(r->failed))
		return -1;
	pm_setjmpbuf(&r->failed);
	return decode(r);
}

int kf_read_netpbm(struct kf_photo *p, FILE *f, struct kf_err *err)
{
	struct netpbm r = { .photo = p, .f = f };
	int rc;

	reported = err;
	pm_setusererrormsgfn(on_error);
	pm_setusermessagefn(on_message);
	rc = decode_or_fail(&r);
	pm_setjmpbuf(NULL);
	if (r.row)
		pnm_freepamrow(r.row);
	return rc;
}
