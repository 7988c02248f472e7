/* kfkd-stat: says what a stream or a model holds. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "cli.h"
#include "net/layers.h"
#include "net/model.h"
#include "stream/safetensors.h"
#include "rows/stats.h"

static const char usage[] =
	"usage: kfkd-stat [-H] [-o OUT] [FILE]\n"
	"Says what a tensor stream or a model holds.\n"
	"  -H, --history     of a model: the losses of each epoch, as TSV\n"
	"  -o, --output OUT  write to OUT, which appears when it is whole\n"
	"  -h, --help        print this\n"
	"  -V, --version     print the version\n";

static const struct option options[] = { { "history", no_argument, NULL, 'H' },
	{ "output", required_argument, NULL, 'o' }, CLI_LONG };

/* -- a stream -------------------------------------------------------------------- */

static void print_scale(const char *what, const struct kf_scale *s, int n)
{
	char text[160];

	if (s[0].factor == 0)
		return;
	kf_scales_print(s, n, text, sizeof text);
	printf("%s: %s\n", what, text);
}

static void print_columns(const char *title, const struct kf_names *names,
	const struct kf_stat *column)
{
	if (names->n == 0)
		return;
	printf("\n%-28s %8s %9s %9s %9s\n", title, "count", "min", "max", "mean");
	for (int i = 0; i < names->n; i++)
		printf("%-28s %8" PRIu64 " %9.3f %9.3f %9.3f\n", names->name[i],
			column[i].n, column[i].min, column[i].max,
			kf_stat_mean(&column[i]));
}

/* As the tutorial prints it after loading, and the mean. */
static void print_whole(const char *tensor, uint64_t rows, size_t columns,
	const struct kf_stat *s)
{
	printf("%s.shape == (%" PRIu64 ", %zu); ", tensor, rows, columns);
	printf("%s.min == %.3f; %s.max == %.3f; %s.mean == %.3f\n", tensor, s->min,
		tensor, s->max, tensor, kf_stat_mean(s));
}

static void print_stream(const struct kf_schema *schema, const struct kf_stats *s)
{
	size_t columns = (size_t)schema->columns.n, p = (size_t)schema->p_columns.n;

	printf("rows: %" PRIu64 "\n", s->rows);
	printf("images: %d x %d, channels: %d, type: %s\n", schema->w, schema->h,
		schema->c, kf_dtype_name(schema->dtype));
	print_scale("X.scale", &schema->x_scale, 1);
	print_scale("y.scale", schema->y_scale, 2);
	print_scale("p.scale", schema->p_scale, 2);
	if (schema->classes)
		printf("classes: %d\n", schema->classes);
	print_columns("column of y", &schema->columns, s->column);
	print_columns("column of p", &schema->p_columns, s->p_column);
	printf("\n");
	print_whole("X", s->rows, kf_image_bytes(schema) / kf_dtype_size(schema->dtype),
		&s->X);
	if (columns)
		print_whole("y", s->rows, columns, &s->y);
	if (p)
		print_whole("p", s->rows, p, &s->p);
	if (schema->has_label)
		print_whole("label", s->rows, 1, &s->label);
}

static void stat_stream(struct kf_st *st)
{
	const struct kf_schema *schema;
	struct kf_stats stats;
	struct kf_reader *in;
	struct kf_chunk *chunk;
	struct kf_err err;

	in = kf_reader_from(st, false, &err);
	if (!in)
		die("%s", err.msg);
	schema = kf_reader_schema(in);
	if (kf_stats_init(&stats, schema, &err) < 0)
		die("%s", err.msg);
	while ((chunk = cli_next(in)))
		kf_stats_add(&stats, schema, chunk);
	print_stream(schema, &stats);
	kf_stats_free(&stats);
	kf_reader_close(in);
}

/* -- a model --------------------------------------------------------------------- */

static size_t count_parameters(const struct kf_layers *l, const struct kf_layer *layer)
{
	return (layer->weight < 0 ? 0 : l->param[layer->weight].count) +
		(layer->bias < 0 ? 0 : l->param[layer->bias].count);
}

static void print_layer(const char *name, const char *activation, const int shape[3],
	size_t parameters)
{
	char word[64], size[64];

	snprintf(word, sizeof word, "%s%s", name, activation);
	if (shape[1] == 1 && shape[2] == 1)
		snprintf(size, sizeof size, "%d", shape[0]);
	else
		snprintf(size, sizeof size, "%d x %d x %d", shape[0], shape[1],
			shape[2]);
	printf("%-28s %-20s %10zu\n", word, size, parameters);
}

