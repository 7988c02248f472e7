/* PGM images: a header in text, then a byte a pixel. */
#include "formats/pgm.h"

#include <stdio.h>
#include <string.h>

struct pgm {
	struct kf_loader l;
	uint64_t image; /* the number of the current image, from 1 */
	bool in_pixels; /* its header has been read, */
	int maxval;     /* which says what white is; */
	size_t have;    /* this many pixels of it are in row chunk.n of the chunk */
};

/* Puts the current image before the message of a failure. */
static int place(const struct pgm *p, struct kf_err *err)
{
	return kf_place(err, "'%s', image %llu, byte %llu", p->l.in->name,
		(unsigned long long)p->image, (unsigned long long)p->l.in->offset);
}

/* -- headers --------------------------------------------------------------------- */

static bool is_space(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Any of netpbm's formats, so that those other than PGM get a hint. */
static bool claims(const unsigned char first[KF_FIRST_BYTES])
{
	return kf_is_netpbm((const char *)first, KF_FIRST_BYTES);
}

/* A position in a header, the rest of which may not have been read yet. */
struct cursor {
	const char *at, *end;
};

/* The next byte, a comment counting as the newline that ends it; -1 at the
 * end. */
static int next_byte(struct cursor *c)
{
	if (c->at < c->end && *c->at == '#')
		while (c->at < c->end && *c->at != '\n' && *c->at != '\r')
			c->at++;
	return c->at < c->end ? (unsigned char)*c->at++ : -1;
}

/*
 * A whole number and the one space after it.  Returns the number, capped at
 * 999999; -1 where the text ends too early; -2 where there is no number.
 */
static int next_number(struct cursor *c)
{
	int byte, value = -2;

	do
		byte = next_byte(c);
	while (is_space(byte));
	for (; byte >= '0' && byte <= '9'; byte = next_byte(c)) {
		value = (value < 0 ? 0 : value * 10) + byte - '0';
		if (value > 999999)
			value = 999999;
	}
	return byte < 0 ? -1 : is_space(byte) ? value : -2;
}

/* Checks n bytes for the mark "P5": 1, 0 where they are too few to tell, -1. */
static int check_mark(const char *text, size_t n, struct kf_err *err)
{
	if ((n > 0 && text[0] != 'P') || (n > 1 && (text[1] < '1' || text[1] > '7')) ||
		(n > 2 && !is_space(text[2]) && text[2] != '#'))
		return kf_fail(err, "what follows is not a PGM image");
	if (n > 2 && text[1] != '5')
		return kf_fail(err,
			"netpbm's format P%c; only PGM, P5, is read; "
			"pipe it through %s",
			text[1], text[1] == '7' ? "pamtopnm" : "ppmtopgm");
	return n > 2;
}

static int check_size(const struct pgm *p, int w, int h, int maxval, struct kf_err *err)
{
	const struct kf_schema *s = &p->l.schema;

	if (w < 1 || h < 1 || w > KF_SIDE_MAX || h > KF_SIDE_MAX)
		return kf_fail(err, "an image of %d x %d is out of bounds", w, h);
	if (s->w && (w != s->w || h != s->h))
		return kf_fail(err,
			"%d x %d pixels, but the images before have "
			"%d x %d",
			w, h, s->w, s->h);
	if (maxval < 1 || maxval > 65535)
		return kf_fail(err, "a maxval of %d is out of bounds", maxval);
	if (maxval > 255)
		return kf_fail(err,
			"pixels of 16 bits (maxval %d); pipe it through "
			"pamdepth 255",
			maxval);
	return 0;
}

/* Reads the header: 1, 0 where it is not complete yet, -1. */
static int take_header(struct pgm *p, struct kf_err *err)
{
	static const char *const names[] = { "width", "height", "maxval" };
	struct kf_input *in = p->l.in;
	struct cursor c;
	size_t most;
	int value[3], rc = check_mark(in->at, in->n, err);

	if (rc <= 0)
		return rc;
	most = in->n < KF_PGM_HEADER_MAX ? in->n : KF_PGM_HEADER_MAX;
	c = (struct cursor){ in->at + 2, in->at + most };
	for (int i = 0; i < 3; i++) {
		value[i] = next_number(&c);
		if (value[i] == -1 && most == KF_PGM_HEADER_MAX)
			return kf_fail(err, "a header of more than %zu bytes",
				KF_PGM_HEADER_MAX);
		if (value[i] == -1)
			return 0;
		if (value[i] < 0)
			return kf_fail(err, "there is no %s in its header", names[i]);
	}
	if (check_size(p, value[0], value[1], value[2], err) < 0)
		return -1;
	p->l.schema.w = value[0];
	p->l.schema.h = value[1];
	p->maxval = value[2];
	p->in_pixels = true;
	kf_input_use(in, (size_t)(c.at - in->at));
	return 1;
}

/* -- pixels ---------------------------------------------------------------------- */

/* Where the current image goes. */
static uint8_t *image(const struct pgm *p)
{
	return (uint8_t *)p->l.chunk.X + p->l.chunk.n * kf_image_bytes(&p->l.schema);
}

/* Maps 0 to maxval onto 0 to 255, rounded. */
static int stretch(struct pgm *p, struct kf_err *err)
{
	uint8_t *pixel = image(p);

	for (size_t i = 0; i < p->have; i++) {
		if (pixel[i] > p->maxval)
			return kf_fail(err, "pixel %zu is %d, above the maxval %d",
				i + 1, pixel[i], p->maxval);
		pixel[i] = (uint8_t)((pixel[i] * 255 + p->maxval / 2) / p->maxval);
	}
	return 0;
}

/* Takes the pixels that are there: 1, 0 where there are none, -1. */
static int take_pixels(struct pgm *p, struct kf_err *err)
{
	size_t whole = kf_image_bytes(&p->l.schema);
	size_t n = kf_input_take(p->l.in, image(p) + p->have, whole - p->have);

	p->have += n;
	if (p->have < whole)
		return n > 0;
	if (p->maxval < 255 && stretch(p, err) < 0)
		return -1;
	p->l.chunk.id[p->l.chunk.n++] = (int64_t)p->image++;
	p->in_pixels = false;
	p->have = 0;
	return 1;
}

/* Starts a new chunk with what there is of the next image. */
static void start_chunk(struct pgm *p)
{
	memmove(p->l.chunk.X, image(p), p->have);
	p->l.chunk.n = 0;
}

/* -- format ---------------------------------------------------------------------- */

static int truncated(const struct pgm *p, struct kf_err *err)
{
	if (!p->in_pixels)
		return kf_fail(err, "truncated inside its header");
	return kf_fail(err, "truncated: %zu of %zu pixels", p->have,
		kf_image_bytes(&p->l.schema));
}

/* Reads the first header, which gives the size. */
static int open_images(struct kf_loader *l, struct kf_err *err)
{
	struct pgm *p = (struct pgm *)l;
	int rc;

	p->image = 1;
	l->schema = (struct kf_schema){ .dtype = KF_U8, .c = 1 };
	while ((rc = take_header(p, err)) == 0)
		if (l->in->ended || kf_input_more(l->in, err) < 0) {
			rc = l->in->ended ? truncated(p, err) : -1;
			break;
		}
	if (rc < 0)
		return place(p, err);
	return kf_chunk_reserve(&l->chunk, &l->schema, kf_chunk_rows(&l->schema), err);
}

/* Takes what is there or reads once: 1 to continue, 0 at the chunk's end,
 * -1. */
static int step(struct pgm *p, struct kf_err *err)
{
	const struct kf_loader *l = &p->l;
	int rc = p->in_pixels ? take_pixels(p, err) : take_header(p, err);

	if (rc != 0)
		return rc;
	if (l->in->ended && (p->in_pixels || l->in->n > 0))
		return truncated(p, err);
	if (l->in->ended || (l->chunk.n > 0 && !kf_input_ready(l->in)))
		return 0;
	return kf_input_more(l->in, err) < 0 ? -1 : 1;
}

static int next_images(struct kf_loader *l, struct kf_err *err)
{
	struct pgm *p = (struct pgm *)l;
	size_t full = kf_chunk_rows(&l->schema);
	int rc = 1;

	start_chunk(p);
	while (rc > 0 && l->chunk.n < full)
		rc = step(p, err);
	return rc < 0 ? place(p, err) : l->chunk.n > 0;
}

static void close_images(struct kf_loader *l)
{
	(void)l; /* owns nothing else */
}

const struct kf_format kf_pgm = { .name = "PGM",
	.size = sizeof(struct pgm),
	.claims = claims,
	.open = open_images,
	.next = next_images,
	.close = close_images };
