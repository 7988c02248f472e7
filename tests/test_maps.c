/*
 * Maps of images: occlusion against predictions for images in which a square is hidden,
 * saliency against differences of predictions, activations against a first layer in double
 * precision.
 */
#define _GNU_SOURCE
#include "train/maps.h"

#include "backend_test.h"
#include "reference.h"
#include "train/predict.h"

enum { ROWS = 3, C = 2, H = 11, W = 12, AREA = H * W, PIXELS = C * AREA, OUTPUTS = 4 };

/* Of predictions; the stream has them in another order, and one more. */
static const char *const predicted[OUTPUTS] = { "a_x", "a_y", "b_x", "b_y" };
static const char *const present[] = { "b_y", "c_x", "a_x", "b_x", "a_y" };
static const int place[OUTPUTS] = { 2, 4, 3, 0 };
enum { COLUMNS = 5 };

static const double pixels_of[2] = { 6, 5.5 }; /* of x and y */

/* A model, and rows that it fits: targets, some, or none. */
struct sample {
	struct kf_model model;
	struct kf_layers layers;
	float *weights;
	struct kf_schema schema;
	struct kf_chunk rows;
};

static void set_params(struct sample *s)
{
	struct kf_layers *l = &s->layers;

	s->weights = parameters(l, 3);
	for (size_t i = 0; i < l->learned; i++)
		s->weights[i] *= 0.5f;
	s->model.n = l->n_params;
	s->model.param = calloc((size_t)l->n_params, sizeof *s->model.param);
	for (int i = 0; i < l->n_params; i++) {
		const struct kf_param *p = &l->param[i];

		s->model.param[i] = kf_tensor(p->name, KF_F32, p->rank, p->shape);
		s->model.param[i].data = s->weights + p->offset;
	}
}

static void set_rows(struct sample *s)
{
	struct kf_chunk *c = &s->rows;
	struct kf_err err;

	kf_chunk_reserve(c, &s->schema, ROWS, &err);
	c->n = ROWS;
	kf_rng_fill_uniform(c->X, ROWS * PIXELS, 0.5f, 7, KF_RNG_SYNTH, 4, 0);
	for (size_t i = 0; i < ROWS * PIXELS; i++)
		((float *)c->X)[i] += 0.5f;
	kf_rng_fill_uniform(c->y, ROWS * COLUMNS, 1, 7, KF_RNG_SYNTH, 5, 0);
	for (int i = 0; i < ROWS; i++) {
		c->id[i] = i + 1;
		if (s->schema.has_label)
			c->label[i] = i == 2 ? -1 : i;
	}
	c->y[COLUMNS + place[2]] = NAN;
	for (int j = 0; j < OUTPUTS; j++)
		c->y[2 * COLUMNS + place[j]] = NAN;
}

static void open_sample(struct sample *s, const char *line, bool classify)
{
	struct kf_err err;
	struct kf_scale scale[2] = { { 5, (float)pixels_of[0] },
		{ 4, (float)pixels_of[1] } };

	*s = (struct sample){ .model = { .net = strdup(line),
				      .c = C,
				      .h = H,
				      .w = W,
				      .x_scale = kf_pixel_scale,
				      .classify = classify },
		.schema = { .dtype = KF_F32,
			.c = C,
			.h = H,
			.w = W,
			.x_scale = kf_pixel_scale,
			.has_label = classify } };
	memcpy(s->schema.y_scale, scale, sizeof scale);
	if (!classify)
		memcpy(s->model.y_scale, scale, sizeof scale);
	for (int j = 0; j < COLUMNS; j++)
		kf_names_add(&s->schema.columns, present[j]);
	for (int j = 0; j < OUTPUTS; j++) {
		char class[20];

		snprintf(class, sizeof class, "class_%d", j);
		kf_names_add(&s->model.columns, classify ? class : predicted[j]);
	}
	if (kf_layers_parse(&s->layers, line, C, H, W, OUTPUTS, &err) < 0) {
		note("%s", err.msg);
		exit(1);
	}
	set_params(s);
	set_rows(s);
}

static void close_sample(struct sample *s)
{
	free(s->model.param);
	s->model.param = NULL;
	s->model.n = 0;
	kf_model_free(&s->model);
	kf_layers_free(&s->layers);
	kf_schema_free(&s->schema);
	kf_chunk_free(&s->rows);
	free(s->weights);
}

