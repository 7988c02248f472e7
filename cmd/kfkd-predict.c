/* kfkd-predict: adds the predictions of models to a stream. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "device.h"
#include "train/maps.h"
#include "train/predict.h"

/* What a sum may differ by from what it should be: pixels, and standard errors. */
#define SUM_OFF 0.25
#define SUM_ERRORS 3

#define SIDE_MAX 16384 /* of a square that hides a part */

enum { FLIP = DEVICE_KEYS_END, NO_IMAGES, OCCLUSION, SALIENCY, ACTIVATIONS };

static const struct program program = {
	.name = "kfkd-predict",
	.synopsis = { "-m MODEL [-m MODEL ...] [OPTION ...] [FILE]" },
	.about = "Adds predictions to a scaled tensor stream.  Several models are joined, and\n"
		 "averaged where they predict the same column.",
	.rows = {
		{ 'm', "model", "MODEL", "a model that kfkd-train wrote",
			.kind = OPTION_FILE },
		{ FLIP, "flip",
			.help = "average with the predictions for mirror images" },
		{ NO_IMAGES, "no-images", .help = "do not pass the images on" },
		{ OCCLUSION, "occlusion", "N[:STEP]",
			"add a map to each image: the error as a square of N x N is\n"
			"hidden, in steps of N / 2 or STEP",
			.kind = OPTION_TEXT },
		{ SALIENCY, "saliency",
			.help = "add a map of the size of the error's derivative by each pixel" },
		{ ACTIVATIONS, "activations",
			.help = "add a map of what the model's first layer gives" },
		{ BACKEND_ROW },
		{ THREADS_ROW },
		{ TF32_ROW },
		{ BF16_ROW },
	},
};

/* The models given so far. */
struct models {
	int n;
	struct kf_model *model;
	const char **name;
};

static void add_model(struct models *m, const char *path)
{
	struct kf_err err;
	const char *name;
	int fd = cli_open(path, &name);

	m->model = realloc(m->model, (size_t)(m->n + 1) * sizeof *m->model);
	must_alloc(m->model);
	m->name = realloc(m->name, (size_t)(m->n + 1) * sizeof *m->name);
	must_alloc(m->name);
	m->name[m->n] = name;
	check(kf_model_read(&m->model[m->n], fd, name, NULL, &err), &err);
	m->n++;
	if (fd != STDIN_FILENO)
		close(fd);
}

/* The labels of a data set may lie beside the pixels that they mean, as where the first
 * pixel's centre is 1. */
static void warn_of_sums(const struct kf_predictor *p, const struct models *m)
{
	for (int i = 0; i < m->n; i++) {
		struct kf_flip_sum s = kf_predictor_sum(p, i);

		if (fabs(s.found - s.used) > SUM_OFF + SUM_ERRORS * s.error)
			warn("'%s': x in a face and in its mirror image add up to %.1f on "
			     "average, not %g; if it has learnt enough, the labels are "
			     "so: train with --augment flip:auto",
				m->name[i], s.found, s.used);
	}
}

/* A failure to write images that are no longer there is not the output's. */
static void pass_on(struct kf_writer *out, const struct kf_chunk *c,
	const struct kf_reader *in)
{
	struct kf_err err, lost;
	int rc = kf_writer_write(out, c, &err);

	check(kf_reader_intact(in, &lost), &lost);
	check(rc, &err);
}

static void set_map(struct kf_map_options *o, enum kf_map_kind kind)
{
	if (o->kind != KF_NO_MAP && o->kind != kind)
		misuse("only one of --occlusion, --saliency and --activations can be "
		       "given");
	o->kind = kind;
}

