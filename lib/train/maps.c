/* Maps of what a model makes of images. */
#include "train/maps.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/goal.h"
#include "train/model_net.h"

#define BATCH 128 /* a power of two */

struct kf_mapper {
	struct kf_backend *b;
	struct kf_map_options o;
	const struct kf_schema *schema;
	struct kf_model_net of;
	struct kf_goal goal;
	struct kf_mem *images; /* of the current rows */
	size_t room;           /* capacity of map in rows */
	float *map;            /* (room, schema->map) */
	float *out;            /* (BATCH, outputs) */
	/* Of a saliency: */
	float *d;      /* (BATCH, outputs) gradients at the outputs */
	float *slopes; /* (BATCH, c, h, w) gradients at the input */
	double *moved; /* (c, h, w) sums of squares over outputs */
};

/* -- opening ------------------------------------------------------------------------ */

/* The first layer that has weights. */
static const struct kf_layer *first_layer(const struct kf_layers *l)
{
	int i = 0;

	while (i < l->n - 1 && l->layer[i].weight < 0)
		i++;
	return &l->layer[i];
}

static int set_size(struct kf_mapper *p, struct kf_schema *schema, struct kf_err *err)
{
	int *map = schema->map;

	if (p->o.kind == KF_ACTIVATIONS) {
		memcpy(map, first_layer(&p->of.layers)->out, sizeof schema->map);
	} else {
		map[0] = 1;
		map[1] = schema->h;
		map[2] = schema->w;
	}
	if (!kf_size_in_bounds(map[0], map[1], map[2]))
		return kf_fail(err, "a map of %d x %d x %d is larger than streams have",
			map[0], map[1], map[2]);
	return 0;
}

static int open_mapper(struct kf_mapper *p, const struct kf_model *m,
	struct kf_schema *schema, struct kf_err *err)
{
	if (kf_model_net_open(&p->of, p->b, m, p->o.kind == KF_SALIENCY, err) < 0 ||
		kf_goal_open(&p->goal, m, schema, err) < 0 ||
		set_size(p, schema, err) < 0)
		return -1;
	p->out = malloc(BATCH * ((size_t)p->goal.m + 1) * sizeof *p->out);
	if (!p->out)
		return kf_fail_memory(err);
	if (p->o.kind != KF_SALIENCY)
		return 0;
	p->d = malloc(BATCH * ((size_t)p->goal.m + 1) * sizeof *p->d);
	p->slopes = malloc(BATCH * kf_image_pixels(schema) * sizeof *p->slopes);
	p->moved = malloc(kf_image_pixels(schema) * sizeof *p->moved);
	return p->d && p->slopes && p->moved ? 0 : kf_fail_memory(err);
}

struct kf_mapper *kf_mapper_open(struct kf_backend *b, const struct kf_model *m,
	const struct kf_map_options *o, struct kf_schema *schema, struct kf_err *err)
{
	struct kf_mapper *p = calloc(1, sizeof *p);

	if (!p) {
		kf_fail_memory(err);
		return NULL;
	}
	p->b = b;
	p->o = *o;
	p->schema = schema;
	if (open_mapper(p, m, schema, err) == 0)
		return p;
	kf_mapper_close(p);
	return NULL;
}

void kf_mapper_close(struct kf_mapper *p)
{
	if (!p)
		return;
	kf_model_net_close(&p->of);
	kf_goal_close(&p->goal);
	p->b->op->free(p->b, p->images);
	free(p->map);
	free(p->out);
	free(p->d);
	free(p->slopes);
	free(p->moved);
	free(p);
}

/* -- batches ------------------------------------------------------------------------ */

/* The size of the next batch when so much is left: a net keeps plans for each size, so
 * there are few. */
static int batch_size(size_t left)
{
	int n = BATCH;

	while ((size_t)n > left)
		n /= 2;
	return n;
}

/* The outputs for n rows, warped unless warps is NULL, go to p->out. */
static int run_net(struct kf_mapper *p, const uint32_t *rows,
	const struct kf_warp *warps, int n, const struct kf_pass *pass,
	struct kf_err *err)
{
	struct kf_act *act =
		kf_net_forward(&p->of.net, p->images, rows, warps, n, pass, err);

	if (!act)
		return -1;
	p->b->op->read_act(p->b, act, p->out);
	return 0;
}

