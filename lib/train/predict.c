/* Applying models to rows. */
#include "train/predict.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/dataset.h"
#include "train/mirror.h"
#include "train/model_net.h"

#define BATCH 128 /* a power of two */
#define SIZES 4   /* batch sizes before only powers of two are used */

/* One model on the backend. */
struct member {
	struct kf_model_net of;
	int *column;   /* (outputs) the column of p that each goes to */
	bool classify; /* its outputs become probabilities */

	struct kf_mirror_mean mirror; /* if it averages with mirror images */
};

struct kf_predictor {
	struct kf_backend *b;
	int n;
	struct member *member;
	int kept;            /* columns of p that the input already has */
	int columns;         /* of p in total */
	int *votes;          /* (columns) how many models predict each */
	enum kf_dtype dtype; /* of images */
	size_t pixels;
	struct kf_mem *images;  /* (rows, pixels) of the current chunk */
	size_t room;            /* capacity of p in rows */
	float *p;               /* (room, columns) */
	float *out;             /* (BATCH, outputs of a model) */
	float *mirrored;        /* the same of mirror images, or NULL */
	int sizes, size[SIZES]; /* of batches so far */
};

/* -- opening ----------------------------------------------------------------------- */

static int check_fit(const struct kf_model *m, const struct kf_model *first,
	const struct kf_schema *in, struct kf_err *err)
{
	if (m->c != in->c || m->h != in->h || m->w != in->w)
		return kf_fail(err,
			"the model is for images of %d x %d x %d, and the "
			"stream has %d x %d x %d",
			m->c, m->h, m->w, in->c, in->h, in->w);
	if (memcmp(&m->x_scale, &in->x_scale, sizeof m->x_scale))
		return kf_fail(err,
			"the images are not scaled as the model wants them");
	if (m->classify != first->classify)
		return kf_fail(err, "one model classifies, another does not");
	if (in->columns.n && !m->classify &&
		memcmp(m->y_scale, in->y_scale, sizeof m->y_scale))
		return kf_fail(err, "the targets are not scaled as the model's");
	if (in->p_columns.n && memcmp(m->y_scale, in->p_scale, sizeof m->y_scale))
		return kf_fail(err, "the predictions are not scaled as the model's");
	if (memcmp(m->y_scale, first->y_scale, sizeof m->y_scale))
		return kf_fail(err, "the models' outputs are not scaled alike");
	return 0;
}

/* Gives out the names of the model's classes, or compares them with those it has. */
static int name_classes(const struct kf_model *m, struct kf_schema *out,
	struct kf_err *err)
{
	const struct kf_names *a = &out->class_names, *b = &m->class_names;
	int i = 0;

	if (!b->n)
		return 0;
	if (!a->n && out->classes > b->n)
		return kf_fail(err, "the stream has %d classes, the model %d",
			out->classes, b->n);
	if (!a->n) {
		out->classes = b->n;
		return kf_names_copy(&out->class_names, b) < 0 ? kf_fail_memory(err) :
								 0;
	}
	if (a->n != b->n)
		return kf_fail(err,
			"there are names of %d classes, and the model has %d", a->n,
			b->n);
	while (i < a->n && !strcmp(a->name[i], b->name[i]))
		i++;
	return i == a->n ?
		0 :
		kf_fail(err, "class %d is '%.200s', and the model's '%.200s'", i,
			a->name[i], b->name[i]);
}

/* Adds the model's columns to out, and records which column each output goes to. */
static int map_columns(struct kf_predictor *p, struct member *t,
	const struct kf_model *m, struct kf_schema *out, struct kf_err *err)
{
	t->column = calloc((size_t)m->columns.n, sizeof *t->column);
	if (!t->column)
		return kf_fail_memory(err);
	for (int j = 0; j < m->columns.n; j++) {
		int at = kf_names_find(&out->p_columns, m->columns.name[j]);

		if (at >= 0 && at < p->kept)
			return kf_fail(err,
				"the stream has predictions of '%s' already",
				m->columns.name[j]);
		if (at < 0) {
			at = out->p_columns.n;
			if (kf_names_add(&out->p_columns, m->columns.name[j]) < 0)
				return kf_fail_memory(err);
		}
		t->column[j] = at;
	}
	return 0;
}