/* "8" or "8:2" */
static void parse_occlusion(struct kf_map_options *o, const char *text)
{
	char *end;
	long side = strtol(text, &end, 10), step = (side + 1) / 2;
	const char *second = *end == ':' ? end + 1 : NULL;

	if (second)
		step = strtol(second, &end, 10);
	if (strspn(text, "0123456789:") != strlen(text) || *end || side < 1 ||
		side > SIDE_MAX || step < 1 || step > side)
		misuse("--occlusion: '%s' is not the side of a square such as 12, or "
		       "12:4 with a step of at most that",
			text);
	set_map(o, KF_OCCLUSION);
	o->side = (int)side;
	o->step = (int)step;
}

static struct kf_mapper *open_mapper(struct kf_backend *b, const struct kf_model *m,
	const struct kf_map_options *o, struct kf_schema *schema)
{
	struct kf_err err;
	struct kf_mapper *mapper = kf_mapper_open(b, m, o, schema, &err);

	must(mapper, &err);
	return mapper;
}

/* Gives the rows their maps, in pieces that are no larger than other chunks. */
static void add_maps(struct kf_mapper *mapper, struct kf_writer *out,
	const struct kf_schema *schema, const struct kf_chunk *c,
	const struct kf_reader *in)
{
	struct kf_chunk part;
	struct kf_err err;

	for (size_t at = 0; at < c->n; at += part.n) {
		size_t left = c->n - at, full = kf_chunk_rows(schema);

		part = kf_chunk_part(c, schema, at, left < full ? left : full);
		check(kf_mapper_run(mapper, &part, &err), &err);
		check(kf_reader_intact(in, &err), &err);
		pass_on(out, &part, in);
	}
}

int main(int argc, char **argv)
{
	struct device device = { .backend = "auto" };
	struct options o;
	struct models models = { 0 };
	struct kf_map_options map = { 0 };
	struct kf_mapper *mapper = NULL;
	struct kf_schema schema;
	struct kf_backend *b;
	struct kf_predictor *p;
	struct kf_reader *in;
	struct kf_writer *out;
	struct kf_chunk *chunk, predicted;
	struct kf_err err;
	bool flip = false, no_images = false;
	int key;

	options_begin(&o, &program, argc, argv);
	while ((key = options_next(&o)))
		if (key == 'm')
			add_model(&models, o.text);
		else if (key == FLIP)
			flip = true;
		else if (key == NO_IMAGES)
			no_images = true;
		else if (key == OCCLUSION)
			parse_occlusion(&map, o.text);
		else if (key == SALIENCY)
			set_map(&map, KF_SALIENCY);
		else if (key == ACTIVATIONS)
			set_map(&map, KF_ACTIVATIONS);
		else
			device_option(&device, key, &o);
	if (models.n == 0)
		misuse("no --model is given");
	if (map.kind != KF_NO_MAP && (models.n > 1 || flip))
		misuse("maps are of one model%s", flip ? ", without --flip" : "");
	output_keep_apart();
	in = cli_eager_reader(&o);
	b = kf_backend_open(device.backend, &device.options, &err);
	must(b, &err);
	p = kf_predictor_open(b, models.model, models.n, kf_reader_schema(in), &schema,
		&err);
	must(p, &err);
	if (flip)
		check(kf_predictor_flip(p, models.model, &err), &err);
	if (map.kind != KF_NO_MAP)
		mapper = open_mapper(b, &models.model[0], &map, &schema);
	for (int i = 0; i < models.n; i++)
		kf_model_free(&models.model[i]);
	free(models.model);
	schema.no_images = no_images;
	output_begin(o.output);
	out = cli_writer(&schema);
	while ((chunk = cli_next(in))) {
		check(kf_predictor_run(p, chunk, &predicted, &err), &err);
		check(kf_reader_intact(in, &err), &err);
		if (mapper)
			add_maps(mapper, out, &schema, &predicted, in);
		else
			pass_on(out, &predicted, in);
	}
	cli_end(out);
	if (flip)
		warn_of_sums(p, &models);
	free(models.name);
	kf_mapper_close(mapper);
	kf_predictor_close(p);
	b->op->close(b);
	kf_schema_free(&schema);
	kf_reader_close(in);
	return output_finish();
}
