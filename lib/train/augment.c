/* Random transformations of images and keypoints. */
#define _GNU_SOURCE
#include "train/augment.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "train/mirror.h"

#define FLIP_SUM_MAX 1e6

/* -- parsing --------------------------------------------------------------------- */

static const struct {
	const char *name;
	size_t member; /* of struct kf_augment */
	double max;
} amounts[] = {
	{ "shift:", offsetof(struct kf_augment, shift), 1000 },
	{ "rotate:", offsetof(struct kf_augment, rotate), 180 },
	{ "scale:", offsetof(struct kf_augment, scale), 0.9 },
	{ "contrast:", offsetof(struct kf_augment, contrast), 1 },
	{ "brightness:", offsetof(struct kf_augment, brightness), 1 },
	{ "shear:", offsetof(struct kf_augment, shear), 80 },
	{ "hole:", offsetof(struct kf_augment, hole), 10000 },
};

#define AMOUNTS (sizeof amounts / sizeof *amounts)

static double amount(const struct kf_augment *a, size_t i)
{
	double v;

	memcpy(&v, (const char *)a + amounts[i].member, sizeof v);
	return v;
}

static int parse_amount(struct kf_augment *a, size_t i, const char *word,
	struct kf_err *err)
{
	const char *text = word + strlen(amounts[i].name);
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end || !(v >= 0 && v <= amounts[i].max))
		return kf_fail(err, "'%.40s' is not from 0 to %g", word,
			amounts[i].max);
	memcpy((char *)a + amounts[i].member, &v, sizeof v);
	return 0;
}

static int parse_flip(struct kf_augment *a, const char *word, struct kf_err *err)
{
	const char *text = word + strlen("flip:");
	char *end;

	a->flip = true;
	a->find_sum = !strcmp(word, "flip:auto");
	a->has_sum = strcmp(word, "flip") != 0 && !a->find_sum;
	if (!a->has_sum)
		return 0;
	a->flip_sum = strtod(text, &end);
	if (end == text || *end || !(a->flip_sum > 0 && a->flip_sum <= FLIP_SUM_MAX))
		return kf_fail(err, "'%.40s' is neither auto nor above 0 and up to %g",
			word, FLIP_SUM_MAX);
	return 0;
}

static int parse_one(struct kf_augment *a, const char *word, struct kf_err *err)
{
	if (!strcmp(word, "flip") || !strncmp(word, "flip:", 5))
		return parse_flip(a, word, err);
	for (size_t i = 0; i < AMOUNTS; i++)
		if (!strncmp(word, amounts[i].name, strlen(amounts[i].name)))
			return parse_amount(a, i, word, err);
	return kf_fail(err,
		"there is no '%.40s', but flip[:SUM], flip:auto, shift:PX, rotate:DEG, scale:F, "
		"contrast:F, brightness:F, shear:DEG and hole:PX",
		word);
}

int kf_augment_parse(struct kf_augment *a, const char *text, struct kf_err *err)
{
	char *copy = strdup(text), *rest = copy, *word;
	int rc = 0;

	if (!copy)
		return kf_fail_memory(err);
	*a = (struct kf_augment){ 0 };
	while (rc == 0 && (word = strsep(&rest, ",")))
		rc = parse_one(a, word, err);
	free(copy);
	return rc;
}

double kf_flip_sum(const struct kf_augment *a, int width)
{
	return a->has_sum ? a->flip_sum : width - 1;
}

bool kf_augment_any(const struct kf_augment *a)
{
	bool any = a->flip;

	for (size_t i = 0; i < AMOUNTS; i++)
		any |= amount(a, i) > 0;
	return any;
}

void kf_augment_print(const struct kf_augment *a, char *text, size_t size)
{
	size_t n = (size_t)snprintf(text, size, "%s", a->flip ? "flip" : "");

	if (a->flip && a->find_sum)
		n += (size_t)snprintf(text + n, size - n, ":auto");
	if (a->flip && a->has_sum)
		n += (size_t)snprintf(text + n, size - n, ":%.9g", a->flip_sum);
	for (size_t i = 0; i < AMOUNTS; i++)
		if (amount(a, i) > 0 && n < size)
			n += (size_t)snprintf(text + n, size - n, "%s%s%.9g",
				n ? "," : "", amounts[i].name, amount(a, i));
}

/* -- columns ----------------------------------------------------------------------- */

static int find_columns(struct kf_augmenter *g, const struct kf_names *names,
	struct kf_err *err)
{
	char other[256];