static int open_member(struct kf_predictor *p, struct member *t,
	const struct kf_model *m, struct kf_err *err)
{
	t->classify = m->classify;
	return kf_model_net_open(&t->of, p->b, m, false, err);
}

static int open_members(struct kf_predictor *p, const struct kf_model *models,
	const struct kf_schema *in, struct kf_schema *out, struct kf_err *err)
{
	int outputs = 0;

	for (int i = 0; i < p->n; i++) {
		const struct kf_model *m = &models[i];

		if (check_fit(m, &models[0], in, err) < 0 ||
			name_classes(m, out, err) < 0 ||
			map_columns(p, &p->member[i], m, out, err) < 0 ||
			open_member(p, &p->member[i], m, err) < 0)
			return -1;
		if (m->columns.n > outputs)
			outputs = m->columns.n;
	}
	p->columns = out->p_columns.n;
	p->out = malloc(BATCH * (size_t)outputs * sizeof *p->out);
	p->votes = calloc((size_t)p->columns, sizeof *p->votes);
	if (!p->out || !p->votes)
		return kf_fail_memory(err);
	for (int i = 0; i < p->n; i++)
		for (int j = 0; j < models[i].columns.n; j++)
			p->votes[p->member[i].column[j]]++;
	return 0;
}

struct kf_predictor *kf_predictor_open(struct kf_backend *b,
	const struct kf_model *models, int n, const struct kf_schema *in,
	struct kf_schema *out, struct kf_err *err)
{
	struct kf_predictor *p;

	if (kf_check_scaled(in, err) < 0)
		return NULL;
	p = calloc(1, sizeof *p);
	if (!p || !(p->member = calloc((size_t)n, sizeof *p->member))) {
		kf_fail_memory(err);
		free(p);
		return NULL;
	}
	p->b = b;
	p->n = n;
	if (kf_schema_copy(out, in, err) < 0) {
		kf_predictor_close(p);
		return NULL;
	}
	p->kept = in->p_columns.n;
	p->dtype = in->dtype;
	p->pixels = kf_image_pixels(in);
	memcpy(out->p_scale, models[0].y_scale, sizeof out->p_scale);
	if (open_members(p, models, in, out, err) < 0) {
		kf_schema_free(out);
		kf_predictor_close(p);
		return NULL;
	}
	return p;
}

void kf_predictor_close(struct kf_predictor *p)
{
	if (!p)
		return;
	for (int i = 0; i < p->n; i++) {
		kf_model_net_close(&p->member[i].of);
		free(p->member[i].column);
		kf_mirror_mean_close(&p->member[i].mirror);
	}
	p->b->op->free(p->b, p->images);
	free(p->member);
	free(p->votes);
	free(p->p);
	free(p->out);
	free(p->mirrored);
	free(p);
}

/* -- mirror images ----------------------------------------------------------------- */

int kf_predictor_flip(struct kf_predictor *p, const struct kf_model *models,
	struct kf_err *err)
{
	int outputs = 0;

	for (int i = 0; i < p->n; i++) {
		if (kf_mirror_mean_open(&p->member[i].mirror, &models[i], err) < 0)
			return -1;
		if (models[i].columns.n > outputs)
			outputs = models[i].columns.n;
	}
	p->mirrored = malloc(BATCH * (size_t)outputs * sizeof *p->mirrored);
	return p->mirrored ? 0 : kf_fail_memory(err);
}

struct kf_flip_sum kf_predictor_sum(const struct kf_predictor *p, int i)
{
	return kf_mirror_mean_sum(&p->member[i].mirror);
}

/* -- running ----------------------------------------------------------------------- */

static int make_room(struct kf_predictor *p, size_t n, struct kf_err *err)
{
	float *q;

	if (n <= p->room)
		return 0;
	q = realloc(p->p, n * (size_t)p->columns * sizeof *q);
	if (!q)
		return kf_fail(err, "out of memory for %zu rows", n);
	p->p = q;
	p->room = n;
	return 0;
}