/* What the net makes of an image, layer by layer. */
static void print_layers(const struct kf_model *m)
{
	static const char *const activations[] = { [KF_LINEAR] = "",
		[KF_RELU] = " relu",
		[KF_TANH] = " tanh",
		[KF_SIGMOID] = " sigmoid" };
	struct kf_layers l;
	struct kf_err err;

	if (kf_layers_parse(&l, m->net, m->c, m->h, m->w, m->columns.n, &err) < 0) {
		printf("\nlayers: %s\n", err.msg);
		return;
	}
	printf("\n%-28s %-20s %10s\n", "layer", "output", "parameters");
	print_layer("input", "", (const int[]){ l.c, l.h, l.w }, 0);
	for (int i = 0; i < l.n; i++)
		print_layer(l.layer[i].name, activations[l.layer[i].activation],
			l.layer[i].out, count_parameters(&l, &l.layer[i]));
	kf_layers_free(&l);
}

static void print_parameters(const struct kf_model *m)
{
	size_t all = 0;

	printf("\n%-28s %-20s %10s\n", "parameter", "shape", "values");
	for (int i = 0; i < m->n; i++) {
		const struct kf_tensor *t = &m->param[i];
		char shape[100] = "";
		int end = 0;

		for (int j = 0; j < t->rank; j++)
			end += snprintf(shape + end, sizeof shape - (size_t)end,
				j ? " x %lld" : "%lld", (long long)t->shape[j]);
		printf("%-28s %-20s %10zu\n", t->name, shape, kf_tensor_count(t));
		all += kf_tensor_count(t);
	}
	printf("%-28s %-20s %10zu\n\n", "all", "", all);
}

static void print_losses(const struct kf_model *m)
{
	int best = -1, last = m->epochs - 1;

	printf("epochs: %d\n", m->epochs);
	if (last < 0)
		return;
	printf("last losses: train %.6f, valid %.6f\n", m->train_loss[last],
		m->valid_loss[last]);
	for (int i = 0; i <= last; i++)
		if (!isnan(m->valid_loss[i]) &&
			(best < 0 || m->valid_loss[i] < m->valid_loss[best]))
			best = i;
	if (best < 0)
		return;
	printf("best valid loss: %.6f in epoch %d", m->valid_loss[best], best + 1);
	if (!m->classify)
		printf(", an RMSE of %.3f pixels",
			kf_model_pixels(m) * sqrt(m->valid_loss[best]));
	printf("\n");
}

static void print_model(const struct kf_model *m)
{
	printf("net: %s\n", m->net);
	printf("loss: %s\n", m->classify ? "cross-entropy" : "squared error");
	printf("images: %d x %d, channels: %d\n", m->w, m->h, m->c);
	print_scale("X.scale", &m->x_scale, 1);
	print_scale("y.scale", m->y_scale, 2);
	print_layers(m);
	print_parameters(m);
	print_losses(m);
	for (int i = 0; i < m->n_notes; i++)
		printf("%s: %s\n", m->note_key[i], m->note_value[i]);
	printf("targets: %d\n", m->columns.n);
	for (int i = 0; i < m->columns.n; i++)
		printf("  %s\n", m->columns.name[i]);
}

static void print_history(const struct kf_model *m)
{
	printf("epoch\ttrain_loss\tvalid_loss\n");
	for (int i = 0; i < m->epochs; i++)
		printf("%d\t%.9g\t%.9g\n", i + 1, m->train_loss[i], m->valid_loss[i]);
}

static void stat_model(struct kf_st *st, bool history)
{
	struct kf_model m;
	struct kf_err err;

	if (kf_model_from(&m, st, "", &err) < 0)
		die("%s", err.msg);
	if (history)
		print_history(&m);
	else
		print_model(&m);
	kf_model_free(&m);
}

/* Opens the first header, which tells a stream from a model. */
static void open_header(struct kf_st *st, struct kf_source *src)
{
	struct kf_err err;
	int rc;

	if (isatty(src->fd))
		misuse("%s is a terminal; give a file, or pipe one in", src->name);
	rc = kf_st_open(st, src, &err);
	if (rc < 0)
		die("%s", err.msg);
	if (rc == 0)
		die("'%s' is empty: there is no stream or model in it", src->name);
}

int main(int argc, char **argv)
{
	struct kf_source src = { 0 };
	const char *output = NULL;
	struct kf_st st;
	bool history = false;
	int c;

	cli_init(argv, usage);
	while ((c = getopt_long(argc, argv, CLI_SHORT "Ho:", options, NULL)) != -1)
		if (c == 'H')
			history = true;
		else if (c == 'o')
			output = optarg;
		else
			cli_option(c);
	src.fd = cli_input(argc, argv, &src.name);
	open_header(&st, &src);
	cli_output(output);
	if (kf_st_find(&st, "X") && !history)
		stat_stream(&st);
	else
		stat_model(&st, history);
	return cli_finish();
}
