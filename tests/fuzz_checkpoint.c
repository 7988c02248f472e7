/*
 * Reads checkpoints, damaged ones too, of one small run; an epoch follows each that is
 * accepted.  As a plain program:
 *
 *     fuzz_checkpoint FILE ...       reads them
 *     fuzz_checkpoint -w FILE        writes one, after half an epoch
 *
 * The CPU backend's plugin is looked for as programs do: see KFKD_PLUGINS.
 */
#define _GNU_SOURCE
#define FUZZ_OWN_MAIN
#define FUZZ_SAFETENSORS
#include "fuzz.h"

#include "net/layers_parse.h"
#include "no_leak_check.h"
#include "train/checkpoint.h"

#define ROWS 12
#define PIXELS 16
#define EPOCHS 3

/* A run, which lives as long as the program. */
static struct kf_net net;
static struct kf_layers layers;
static struct kf_trainer trainer;
static struct kf_model model;

static struct kf_dataset make_data(void)
{
	struct kf_dataset d = { .n = ROWS, .m = 2 };
	float *X;

	d.schema = (struct kf_schema){ .dtype = KF_F32, .c = 1, .h = 4, .w = 4 };
	kf_names_add(&d.schema.columns, "a_x");
	kf_names_add(&d.schema.columns, "a_y");
	X = d.X = malloc(sizeof *X * ROWS * PIXELS);
	d.y = malloc(sizeof *d.y * ROWS * 2);
	for (int i = 0; i < ROWS * PIXELS; i++)
		X[i] = (float)(i % 7) / 7;
	for (int i = 0; i < ROWS * 2; i++)
		d.y[i] = (float)(i % 5) / 5;
	return d;
}

static void start(void)
{
	static const struct kf_train_options options = { .rule = KF_ADAM,
		.rate = { .from = .001, .to = .001 },
		.epochs = EPOCHS,
		.batch = 4,
		.valid = .2,
		.shuffle = true,
		.patience = 2 };
	static const struct kf_backend_options one_thread = { .threads = 1 };
	struct kf_dataset data = make_data();
	struct kf_backend *b;
	struct kf_err err;

	if (!(b = kf_backend_open("cpu", &one_thread, &err)) ||
		kf_layers_parse(&layers, "dense3 relu dense", 1, 4, 4, 2, &err) < 0 ||
		kf_net_open(&net, b, &layers, &err) < 0 ||
		kf_net_init(&net, 42, &err) < 0 ||
		kf_trainer_open(&trainer, &net, &data, &options, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		exit(1);
	}
	model = (struct kf_model){ .net = layers.line, .c = 1, .h = 4, .w = 4 };
	kf_names_add(&model.columns, "a_x");
	kf_names_add(&model.columns, "a_y");
	model.x_scale = (struct kf_scale){ 0, 255 };
	model.y_scale[0] = model.y_scale[1] = (struct kf_scale){ 2, 2 };
	model.train_loss = calloc(EPOCHS + 1, sizeof(float));
	model.valid_loss = calloc(EPOCHS + 1, sizeof(float));
	kf_model_note(&model, "epochs", "%d", EPOCHS);
}

static bool never(void)
{
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct kf_epoch e;
	struct kf_err err;
	char path[64];

	if (!net.b)
		start();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fuzz_file(data, n));
	if (kf_checkpoint_read(path, &trainer, &model, 0, &err) == 0)
		kf_trainer_epoch(&trainer, &e, never, &err);
	return 0;
}

#ifndef KF_LIBFUZZER

/* After the first epoch and one batch. */
static bool in_second_epoch(void)
{
	return trainer.epoch == 1 && trainer.batches > 0;
}

static void write_checkpoint(const char *path)
{
	struct kf_checkpoint c;
	struct kf_epoch e;
	struct kf_err err;

	start();
	while (kf_trainer_epoch(&trainer, &e, in_second_epoch, &err) == 1) {
		model.train_loss[model.epochs] = e.train_loss;
		model.valid_loss[model.epochs++] = e.valid_loss;
	}
	if (kf_checkpoint_open(&c, path, NULL, true, &err) < 0 ||
		kf_checkpoint_write(&c, &trainer, &model, 0, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		exit(1);
	}
	kf_checkpoint_close(&c);
}

int main(int argc, char **argv)
{
	if (argc != 3 || strcmp(argv[1], "-w"))
		return fuzz_replay(argc, argv);
	write_checkpoint(argv[2]);
	return 0;
}

#endif