/* outputs (n, m) become the softmax of each row, in place */
static void softmax(float *outputs, int n, int m)
{
	for (int i = 0; i < n; i++) {
		float *row = outputs + i * m, largest = row[0];
		double sum = 0;

		for (int j = 1; j < m; j++)
			largest = row[j] > largest ? row[j] : largest;
		for (int j = 0; j < m; j++)
			sum += exp(row[j] - largest);
		for (int j = 0; j < m; j++)
			row[j] = (float)(exp(row[j] - largest) / sum);
	}
}

/* The model's outputs for n rows from `first` on, warped unless warps is NULL. */
static int run_net(struct kf_predictor *p, struct member *t, uint32_t first, int n,
	const struct kf_warp *warps, float *out, struct kf_err *err)
{
	static const struct kf_pass pass = { .train = false };
	struct kf_act *act;
	uint32_t rows[BATCH] = { 0 };

	for (int i = 0; i < n; i++)
		rows[i] = first + (uint32_t)i;
	act = kf_net_forward(&t->of.net, p->images, rows, warps, n, &pass, err);
	if (!act)
		return -1;
	p->b->op->read_act(p->b, act, out);
	return 0;
}

static int flip_outputs(struct kf_predictor *p, struct member *t, uint32_t first, int n,
	struct kf_err *err)
{
	struct kf_warp warps[BATCH];
	int m = t->of.layers.outputs;

	for (int i = 0; i < BATCH; i++)
		warps[i] = kf_mirror_warp(t->of.layers.w);
	if (run_net(p, t, first, n, warps, p->mirrored, err) < 0)
		return -1;
	for (int i = 0; i < n; i++)
		kf_mirror_mean_row(&t->mirror, p->out + i * m, p->mirrored + i * m);
	return 0;
}

/* Adds a model's share of the mean to its columns, for n rows from `first` on. */
static int add_outputs(struct kf_predictor *p, struct member *t, uint32_t first, int n,
	struct kf_err *err)
{
	int m = t->of.layers.outputs;

	if (run_net(p, t, first, n, NULL, p->out, err) < 0 ||
		(p->mirrored && flip_outputs(p, t, first, n, err) < 0))
		return -1;
	if (t->classify)
		softmax(p->out, n, m);
	for (int i = 0; i < n; i++)
		for (int j = 0; j < m; j++)
			p->p[(first + (size_t)i) * (size_t)p->columns +
				(size_t)t->column[j]] +=
				p->out[i * m + j] / (float)p->votes[t->column[j]];
	return 0;
}

/*
 * The size of the next batch when this many rows are left.  A net keeps plans and
 * memory for each size.  All chunks of a file but the last have the same length, while
 * those of a live source have any: after the first few sizes, only powers of two are
 * added.
 */
static int batch_size(struct kf_predictor *p, size_t left)
{
	int n = left < BATCH ? (int)left : BATCH;

	for (int i = 0; i < p->sizes; i++)
		if (p->size[i] == n)
			return n;
	if (p->sizes < SIZES) {
		p->size[p->sizes++] = n;
		return n;
	}
	for (n = BATCH; (size_t)n > left;)
		n /= 2;
	return n;
}

int kf_predictor_run(struct kf_predictor *p, const struct kf_chunk *from,
	struct kf_chunk *to, struct kf_err *err)
{
	size_t columns = (size_t)p->columns, kept = (size_t)p->kept;
	int n;

	if (make_room(p, from->n, err) < 0)
		return -1;
	memset(p->p, 0, from->n * columns * sizeof *p->p);
	for (size_t i = 0; i < from->n; i++)
		for (size_t j = 0; j < kept; j++)
			p->p[i * columns + j] = from->p[i * kept + j];
	p->images =
		p->b->op->show(p->b, p->images, from->X, p->dtype, from->n * p->pixels);
	if (!p->images)
		return p->b->op->sync(p->b, err);
	for (int k = 0; k < p->n; k++)
		for (size_t at = 0; at < from->n; at += (size_t)n) {
			n = batch_size(p, from->n - at);
			if (add_outputs(p, &p->member[k], (uint32_t)at, n, err) < 0)
				return -1;
		}
	*to = *from;
	to->p = p->p;
	return p->b->op->sync(p->b, err);
}