/* What is predicted for n images: (n, OUTPUTS), which the caller frees. */
static double *predict(const struct sample *s, float *X, size_t n)
{
	struct kf_schema in = s->schema, out;
	struct kf_chunk rows = { .n = n, .X = X }, with;
	struct kf_err err;
	struct kf_predictor *p;
	double *got = NULL;

	in.columns = (struct kf_names){ 0 };
	in.has_label = false;
	p = kf_predictor_open(b, &s->model, 1, &in, &out, &err);
	if (p && kf_predictor_run(p, &rows, &with, &err) == 0)
		got = widen(with.p, n * OUTPUTS);
	if (!got) {
		note("%s", err.msg);
		exit(1);
	}
	kf_schema_free(&out);
	kf_predictor_close(p);
	return got;
}

/* The maps (ROWS, map), which the caller frees; NULL on failure. */
static float *map_rows(struct sample *s, const struct kf_map_options *o)
{
	struct kf_err err = { .msg = "" };
	struct kf_mapper *p = kf_mapper_open(b, &s->model, o, &s->schema, &err);
	size_t n = ROWS * kf_map_values(&s->schema) * sizeof(float);
	float *map = NULL;

	if (p && kf_mapper_run(p, &s->rows, &err) == 0) {
		map = malloc(n);
		memcpy(map, s->rows.map, n);
	}
	if (!ok(map != NULL, "'%s' is mapped %s", s->model.net, err.msg))
		exit(1);
	s->rows.map = NULL;
	kf_mapper_close(p);
	return map;
}

/* -- errors ------------------------------------------------------------------------- */

static int best(const double *p)
{
	int k = 0;

	for (int j = 1; j < OUTPUTS; j++)
		if (p[j] > p[k])
			k = j;
	return k;
}

/* The error of predictions p for a row; plain are those for its whole image. */
static double error_of(const struct sample *s, int row, const double *p,
	const double *plain)
{
	const float *y = s->rows.y + row * COLUMNS;
	double sum = 0;
	int n = 0;

	if (s->model.classify)
		return -log(p[row == 2 ? best(plain) : row]);
	for (int j = 0; j < OUTPUTS; j++) {
		double t = row == 2 ? plain[j] : y[place[j]];

		if (isnan(t))
			continue;
		sum += pow((p[j] - t) * pixels_of[j % 2], 2);
		n++;
	}
	return sqrt(sum / n);
}

/* -- occlusion ---------------------------------------------------------------------- */

/* The image of a row with the square around the cell that begins at (left, top) hidden. */
static void hide(const struct sample *s, int row, int left, int top,
	const struct kf_map_options *o, float *X)
{
	int before = (o->side - o->step) / 2;

	memcpy(X, (float *)s->rows.X + row * PIXELS, PIXELS * sizeof *X);
	for (int c = 0; c < C; c++)
		for (int y = top - before; y < top - before + o->side; y++)
			for (int x = left - before; x < left - before + o->side; x++)
				if (x >= 0 && x < W && y >= 0 && y < H)
					X[c * AREA + y * W + x] = 0.5f;
}

/* The map of a row that follows from predictions. */
static void occlude(const struct sample *s, int row, const struct kf_map_options *o,
	double *map)
{
	float X[PIXELS];
	double *plain = predict(s, (float *)s->rows.X + row * PIXELS, 1);

	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++) {
			double *p;

			hide(s, row, x / o->step * o->step, y / o->step * o->step, o,
				X);
			p = predict(s, X, 1);
			map[y * W + x] = error_of(s, row, p, plain);
			free(p);
		}
	free(plain);
}

static void test_occlusion(const char *line, bool classify, int side, int step)
{
	const struct kf_map_options o = { KF_OCCLUSION, side, step };
	double want[AREA];
	struct sample s;
	float *got;

	open_sample(&s, line, classify);
	got = map_rows(&s, &o);
	ok(s.schema.map[0] == 1 && s.schema.map[1] == H && s.schema.map[2] == W,
		"it has the image's size");
	for (int row = 0; row < ROWS; row++) {
		occlude(&s, row, &o, want);
		ok(similar(got + row * AREA, want, AREA, 1e-4, 1e-3),
			"row %d, squares of %d in steps of %d", row, side, step);
	}
	free(got);
	close_sample(&s);
}

/* -- saliency ----------------------------------------------------------------------- */

#define DELTA 0.01

/* The slope at pixel i, from predictions for the image with that pixel darker (p) and
 * lighter (p + OUTPUTS). */
static double slope_at(const struct sample *s, int row, const double *p,
	const double *plain)
{
	double sum = 0;

	if (s->model.classify || row < 2)
		return fabs(error_of(s, row, p + OUTPUTS, plain) -
			       error_of(s, row, p, plain)) /
			(2 * DELTA);
	for (int j = 0; j < OUTPUTS; j++)
		sum += pow((p[OUTPUTS + j] - p[j]) / (2 * DELTA) * pixels_of[j % 2], 2);
	return sqrt(sum / OUTPUTS);
}

