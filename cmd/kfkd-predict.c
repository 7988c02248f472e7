/* kfkd-predict: adds the predictions of models to a stream. */
#include <stdlib.h>
#include <unistd.h>

#include "cli.h"
#include "train/predict.h"

static const char usage[] =
	"usage: kfkd-predict -m MODEL [-m MODEL ...] [OPTION ...] [FILE]\n"
	"Adds predictions to a scaled tensor stream.  Several models are joined, and\n"
	"averaged where they predict the same column.\n"
	"  -m, --model MODEL      a model that kfkd-train wrote\n"
	"  -b, --backend BACKEND  cpu, cuda, or auto: cuda where it can run (auto)\n"
	"  -t, --threads N        at most N threads (as many as processors)\n"
	"      --tf32             cuda: products faster, rounded to 10 bits\n"
	"  -o, --output OUT       write to OUT, which appears when it is whole\n"
	"  -h, --help             print this\n"
	"  -V, --version          print the version\n";

enum { TF32 = 256 }; /* an option without a letter */

static const struct option options[] = { { "model", required_argument, NULL, 'm' },
	{ "backend", required_argument, NULL, 'b' },
	{ "threads", required_argument, NULL, 't' },
	{ "tf32", no_argument, NULL, TF32 }, { "output", required_argument, NULL, 'o' },
	CLI_LONG };

/* The models, one after another. */
struct models {
	int n;
	struct kf_model *model;
};

static void add_model(struct models *m, const char *path)
{
	struct kf_err err;
	const char *name;
	int fd = cli_open(path, &name);

	m->model = realloc(m->model, (size_t)(m->n + 1) * sizeof *m->model);
	if (!m->model)
		die("out of memory");
	if (kf_model_read(&m->model[m->n], fd, name, NULL, &err) < 0)
		die("%s", err.msg);
	m->n++;
	if (fd != STDIN_FILENO)
		close(fd);
}

int main(int argc, char **argv)
{
	const char *output = NULL, *backend = "auto";
	struct models models = { 0 };
	struct kf_schema schema;
	struct kf_backend *b;
	struct kf_predictor *p;
	struct kf_reader *in;
	struct kf_writer *out;
	struct kf_chunk *chunk, predicted;
	struct kf_err err;
	struct kf_backend_options device = { 0 };
	int c;

	cli_init(argv, usage);
	while ((c = getopt_long(argc, argv, CLI_SHORT "m:b:t:o:", options, NULL)) != -1)
		if (c == 'm')
			add_model(&models, optarg);
		else if (c == 'b')
			backend = optarg;
		else if (c == 't')
			device.threads = (int)cli_int("--threads", optarg, 1, 1024);
		else if (c == TF32)
			device.tf32 = true;
		else if (c == 'o')
			output = optarg;
		else
			cli_option(c);
	if (models.n == 0)
		misuse("no --model is given");
	in = cli_reader(argc, argv);
	b = kf_backend_open(backend, &device, &err);
	if (!b)
		die("%s", err.msg);
	p = kf_predictor_open(b, models.model, models.n, kf_reader_schema(in), &schema,
		&err);
	if (!p)
		die("%s", err.msg);
	for (int i = 0; i < models.n; i++)
		kf_model_free(&models.model[i]);
	free(models.model);
	cli_output(output);
	out = cli_writer(&schema);
	while ((chunk = cli_next(in))) {
		if (kf_predictor_run(p, chunk, &predicted, &err) < 0)
			die("%s", err.msg);
		cli_write(out, &predicted);
	}
	cli_end(out);
	kf_predictor_close(p);
	b->op->close(b);
	kf_schema_free(&schema);
	kf_reader_close(in);
	return cli_finish();
}