	for (int j = 0; j < g->m; j++) {
		const char *name = names->name[j];

		g->axis[j] = kf_axis(name);
		if (g->axis[j] < 0 && kf_augment_any(&g->what))
			return kf_fail(err,
				"augmentation: '%s' ends in neither _x nor _y", name);
		g->mirror[j] = g->what.flip ? kf_mirror_column(names, j, err) : j;
		if (g->mirror[j] < 0)
			return -1;
		snprintf(other, sizeof other, "%s", name);
		other[strlen(other) - 1] = g->axis[j] == 0 ? 'y' : 'x';
		g->partner[j] = kf_names_find(names, other);
		/* a shear moves points along x alone, by their y */
		if (g->partner[j] < 0 &&
			(g->what.rotate > 0 || (g->what.shear > 0 && g->axis[j] == 0)))
			return kf_fail(err, "%s: '%s' lacks its other coordinate, '%s'",
				g->what.rotate > 0 ? "rotate" : "shear", name, other);
	}
	return 0;
}

int kf_augmenter_open(struct kf_augmenter *g, const struct kf_augment *what,
	const struct kf_schema *s, struct kf_err *err)
{
	size_t m = (size_t)s->columns.n;

	*g = (struct kf_augmenter){ .what = *what,
		.w = s->w,
		.h = s->h,
		.m = s->columns.n,
		.flip_sum = kf_flip_sum(what, s->w) };
	memcpy(g->scale, s->y_scale, sizeof g->scale);
	g->axis = calloc(m + 1, sizeof *g->axis);
	g->partner = calloc(m + 1, sizeof *g->partner);
	g->mirror = calloc(m + 1, sizeof *g->mirror);
	if (!g->axis || !g->partner || !g->mirror)
		return kf_fail_memory(err);
	if (find_columns(g, &s->columns, err) < 0)
		return -1;
	for (int j = 0; j < g->m; j++)
		if (g->axis[j] == 0)
			return 0;
	return what->find_sum ? kf_fail(err,
					"flip:auto looks for what x of targets add up "
					"to, and there are none") :
				0;
}

void kf_augmenter_close(struct kf_augmenter *g)
{
	free(g->axis);
	free(g->partner);
	free(g->mirror);
	*g = (struct kf_augmenter){ 0 };
}

/* -- drawing ------------------------------------------------------------------------- */

/*
 * Draws which half of the rows is flipped, without replacement.  The tutorial flips
 * its data in place, so that flips accumulate from epoch to epoch; as each is a fair
 * coin toss, flipping the originals has the same distribution.  -1 when out of memory.
 */
static int draw_flips(uint64_t seed, uint32_t step, int n, bool *flipped)
{
	uint32_t *order = malloc((size_t)n * sizeof *order);
	int rc = -1;

	if (order)
		rc = kf_rng_order(order, (uint32_t)n, seed, KF_RNG_FLIP, step);
	for (int i = 0; rc == 0 && i < n; i++)
		flipped[order[i]] = i < n / 2;
	free(order);
	return rc;
}

/* p -> a (p - middle) + middle + shift, in pixels */
struct motion {
	bool flip;
	double a[2][2];
	double middle[2], shift[2];
	/* Where x of targets is measured from while they are mirrored, from `middle`. */
	double off;
};

/* Uniform from -1 to 1; `which` selects one of a row's numbers. */
static double draw(uint64_t seed, uint32_t step, int row, int which)
{
	return 2 *
		kf_rng_uniform(seed, KF_RNG_AUGMENT, 0, step,
			(uint64_t)row * 8 + (uint64_t)which) -
		1;
}

static struct motion draw_motion(const struct kf_augmenter *g, uint64_t seed,
	uint32_t step, int row, bool flip)
{
	double angle = draw(seed, step, row, 0) * g->what.rotate * acos(-1) / 180;
	double size = 1 + draw(seed, step, row, 1) * g->what.scale;
	double x = flip ? -size : size, c = cos(angle), s = sin(angle);
	double lean = draw(seed, step, row, 6) * g->what.shear * acos(-1) / 180;
	double t = g->what.shear > 0 ? tan(lean) : 0;

	/* first mirrored, then sheared: x + t y */
	return (struct motion){ .flip = flip,
		.a = { { x * c, -size * (s - c * t) }, { x * s, size * (c + s * t) } },
		.off = flip ? g->flip_sum - (g->w - 1) : 0,
		.middle = { (g->w - 1) / 2.0, (g->h - 1) / 2.0 },
		.shift = { draw(seed, step, row, 2) * g->what.shift,
			draw(seed, step, row, 3) * g->what.shift } };
}

/* The inverse motion: from the new image to the original, which is sampled. */
static struct kf_warp warp_of(const struct motion *m)
{
	double det = m->a[0][0] * m->a[1][1] - m->a[0][1] * m->a[1][0];
	double inverse[2][2] = { { m->a[1][1] / det, -m->a[0][1] / det },
		{ -m->a[1][0] / det, m->a[0][0] / det } };
	struct kf_warp warp = { .contrast = 1 };