static void find_slopes(const struct sample *s, int row, double *map)
{
	const float *whole = (float *)s->rows.X + row * PIXELS;
	double *plain = predict(s, (float *)s->rows.X + row * PIXELS, 1);
	float X[2 * PIXELS];

	memset(map, 0, AREA * sizeof *map);
	for (int i = 0; i < PIXELS; i++) {
		double *p;

		memcpy(X, whole, PIXELS * sizeof *X);
		memcpy(X + PIXELS, whole, PIXELS * sizeof *X);
		X[i] -= (float)DELTA;
		X[PIXELS + i] += (float)DELTA;
		p = predict(s, X, 2);
		map[i % AREA] = fmax(map[i % AREA], slope_at(s, row, p, plain));
		free(p);
	}
	free(plain);
}

static void test_saliency(const char *line, bool classify)
{
	const struct kf_map_options o = { .kind = KF_SALIENCY };
	double want[AREA];
	struct sample s;
	float *got;

	open_sample(&s, line, classify);
	got = map_rows(&s, &o);
	ok(s.schema.map[0] == 1 && s.schema.map[1] == H && s.schema.map[2] == W,
		"it has the image's size");
	for (int row = 0; row < ROWS; row++) {
		find_slopes(&s, row, want);
		ok(similar(got + row * AREA, want, AREA, 5e-3, 1e-3),
			"slopes of row %d", row);
	}
	free(got);
	close_sample(&s);
}

/* A row whose error is 0 has no slope, rather than one that is no number. */
static void test_no_error(void)
{
	const struct kf_map_options o = { .kind = KF_SALIENCY };
	struct sample s;
	double *p;
	float *got;
	bool flat = true;

	open_sample(&s, "dense4", false);
	memset(s.weights, 0, s.layers.floats * sizeof *s.weights);
	p = predict(&s, s.rows.X, 1);
	for (int j = 0; j < OUTPUTS; j++)
		s.rows.y[place[j]] = (float)p[j];
	got = map_rows(&s, &o);
	for (int i = 0; i < AREA; i++)
		flat &= got[i] == 0;
	ok(flat, "a row without an error has no slope");
	free(p), free(got);
	close_sample(&s);
}

/* -- activations -------------------------------------------------------------------- */

/* Those of `layers` layers of the net, of which all but the first are folded into it. */
static void test_activations(const char *line, int first, int layers)
{
	const struct kf_map_options o = { .kind = KF_ACTIVATIONS };
	struct kf_pass pass = { .train = false };
	double *y[8], *weights;
	struct sample s;
	size_t n = 0;
	float *got;

	open_sample(&s, line, false);
	got = map_rows(&s, &o);
	weights = widen(s.weights, s.layers.floats);
	y[0] = widen(s.rows.X, ROWS * PIXELS);
	for (int i = 0; i < layers; i++) {
		struct reference r = make_reference(&s.layers, i, ROWS, weights, &pass);

		r.x = y[i];
		n = outputs(&r);
		y[i + 1] = zeros(n);
		reference_forward(&r, y[i + 1]);
	}
	ok(!memcmp(s.schema.map, s.layers.layer[first].out, sizeof s.schema.map) &&
			n == ROWS * kf_map_values(&s.schema),
		"it has the layer's size");
	ok(similar(got, y[layers], n, 1e-5, 1e-30), "values");
	for (int i = 0; i <= layers; i++)
		free(y[i]);
	free(weights), free(got);
	close_sample(&s);
}

int main(void)
{
	struct kf_err err;

	b = kf_backend_open("auto", NULL, &err);
	if (!ok(b != NULL, "a backend opens"))
		return note("%s", err.msg), done_testing();
	test_occlusion("dense9 tanh dense", false, 4, 4);
	test_occlusion("conv5x3 batchnorm relu pool2 drop.5 dense", false, 5, 3);
	test_occlusion("conv5x3 relu pool2 dense", false, 3, 1);
	test_occlusion("dense9 tanh dense", true, 20, 7);
	test_saliency("dense9 tanh drop.5 dense", false);
	test_saliency("conv17x3 batchnorm tanh avgpool2 drop.2 dense", false);
	test_saliency("conv5x2p1s2 tanh batchnorm res maps softargmax", false);
	test_saliency("batchnorm conv5x3 tanh dense7 sigmoid dense", true);
	test_no_error();
	test_activations("dense9 tanh dense", 0, 1);
	test_activations("conv5x3 batchnorm relu pool2 dense", 0, 2);
	test_activations("pool2 conv17x3p1s2 leakyrelu dense", 1, 2);
	ok(healthy(), "nothing has failed");
	b->op->close(b);
	return done_testing();
}