static const struct kf_pass predicts = { .train = false };

/* -- activations -------------------------------------------------------------------- */

static int map_activations(struct kf_mapper *p, const struct kf_chunk *c,
	struct kf_err *err)
{
	int layer = first_layer(&p->of.layers)->index;
	uint32_t rows[BATCH];

	for (size_t at = 0, n; at < c->n; at += n) {
		n = (size_t)batch_size(c->n - at);
		for (size_t i = 0; i < n; i++)
			rows[i] = (uint32_t)(at + i);
		if (run_net(p, rows, NULL, (int)n, &predicts, err) < 0)
			return -1;
		p->b->op->read_act(p->b, kf_net_layer(&p->of.net, (int)n, layer),
			p->map + at * kf_map_values(p->schema));
	}
	return 0;
}

/* -- occlusion ---------------------------------------------------------------------- */

static int cells(int side, int step)
{
	return (side + step - 1) / step;
}

/* The image with the square around a cell hidden; cell -1 is none. */
static struct kf_warp hide(const struct kf_mapper *p, int cell)
{
	int side = p->o.side, step = p->o.step, across = cells(p->schema->w, step);
	int left = cell % across * step - (side - step) / 2;
	int top = cell / across * step - (side - step) / 2;
	struct kf_warp warp = { .m = { 1, 0, 0, 0, 1, 0 }, .contrast = 1 };

	if (cell >= 0)
		memcpy(warp.hole, (int[]){ left, top, left + side, top + side },
			sizeof warp.hole);
	return warp;
}

static int least(int a, int b)
{
	return a < b ? a : b;
}

static void fill_cell(const struct kf_mapper *p, float *map, int cell, double value)
{
	int step = p->o.step, w = p->schema->w, h = p->schema->h;
	int left = cell % cells(w, step) * step, top = cell / cells(w, step) * step;

	for (int y = top; y < least(top + step, h); y++)
		for (int x = left; x < least(left + step, w); x++)
			map[y * w + x] = (float)value;
}

/* The first image of the first batch is the whole one. */
static int map_occlusion(struct kf_mapper *p, const struct kf_chunk *c, size_t row,
	float *map, struct kf_err *err)
{
	int all = cells(p->schema->w, p->o.step) * cells(p->schema->h, p->o.step);
	struct kf_warp warps[BATCH];
	uint32_t rows[BATCH];

	for (int cell = -1, n; cell < all; cell += n) {
		n = batch_size((size_t)(all - cell));
		for (int i = 0; i < n; i++) {
			rows[i] = (uint32_t)row;
			warps[i] = hide(p, cell + i);
		}
		if (run_net(p, rows, warps, n, &predicts, err) < 0)
			return -1;
		for (int i = 0; i < n; i++) {
			const float *out = p->out + i * p->goal.m;

			if (cell + i < 0)
				kf_goal_set(&p->goal, c, row, out);
			else
				fill_cell(p, map, cell + i,
					kf_goal_error(&p->goal, out));
		}
	}
	return 0;
}

/* -- saliency ----------------------------------------------------------------------- */

static const struct kf_pass trains = { .train = true };

/* A gradient to go down the net: that of a row's error, or of one of its outputs. */
struct slope {
	size_t row;
	int output; /* -1: the error */
};

/* The slope after s; a row whose error is not known has one for each output. */
static struct slope next_slope(const struct kf_mapper *p, const struct kf_chunk *c,
	struct slope s)
{
	bool last = s.output < 0 || s.output == p->goal.m - 1;

	if (!last)
		return (struct slope){ s.row, s.output + 1 };
	s.row++;
	s.output = s.row < c->n && !p->goal.classify &&
			!kf_goal_known(&p->goal, c, s.row) ?
		0 :
		-1;
	return s;
}

/* The most that slopes of c are from s on, up to a batch. */
static int count_slopes(const struct kf_mapper *p, const struct kf_chunk *c,
	struct slope s)
{
	int n = 0;

	for (; n < BATCH && s.row < c->n; n++)
		s = next_slope(p, c, s);
	return n;
}

