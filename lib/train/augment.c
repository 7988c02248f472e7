/* Random transformations of images and keypoints. */
#define _GNU_SOURCE
#include "train/augment.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

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

static int parse_one(struct kf_augment *a, const char *word, struct kf_err *err)
{
	if (!strcmp(word, "flip")) {
		a->flip = true;
		return 0;
	}
	for (size_t i = 0; i < AMOUNTS; i++)
		if (!strncmp(word, amounts[i].name, strlen(amounts[i].name)))
			return parse_amount(a, i, word, err);
	return kf_fail(err,
		"there is no '%.40s', but flip, shift:PX, rotate:DEG, "
		"scale:F and contrast:F",
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

	for (size_t i = 0; i < AMOUNTS; i++)
		if (amount(a, i) > 0 && n < size)
			n += (size_t)snprintf(text + n, size - n, "%s%s%.9g",
				n ? "," : "", amounts[i].name, amount(a, i));
}

/* -- columns ----------------------------------------------------------------------- */

/* A name with left replaced by right or vice versa; false if it has neither. */
static bool mirror_name(const char *name, char *out, size_t size)
{
	const char *start = name;

	for (;;) {
		size_t n = strcspn(start, "_");
		const char *other = n == 4 && !strncmp(start, "left", 4) ? "right" :
			n == 5 && !strncmp(start, "right", 5)            ? "left" :
									   NULL;

		if (other) {
			snprintf(out, size, "%.*s%s%s", (int)(start - name), name,
				other, start + n);
			return true;
		}
		if (!start[n])
			return false;
		start += n + 1;
	}
}

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
		g->mirror[j] = j;
		if (mirror_name(name, other, sizeof other))
			g->mirror[j] = kf_names_find(names, other);
		if (g->mirror[j] < 0 && g->what.flip)
			return kf_fail(err, "flip: '%s' lacks its other side, '%s'",
				name, other);
		snprintf(other, sizeof other, "%s", name);
		other[strlen(other) - 1] = g->axis[j] == 0 ? 'y' : 'x';
		g->partner[j] = kf_names_find(names, other);
		if (g->partner[j] < 0 && g->what.rotate > 0)
			return kf_fail(err,
				"rotate: '%s' lacks its other coordinate, '%s'", name,
				other);
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
		.m = s->columns.n };
	memcpy(g->scale, s->y_scale, sizeof g->scale);
	g->axis = calloc(m + 1, sizeof *g->axis);
	g->partner = calloc(m + 1, sizeof *g->partner);
	g->mirror = calloc(m + 1, sizeof *g->mirror);
	if (!g->axis || !g->partner || !g->mirror)
		return kf_fail_memory(err);
	return find_columns(g, &s->columns, err);
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

	return (struct motion){ .flip = flip,
		.a = { { x * c, -size * s }, { x * s, size * c } },
		.middle = { (g->w - 1) / 2.0, (g->h - 1) / 2.0 },
		.shift = { draw(seed, step, row, 2) * g->what.shift,
			draw(seed, step, row, 3) * g->what.shift } };
}

/* The inverse motion: from the new image to the original, which is sampled. */
static struct kf_warp warp_of(const struct motion *m, double contrast)
{
	double det = m->a[0][0] * m->a[1][1] - m->a[0][1] * m->a[1][0];
	double inverse[2][2] = { { m->a[1][1] / det, -m->a[0][1] / det },
		{ -m->a[1][0] / det, m->a[0][0] / det } };
	struct kf_warp warp = { .contrast = (float)contrast };

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

/* A scaled coordinate, in pixels from the middle. */
static double from_middle(const struct kf_augmenter *g, const struct motion *m,
	int axis, double v)
{
	return kf_unscale(v, g->scale[axis]) - m->middle[axis];
}

/* Moves the targets of one row, y (m), to moved (m). */
static void move(const struct kf_augmenter *g, const struct motion *m, const float *y,
	float *moved)
{
	for (int j = 0; j < g->m; j++) {
		/* after a flip, the other side's point is here */
		int from = m->flip ? g->mirror[j] : j, axis = g->axis[j];
		int partner = g->partner[from];
		double v = from_middle(g, m, axis, y[from]), other;

		v *= m->a[axis][axis];
		if (m->a[axis][!axis] != 0 && partner >= 0) {
			other = from_middle(g, m, !axis, y[partner]);
			v += m->a[axis][!axis] * other;
		}
		v += m->middle[axis] + m->shift[axis];
		moved[j] = (float)kf_scaled(v, g->scale[axis]);
	}
}

int kf_augment_batch(const struct kf_augmenter *g, uint64_t seed, uint32_t step,
	const float *y, const uint32_t *rows, int n, struct kf_warp *warps,
	float *moved)
{
	bool *flipped = calloc((size_t)n, sizeof *flipped);
	size_t m = (size_t)g->m;

	if (!flipped || (g->what.flip && draw_flips(seed, step, n, flipped) < 0)) {
		free(flipped);
		return -1;
	}
	for (int i = 0; i < n; i++) {
		struct motion motion = draw_motion(g, seed, step, i, flipped[i]);
		double contrast = 1 + draw(seed, step, i, 4) * g->what.contrast;

		warps[i] = warp_of(&motion, contrast);
		if (m)
			move(g, &motion, y + rows[i] * m, moved + (size_t)i * m);
	}
	free(flipped);
	return 0;
}