	for (int i = 0; i < 2; i++) {
		double at = m->middle[i];

		for (int j = 0; j < 2; j++) {
			warp.m[3 * i + j] = (float)inverse[i][j];
			at -= inverse[i][j] * (m->middle[j] + m->shift[j]);
		}
		warp.m[3 * i + 2] = (float)at;
	}
	return warp;
}

/* A square anywhere in the picture, of up to g->what.hole pixels a side. */
static void draw_hole(const struct kf_augmenter *g, uint64_t seed, uint32_t step,
	int row, int hole[4])
{
	int most = g->w < g->h ? g->w : g->h, side;
	double u[3];

	for (int i = 0; i < 3; i++) /* layer 1: a row has eight numbers in layer 0 */
		u[i] = kf_rng_uniform(seed, KF_RNG_AUGMENT, 1, step,
			(uint64_t)row * 8 + (uint64_t)i);
	if (g->what.hole < most)
		most = (int)g->what.hole;
	side = (int)(u[0] * (most + 1));
	hole[0] = (int)(u[1] * (g->w - side + 1));
	hole[1] = (int)(u[2] * (g->h - side + 1));
	hole[2] = hole[0] + side;
	hole[3] = hole[1] + side;
}

static struct kf_warp draw_warp(const struct kf_augmenter *g, uint64_t seed,
	uint32_t step, int row, const struct motion *m)
{
	struct kf_warp warp = warp_of(m);

	warp.contrast = (float)(1 + draw(seed, step, row, 4) * g->what.contrast);
	warp.brightness = (float)(draw(seed, step, row, 5) * g->what.brightness);
	if (g->what.hole > 0)
		draw_hole(g, seed, step, row, warp.hole);
	return warp;
}

/* -- targets ------------------------------------------------------------------------- */

/* A scaled coordinate, in pixels from the middle. */
static double from_middle(const struct kf_augmenter *g, const struct motion *m,
	int axis, double v)
{
	return kf_unscale(v, g->scale[axis]) - m->middle[axis] -
		(axis == 0 ? m->off : 0);
}

/* Where target j of one row, y (m), is after a motion, in pixels. */
static double target_at(const struct kf_augmenter *g, const struct motion *m,
	const float *y, int j)
{
	/* after a flip, the other side's point is here */
	int from = m->flip ? g->mirror[j] : j, axis = g->axis[j];
	int partner = g->partner[from];
	double v = m->a[axis][axis] * from_middle(g, m, axis, y[from]);

	if (m->a[axis][!axis] != 0 && partner >= 0)
		v += m->a[axis][!axis] * from_middle(g, m, !axis, y[partner]);
	return v + (m->middle[axis] + m->shift[axis]);
}

/* Whether target j is beyond an edge, where nothing is to be seen. */
static bool outside(const struct kf_augmenter *g, const struct motion *m,
	const float *y, int j)
{
	double v = target_at(g, m, y, j);

	return v < -0.5 || v > (g->axis[j] == 0 ? g->w : g->h) - 0.5;
}

/* Moves the targets of one row, y (m), to moved (m). */
static void move(const struct kf_augmenter *g, const struct motion *m, const float *y,
	float *moved)
{
	const struct kf_augment *what = &g->what;
	/* a mirror image shows what the image does */
	bool leaves = what->shift > 0 || what->rotate > 0 || what->scale > 0 ||
		what->shear > 0;

	for (int j = 0; j < g->m; j++) {
		int partner = g->partner[j];

		if (leaves &&
			(outside(g, m, y, j) ||
				(partner >= 0 && outside(g, m, y, partner))))
			moved[j] = NAN;
		else
			moved[j] = (float)kf_scaled(target_at(g, m, y, j),
				g->scale[g->axis[j]]);
	}
}

int kf_augment_batch(const struct kf_augmenter *g, uint64_t seed, uint32_t step,
	const float *y, const uint32_t *rows, const struct kf_slice *slice,
	struct kf_warp *warps, float *moved)
{
	bool *flipped = calloc((size_t)slice->all, sizeof *flipped);
	size_t m = (size_t)g->m;

	if (!flipped ||
		(g->what.flip && draw_flips(seed, step, slice->all, flipped) < 0)) {
		free(flipped);
		return -1;
	}
	for (int i = 0; i < slice->n; i++) {
		int row = slice->first + i; /* of the batch */
		struct motion motion = draw_motion(g, seed, step, row, flipped[row]);

		warps[i] = draw_warp(g, seed, step, row, &motion);
		if (m)
			move(g, &motion, y + rows[i] * m, moved + (size_t)i * m);
	}
	free(flipped);
	return 0;
}