/* The gradients (n, outputs) at the outputs. */
static void begin_slopes(struct kf_mapper *p, const struct kf_chunk *c,
	const struct slope *s, int n)
{
	size_t m = (size_t)p->goal.m;

	memset(p->d, 0, (size_t)n * m * sizeof *p->d);
	for (int i = 0; i < n; i++) {
		float *out = p->out + (size_t)i * m, *d = p->d + (size_t)i * m;

		if (s[i].output >= 0) {
			d[s[i].output] = (float)p->goal.pixels[s[i].output];
			continue;
		}
		kf_goal_set(&p->goal, c, s[i].row, out);
		kf_goal_gradient(&p->goal, out, d);
	}
}

/* A pixel's value in the map, from values (c, h, w): that of the channel with the most. */
static double strongest(const struct kf_schema *s, const double *value, size_t pixel)
{
	size_t area = (size_t)s->h * (size_t)s->w;
	double most = value[pixel];

	for (int k = 1; k < s->c; k++)
		most = fmax(most, value[pixel + (size_t)k * area]);
	return most;
}

/* Adds a slope at the input to its row's map, which gets its values with the last. */
static void add_slope(struct kf_mapper *p, struct slope s, const float *at_input)
{
	size_t pixels = kf_image_pixels(p->schema), area = kf_map_values(p->schema);
	float *map = p->map + s.row * area;
	int n = s.output < 0 ? 1 : p->goal.m;

	if (s.output <= 0)
		memset(p->moved, 0, pixels * sizeof *p->moved);
	for (size_t i = 0; i < pixels; i++)
		p->moved[i] += (double)at_input[i] * at_input[i];
	if (s.output >= 0 && s.output < n - 1)
		return;
	for (size_t i = 0; i < area; i++)
		map[i] = (float)sqrt(strongest(p->schema, p->moved, i) / n);
}

static int run_slopes(struct kf_mapper *p, const struct kf_chunk *c,
	const struct slope *s, int n, struct kf_err *err)
{
	size_t pixels = kf_image_pixels(p->schema);
	uint32_t rows[BATCH];
	struct kf_act *dx;

	for (int i = 0; i < n; i++)
		rows[i] = (uint32_t)s[i].row;
	if (run_net(p, rows, NULL, n, &trains, err) < 0)
		return -1;
	begin_slopes(p, c, s, n);
	dx = kf_net_input_gradient(&p->of.net, p->d, n, &trains, err);
	if (!dx)
		return -1;
	p->b->op->read_act(p->b, dx, p->slopes);
	for (int i = 0; i < n; i++)
		add_slope(p, s[i], p->slopes + (size_t)i * pixels);
	return 0;
}

static int map_saliency(struct kf_mapper *p, const struct kf_chunk *c,
	struct kf_err *err)
{
	struct slope s[BATCH],
		next = next_slope(p, c, (struct slope){ (size_t)-1, -1 });

	while (next.row < c->n) {
		int n = batch_size((size_t)count_slopes(p, c, next));

		for (int i = 0; i < n; i++) {
			s[i] = next;
			next = next_slope(p, c, next);
		}
		if (run_slopes(p, c, s, n, err) < 0)
			return -1;
	}
	return 0;
}

/* -- running ------------------------------------------------------------------------ */

static int make_room(struct kf_mapper *p, size_t n, struct kf_err *err)
{
	float *map;

	if (n <= p->room)
		return 0;
	map = realloc(p->map, n * kf_map_values(p->schema) * sizeof *map);
	if (!map)
		return kf_fail(err, "out of memory for %zu rows", n);
	p->map = map;
	p->room = n;
	return 0;
}

static int map_rows(struct kf_mapper *p, const struct kf_chunk *c, struct kf_err *err)
{
	if (p->o.kind == KF_ACTIVATIONS)
		return map_activations(p, c, err);
	if (p->o.kind == KF_SALIENCY)
		return map_saliency(p, c, err);
	for (size_t i = 0; i < c->n; i++)
		if (map_occlusion(p, c, i, p->map + i * kf_map_values(p->schema), err) <
			0)
			return -1;
	return 0;
}

int kf_mapper_run(struct kf_mapper *p, struct kf_chunk *c, struct kf_err *err)
{
	if (make_room(p, c->n, err) < 0)
		return -1;
	p->images = p->b->op->show(p->b, p->images, c->X, p->schema->dtype,
		c->n * kf_image_pixels(p->schema));
	if (!p->images)
		return p->b->op->sync(p->b, err);
	if (map_rows(p, c, err) < 0)
		return -1;
	c->map = p->map;
	return p->b->op->sync(p->b, err);
}
